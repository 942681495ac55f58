import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Deployment, deploymentShape } from '../core/model/deployment.ts'
import { type ModelEndpoint, regionOfHost, type ToolStyle } from '../sdk/model-endpoint.ts'

export const AGENT_USAGE = [
  'npm run -s agent -- "what you want done"',
  '  AGENT_BROKER      the broker; http://localhost:8787 unless given',
  '  OPENAI_BASE_URL   the model endpoint, up to and with /v1',
  '  OPENAI_MODEL      the model to ask for',
  '  OPENAI_API_KEY    its key, where it wants one',
  '  QWEN_RUNTIME      model-studio, vllm, sglang, ollama, lm-studio, llama.cpp or mlx',
  '  QWEN_FAMILY       such as Qwen3; Qwen unless given',
  '  QWEN_SCOPE        model-studio: where inference may run, such as international',
  '  QWEN_REGION       model-studio: where data rests, where the host does not say',
  '  QWEN_REPOSITORY   others: where the weights are from, such as Qwen/Qwen3-30B-A3B-Instruct-2507',
  '  QWEN_REVISION     others: which revision of it; main unless given',
  '  QWEN_THINKING     on, off or hybrid; hybrid unless given',
  '  QWEN_TOOL_STYLE   native, hermes or qwen3-coder; native unless given',
  '  AGENT_SKILLS      skills to offer before anything is granted, with commas between',
  '  AGENT_TOKENS      where tokens are kept; ~/.countersign-agent.json unless given',
].join('\n')

export type AgentSettings = {
  readonly broker: string
  readonly endpoint: ModelEndpoint
  readonly skills: readonly string[]
  readonly tokensFile: string
}

export type AgentSettingsRead =
  | { readonly ok: true; readonly settings: AgentSettings }
  | { readonly ok: false; readonly fault: string }

const DATED = /-\d{4}-\d{2}-\d{2}$/

/** Reads what the example agent runs on from its environment, and says which setting is missing or wrong. */
export function readAgentSettings(env: Readonly<Record<string, string | undefined>>): AgentSettingsRead {
  const missing = ['OPENAI_BASE_URL', 'OPENAI_MODEL', 'QWEN_RUNTIME'].find((name) => !env[name])
  if (missing !== undefined) return { ok: false, fault: `${missing} is not set` }
  const { OPENAI_BASE_URL: baseUrl = '', OPENAI_MODEL: model = '' } = env
  if (!URL.canParse(baseUrl)) return { ok: false, fault: 'OPENAI_BASE_URL is no URL' }
  const deployment = deploymentShape.safeParse(describe(env, new URL(baseUrl), model))
  if (!deployment.success) {
    const [issue] = deployment.error.issues
    return {
      ok: false,
      fault: `the deployment is not described: ${issue?.path.join('.')}: ${issue?.message}`,
    }
  }
  const style = styleOf(env.QWEN_TOOL_STYLE)
  if (!style) return { ok: false, fault: 'QWEN_TOOL_STYLE is native, hermes or qwen3-coder' }
  return {
    ok: true,
    settings: {
      broker: env.AGENT_BROKER ?? 'http://localhost:8787',
      endpoint: {
        baseUrl,
        model,
        deployment: deployment.data,
        style,
        ...(env.OPENAI_API_KEY ? { apiKey: env.OPENAI_API_KEY } : {}),
      },
      skills: (env.AGENT_SKILLS ?? '').split(',').filter((skill) => skill !== ''),
      tokensFile: env.AGENT_TOKENS ?? join(homedir(), '.countersign-agent.json'),
    },
  }
}

/** A dated name is a snapshot and stays what it is; any other name of a service moves. */
function describe(
  env: Readonly<Record<string, string | undefined>>,
  { host, hostname }: URL,
  model: string,
): Partial<Record<keyof Deployment, unknown>> {
  const common = { brand: 'Qwen', family: env.QWEN_FAMILY ?? 'Qwen', thinking: env.QWEN_THINKING ?? 'hybrid' }
  if (env.QWEN_RUNTIME === 'model-studio') {
    const region = env.QWEN_REGION ?? regionOfHost(hostname)
    return {
      ...common,
      ...(DATED.test(model) ? { snapshot: model } : { serviceAlias: model }),
      path: { kind: 'hosted', provider: 'Model Studio', region, scope: env.QWEN_SCOPE, host },
    }
  }
  const repository = env.QWEN_REPOSITORY
  const revision = env.QWEN_REVISION ?? 'main'
  return {
    ...common,
    // The name a runtime was told to serve it under, where that is not the repository's.
    ...(model === repository ? { checkpoint: model } : { serviceAlias: model }),
    path: { kind: 'self-hosted', runtime: env.QWEN_RUNTIME, repository, revision },
  }
}

function styleOf(text = 'native'): ToolStyle | undefined {
  return (['native', 'hermes', 'qwen3-coder'] as const).find((style) => style === text)
}
