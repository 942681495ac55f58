import type { Deployment } from '../core/model/deployment.ts'
import { deploymentIdOf } from '../core/model/deployment-id.ts'

/** How tools are given to a model and how it calls them. */
export type ToolStyle =
  /** The `tools` of the OpenAI format; the endpoint has a tool parser. */
  | 'native'
  /** In the prompt, called as JSON in `<tool_call>`: Qwen's Hermes template. */
  | 'hermes'
  /** In the prompt, called as `<function=…>` in `<tool_call>`: the template of Qwen3-Coder and later ones. */
  | 'qwen3-coder'

/** One model behind one OpenAI-compatible endpoint. */
export type ModelEndpoint = {
  /** Ends where `/chat/completions` begins, such as `https://dashscope-intl.aliyuncs.com/compatible-mode/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  /** The name to ask for. */
  readonly model: string
  /** What it is, as it is registered for this agent at the broker. */
  readonly deployment: Deployment
  /** `native` unless told otherwise. Calls that the endpoint left in the text are read in either style. */
  readonly style?: ToolStyle
  /** Whether a hybrid model is to think; left to the endpoint unless given. */
  readonly enableThinking?: boolean
  /** Whether answers are streamed; true unless told otherwise. */
  readonly stream?: boolean
  /** Further members of each request, such as `temperature`. */
  readonly extraBody?: Readonly<Record<string, unknown>>
}

export type CheckedEndpoint = {
  readonly url: string
  readonly deploymentId: string
  /** Members of a request that say whether to think, the way this runtime reads them. */
  readonly thinking: Readonly<Record<string, unknown>>
}

const RUNTIMES_WITH_TEMPLATE_ARGUMENTS = new Set(['vllm', 'sglang', 'llama.cpp', 'mlx'])
/** Members that would change who answers, or what of it is read here. */
const OWN_MEMBERS = ['model', 'messages', 'tools', 'stream', 'n', 'enable_thinking']

/**
 * Holds an endpoint against the deployment it is said to be: the host is part of a hosted deployment's description, and
 * of Model Studio's hosts the region is known.
 *
 * @throws TypeError where they contradict each other; the message says how.
 */
export function checkEndpoint(endpoint: ModelEndpoint): CheckedEndpoint {
  const { deployment, enableThinking, extraBody = {} } = endpoint
  const base = new URL(endpoint.baseUrl)
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname)
  if (
    base.protocol !== 'https:' &&
    !(base.protocol === 'http:' && (isLoopback || endpoint.apiKey === undefined))
  )
    throw new TypeError('an API key is sent over https only')
  const { path } = deployment
  if (path.kind === 'hosted' && path.host !== base.host)
    throw new TypeError(`the deployment is at ${path.host}, and the endpoint at ${base.host}`)
  const region = regionOfHost(base.hostname)
  if (path.kind === 'hosted' && region !== undefined && region !== path.region)
    throw new TypeError(`${base.hostname} keeps its data in ${region}, not in ${path.region}`)
  if (path.kind === 'self-hosted' && region !== undefined)
    throw new TypeError(`${base.hostname} is a hosted service`)
  if (deployment.thinking !== 'hybrid' && enableThinking !== undefined) {
    if (enableThinking !== (deployment.thinking === 'on'))
      throw new TypeError(`the deployment is registered with thinking ${deployment.thinking}`)
  }
  const taken = OWN_MEMBERS.find((name) => Object.hasOwn(extraBody, name))
  if (taken !== undefined) throw new TypeError(`${taken} cannot be set by extraBody`)
  return {
    url: `${endpoint.baseUrl.replace(/\/+$/, '')}/chat/completions`,
    deploymentId: deploymentIdOf(deployment),
    thinking: thinkingMembers(deployment, enableThinking),
  }
}

const LEGACY_HOSTS: Readonly<Record<string, string>> = {
  'dashscope.aliyuncs.com': 'cn-beijing',
  'dashscope-intl.aliyuncs.com': 'ap-southeast-1',
  'dashscope-us.aliyuncs.com': 'us-east-1',
  'cn-hongkong.dashscope.aliyuncs.com': 'cn-hongkong',
}

/**
 * The region where a Model Studio host keeps data; undefined for any other host. It does not tell the scope, where
 * inference runs: one host serves several.
 */
export function regionOfHost(hostname: string): string | undefined {
  return LEGACY_HOSTS[hostname] ?? /^[a-z0-9-]+\.([a-z0-9-]+)\.maas\.aliyuncs\.com$/.exec(hostname)?.[1]
}

function thinkingMembers(
  { thinking, path }: Deployment,
  wanted: boolean | undefined,
): Readonly<Record<string, unknown>> {
  const enable_thinking = wanted ?? (thinking === 'hybrid' ? undefined : thinking === 'on')
  if (enable_thinking === undefined) return {}
  if (path.kind === 'hosted') return { enable_thinking }
  return RUNTIMES_WITH_TEMPLATE_ARGUMENTS.has(path.runtime)
    ? { chat_template_kwargs: { enable_thinking } }
    : {}
}
