/** One answer of a scripted model, before it is put on the wire. */
export type ScriptedAnswer = {
  readonly content?: string
  /** Thinking, which servers with a reasoning parser send beside the content. */
  readonly reasoning?: string
  readonly toolCalls?: readonly ScriptedCall[]
  /** The model name it returns; the requested one unless told otherwise. Null: none at all. */
  readonly model?: string | null
  /** `tool_calls` where there are some, otherwise `stop`, unless told otherwise. Null: it never says. */
  readonly finish?: string | null
  /** The member thinking comes in: `reasoning_content` (Model Studio, vLLM, SGLang) or `reasoning` (Ollama, newer vLLM). */
  readonly reasoningMember?: 'reasoning_content' | 'reasoning'
  /** Streams whole calls in one piece and without an index, as some runtimes do. */
  readonly wholeCalls?: boolean
  /** Events after which the connection breaks. */
  readonly breaksAfter?: number
  readonly bytesAPacket?: number
}

export type ScriptedCall = {
  readonly name: string
  /** The string on the wire, which need not be JSON; anything else is written as JSON. */
  readonly arguments: unknown
  readonly id?: string
}

/** A call in the Hermes style of Qwen's older templates, as a server without a tool parser passes it on. */
export function hermesCall(name: string, args: unknown): string {
  return `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`
}

/** A call in the XML style of Qwen3-Coder's template and later ones: strings raw, everything else as JSON. */
export function xmlCall(name: string, args: Readonly<Record<string, unknown>>): string {
  const parameters = Object.entries(args).map(([parameter, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `<parameter=${parameter}>\n${text}\n</parameter>`
  })
  return `<tool_call>\n<function=${name}>\n${parameters.join('\n')}\n</function>\n</tool_call>`
}

type About = { readonly id: string; readonly model: string | null }

const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
const CREATED_SECONDS = 1_800_000_000

/** The answer to a request without `stream`. */
export function wholeCompletion(answer: ScriptedAnswer, about: About): object {
  const calls = wireCalls(answer, about)
  const message = {
    role: 'assistant',
    content: answer.content ?? (calls.length > 0 ? null : ''),
    ...(answer.reasoning === undefined ? {} : { [memberOf(answer)]: answer.reasoning }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
  return {
    ...head(about, 'chat.completion'),
    choices: [{ index: 0, message, finish_reason: finishOf(answer) }],
    usage: USAGE,
  }
}

/** The events of a streamed answer: thinking first, then content, then calls whose pieces alternate. */
export function completionChunks(answer: ScriptedAnswer, about: About): string[] {
  const chunk = (delta: object, finish: string | null = null) =>
    event({ ...head(about, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] })
  const events = [chunk({ role: 'assistant', content: '' }), ': keep-alive\n\n']
  for (const piece of pieces(answer.reasoning ?? '', 5)) {
    events.push(chunk({ content: null, [memberOf(answer)]: piece }))
  }
  for (const piece of pieces(answer.content ?? '', 5)) events.push(chunk({ content: piece }))
  events.push(
    ...(answer.wholeCalls === true ? wholeCallDeltas : callDeltas)(answer, about).map((delta) =>
      chunk(delta),
    ),
  )
  if (answer.finish !== null) events.push(chunk({}, finishOf(answer)))
  events.push(event({ ...head(about, 'chat.completion.chunk'), choices: [], usage: USAGE }))
  events.push('data: [DONE]\n\n')
  return events
}

/** Name and id come first; then the arguments of all calls, a few characters of each in turn. */
function callDeltas(answer: ScriptedAnswer, about: About): object[] {
  const calls = wireCalls(answer, about)
  const begun = calls.map((call, index) => ({
    tool_calls: [{ ...call, index, function: { name: call.function.name, arguments: '' } }],
  }))
  const rest = calls.flatMap((call, index) =>
    pieces(call.function.arguments, 3).map((piece, turn) => ({
      turn,
      delta: { tool_calls: [{ index, function: { arguments: piece } }] },
    })),
  )
  return [...begun, ...rest.sort((a, b) => a.turn - b.turn).map(({ delta }) => delta)]
}

function wholeCallDeltas(answer: ScriptedAnswer, about: About): object[] {
  return wireCalls(answer, about).map((call) => ({ tool_calls: [call] }))
}

function wireCalls({ toolCalls = [] }: ScriptedAnswer, { id }: About) {
  return toolCalls.map((call, at) => ({
    id: call.id ?? `call_${id}_${at}`,
    type: 'function',
    function: {
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    },
  }))
}

function head({ id, model }: About, object: string) {
  return { id, object, created: CREATED_SECONDS, ...(model === null ? {} : { model }) }
}

function finishOf({ finish, toolCalls = [] }: ScriptedAnswer): string | null {
  return finish === undefined ? (toolCalls.length > 0 ? 'tool_calls' : 'stop') : finish
}

function memberOf({ reasoningMember = 'reasoning_content' }: ScriptedAnswer): string {
  return reasoningMember
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function pieces(text: string, length: number): string[] {
  const all: string[] = []
  for (let at = 0; at < text.length; at += length) all.push(text.slice(at, at + length))
  return all
}
