import type { ModelAnswer, NativeCall } from './chat-message.ts'

/** An answer in the making: parts of a stream, or the one part a whole answer is. */
type Part = {
  readonly model: string | undefined
  readonly content: string
  readonly reasoning: string
  readonly calls: readonly CallPart[]
  readonly finish: string | null
}
type CallPart = {
  readonly index: number | undefined
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export type Collected = 'more' | 'other_model' | 'malformed' | 'failed' | 'too_long'

/** Characters of one answer at most; a model's own limit is far below. */
const CHARACTERS_MOST = 2_000_000
const CALLS_MOST = 128

/**
 * Puts an answer together from its parts and refuses what cannot be put together in one way only: parts of two models,
 * calls whose name changes, arguments that are no text.
 *
 * @param accepts says of a returned model name whether to go on; asked before anything else of a part is read.
 */
export class AnswerCollector {
  readonly #accepts: (model: string) => boolean
  readonly #calls: { id: string; name: string; arguments: string }[] = []
  readonly #places = new Map<number, number>()
  #model: string | undefined
  #content = ''
  #reasoning = ''
  #finish: string | null = null
  #size = 0

  constructor(accepts: (model: string) => boolean) {
    this.#accepts = accepts
  }

  /** @param message `delta` of a streamed choice, or `message` of a whole one. */
  add(chunk: unknown, message: 'delta' | 'message'): Collected {
    const part = partOf(chunk, message)
    if (part === 'failed' || part === 'malformed') return part
    if (part.model !== undefined && part.model !== this.#model) {
      const isFirst = this.#model === undefined
      this.#model = part.model
      if (!isFirst || !this.#accepts(part.model)) return 'other_model'
    }
    this.#content += part.content
    this.#reasoning += part.reasoning
    this.#finish = part.finish ?? this.#finish
    this.#size += part.content.length + part.reasoning.length
    for (const call of part.calls) {
      this.#size += call.arguments.length
      if (!this.#take(call)) return 'malformed'
    }
    return this.#size > CHARACTERS_MOST || this.#calls.length > CALLS_MOST ? 'too_long' : 'more'
  }

  /** The content so far. */
  get content(): string {
    return this.#content
  }

  answer(): ModelAnswer {
    return {
      model: this.#model ?? '',
      content: this.#content,
      reasoning: this.#reasoning,
      calls: this.#calls.map((call): NativeCall => ({ ...call })),
      finish: this.#finish,
    }
  }

  /** By its index; where a runtime gives none, a new id begins a call and anything else goes on with the last. */
  #take(part: CallPart): boolean {
    const known = part.index === undefined ? this.#lastUnless(part.id) : this.#places.get(part.index)
    if (known === undefined) {
      if (part.index !== undefined) this.#places.set(part.index, this.#calls.length)
      this.#calls.push({ id: part.id, name: part.name, arguments: part.arguments })
      return true
    }
    const call = this.#calls[known]
    if (!call) return false
    // Some endpoints say the name again with every part, others leave it empty; another name is another call.
    if (part.name !== '' && call.name !== '' && part.name !== call.name) return false
    if (part.id !== '' && call.id !== '' && part.id !== call.id) return false
    call.name ||= part.name
    call.id ||= part.id
    call.arguments += part.arguments
    return true
  }

  #lastUnless(id: string): number | undefined {
    const last = this.#calls.at(-1)
    const isNew = !last || (id !== '' && id !== last.id)
    return isNew ? undefined : this.#calls.length - 1
  }
}

function partOf(chunk: unknown, member: 'delta' | 'message'): Part | 'failed' | 'malformed' {
  if (!isRecord(chunk)) return 'malformed'
  if (chunk.error !== undefined && chunk.error !== null) return 'failed'
  const model = typeof chunk.model === 'string' && chunk.model !== '' ? chunk.model : undefined
  const choices = chunk.choices
  if (!Array.isArray(choices)) return 'malformed'
  const choice: unknown = choices[0]
  // The last part of a stream often has the usage alone.
  if (choice === undefined) return { model, content: '', reasoning: '', calls: [], finish: null }
  if (choices.length > 1 || !isRecord(choice)) return 'malformed'
  const message = choice[member]
  if (!isRecord(message)) return 'malformed'
  const calls = callsOf(message.tool_calls)
  const content = textOf(message.content)
  const reasoning = textOf(message.reasoning_content ?? message.reasoning)
  if (!calls || content === undefined || reasoning === undefined) return 'malformed'
  // Before the end some endpoints say nothing, some say it with an empty text or the word.
  const said = choice.finish_reason
  const finish = typeof said === 'string' && said !== '' && said !== 'null' ? said : null
  return { model, content, reasoning, calls, finish }
}

function callsOf(value: unknown): CallPart[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const calls: CallPart[] = []
  for (const one of value) {
    if (!isRecord(one)) return undefined
    const { function: called = {}, index, id } = one
    if (!isRecord(called)) return undefined
    const name = textOf(called.name)
    const args = textOf(called.arguments)
    // An object in place of text would be somebody else's reading of what the model wrote.
    if (name === undefined || args === undefined) return undefined
    const place = typeof index === 'number' && Number.isSafeInteger(index) ? index : undefined
    calls.push({ index: place, id: textOf(id) ?? '', name, arguments: args })
  }
  return calls
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
