import { boundedText } from './bounded-body.ts'
import type { ChatMessage, ModelAnswer } from './chat-message.ts'
import type { CheckedEndpoint, ModelEndpoint } from './model-endpoint.ts'
import { backoffMs, type Pause, retryAfterMs } from './pause.ts'
import { AnswerCollector } from './read-completion.ts'
import { serverSentEvents } from './server-sent-events.ts'

export type ModelDeps = {
  readonly fetch: typeof fetch
  readonly now: () => number
  readonly pause: Pause
  readonly random: () => number
}

/** Why there is no answer to act on. None of these has executed anything. */
export type ModelFault =
  /** No answer, however often it was tried, or one that broke off. */
  | 'model_unavailable'
  /** The endpoint refused the request: a wrong key, a model it does not have, members it does not take. */
  | 'model_refused'
  /** The answer cannot be read in one way only. */
  | 'malformed_answer'
  /** The endpoint returned the name of a model that the deployment is not. */
  | 'model_differs'
  | 'aborted'

export type Asked =
  | { readonly kind: 'answer'; readonly answer: ModelAnswer }
  | {
      readonly kind: 'fault'
      readonly code: ModelFault
      /** Of the endpoint's answer. What it wrote is left out: some write back the key they were sent. */
      readonly status: number | null
      /** The model name it returned, where that is what is wrong. */
      readonly returned: string
    }

export type ModelRequest = {
  readonly messages: readonly ChatMessage[]
  readonly tools: readonly unknown[]
  readonly maxTokens: number | undefined
  readonly signal: AbortSignal
  /** Whether the deployment can have returned this model name. */
  readonly accepts: (model: string) => boolean
  /** Told the content of a streamed answer piece by piece. */
  readonly onText: (text: string) => void
}

const TRIES_MOST = 4
const WAIT_MS_MOST = 60_000
const ANSWER_BYTES_MOST = 8 * 1024 * 1024
const PASSING: ReadonlySet<number> = new Set([408, 409, 429, 500, 502, 503, 504, 529])

/** Asks a model once, and again while the endpoint cannot answer: asking executes nothing. Never throws. */
export async function askModel(
  endpoint: ModelEndpoint,
  checked: CheckedEndpoint,
  request: ModelRequest,
  deps: ModelDeps,
): Promise<Asked> {
  for (let tries = 1; ; tries += 1) {
    const tried = await tryOnce(endpoint, checked, request, deps)
    if (tried.kind !== 'again') return tried
    if (request.signal.aborted) return fault('aborted')
    const waitMs = tried.waitMs ?? backoffMs(tries, deps.random)
    if (tries >= TRIES_MOST || waitMs > WAIT_MS_MOST) return fault('model_unavailable', tried.status)
    await deps.pause(waitMs, request.signal)
  }
}

type Again = { readonly kind: 'again'; readonly status: number | null; readonly waitMs: number | null }

async function tryOnce(
  endpoint: ModelEndpoint,
  checked: CheckedEndpoint,
  request: ModelRequest,
  deps: ModelDeps,
): Promise<Asked | Again> {
  const { signal } = request
  if (signal.aborted) return fault('aborted')
  const { stream = true, apiKey } = endpoint
  try {
    const response = await deps.fetch(checked.url, {
      method: 'POST',
      // Another host is another deployment.
      redirect: 'error',
      signal,
      headers: {
        'content-type': 'application/json',
        accept: stream ? 'text/event-stream' : 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(bodyOf(endpoint, checked, request)),
    })
    const { status } = response
    if (status !== 200) {
      await response.body?.cancel()
      if (!PASSING.has(status)) return fault('model_refused', status)
      return { kind: 'again', status, waitMs: retryAfterMs(response.headers, deps.now()) }
    }
    // What an endpoint streams, it streams; some do not although they were asked to.
    const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false
    return isStream ? await readStream(response, request) : await readWhole(response, request)
  } catch {
    return signal.aborted ? fault('aborted') : { kind: 'again', status: null, waitMs: null }
  }
}

function bodyOf(
  { model, stream = true, extraBody }: ModelEndpoint,
  { thinking }: CheckedEndpoint,
  { messages, tools, maxTokens }: ModelRequest,
) {
  return {
    ...extraBody,
    ...thinking,
    model,
    messages,
    ...(tools.length > 0 ? { tools, tool_choice: 'auto', parallel_tool_calls: true } : {}),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  }
}

async function readWhole(response: Response, { accepts }: ModelRequest): Promise<Asked> {
  const text = await boundedText(response, ANSWER_BYTES_MOST)
  const collector = new AnswerCollector(accepts)
  return ended(collector, text === undefined ? 'malformed' : collector.add(parse(text), 'message'))
}

async function readStream(response: Response, { accepts, onText }: ModelRequest): Promise<Asked | Again> {
  const collector = new AnswerCollector(accepts)
  if (response.body === null) return fault('malformed_answer')
  let isDone = false
  let told = 0
  for await (const data of serverSentEvents(response.body)) {
    if (data === '[DONE]') {
      isDone = true
      break
    }
    const collected = collector.add(parse(data), 'delta')
    if (collected === 'failed') return { kind: 'again', status: null, waitMs: null }
    if (collected !== 'more') return ended(collector, collected)
    const { content } = collector
    if (content.length > told) onText(content.slice(told))
    told = content.length
  }
  // A stream that just ends may have been cut anywhere: half a call can be valid JSON.
  if (!isDone && collector.answer().finish === null) return { kind: 'again', status: null, waitMs: null }
  return ended(collector, 'more')
}

function ended(collector: AnswerCollector, collected: ReturnType<AnswerCollector['add']>): Asked {
  const answer = collector.answer()
  if (collected === 'other_model' || (collected === 'more' && answer.model === '')) {
    return { kind: 'fault', code: 'model_differs', status: 200, returned: answer.model }
  }
  return collected === 'more' ? { kind: 'answer', answer } : fault('malformed_answer', 200)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fault(code: ModelFault, status: number | null = null): Asked {
  return { kind: 'fault', code, status, returned: '' }
}
