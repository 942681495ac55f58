import type { BrokenCode, SkillReply } from '../ports/skill-caller.ts'
import { brokenCode, notSentCode } from './reply-code.ts'

/** Names the exchange a message belongs to; taken off before anything leaves. */
export const EXCHANGE_HEADER = 'x-countersign-exchange'

/** The calls that are on their way, by the number that their message carries as far as the wire. */
export class McpExchanges {
  readonly #open = new Map<string, McpExchange>()
  #last = 0

  add(exchange: McpExchange): string {
    this.#last += 1
    const id = String(this.#last)
    this.#open.set(id, exchange)
    return id
  }

  /** @throws Error for one that is over: what belongs to it must not leave any more. */
  get(id: string): McpExchange {
    const exchange = this.#open.get(id)
    if (!exchange) throw new Error('not to be sent: its call is over')
    return exchange
  }

  remove(id: string): void {
    this.#open.delete(id)
  }
}

/**
 * What is known of one call on the wire. The client library tells whether a call ended; whether its first byte had
 * left by then is known here alone, and is what separates "never left" from "may have had an effect".
 */
export class McpExchange {
  readonly bytesMost: number
  #isStarted = false
  #broken: BrokenCode | undefined
  #stop: (() => void) | undefined
  #lost: (() => void) | undefined
  #isResumable = false
  #hasResponse = false
  #tail = ''
  #isClosed = false
  /** Settles when the answer's stream ended, so that whoever waits on need not wait until the time limit. */
  readonly lost: Promise<void>

  constructor(bytesMost: number) {
    this.bytesMost = bytesMost
    this.lost = new Promise((resolve) => {
      this.#lost = resolve
    })
  }

  get isStarted(): boolean {
    return this.#isStarted
  }

  /** A byte is about to be written; false where one was before, or the call is over: then none may be. */
  start(stop: () => void): boolean {
    if (this.#isStarted || this.#isClosed) return false
    this.#isStarted = true
    this.#stop = stop
    return true
  }

  breakOff(code: BrokenCode): void {
    this.#broken ??= code
    this.#lost?.()
  }

  /** Events with ids can be asked for again when their stream breaks: asking sends the call no second time. */
  noteEvents(chunk: Buffer): void {
    const text = this.#tail + chunk.toString('latin1')
    if (/(^|\n)id:/.test(text)) this.#isResumable = true
    if (/"(result|error)" *:/.test(text)) this.#hasResponse = true
    this.#tail = text.slice(-16)
  }

  /** The answer's stream is over, without an answer in it and with nothing by which to ask for the rest. */
  end(): void {
    if (!this.#isResumable && !this.#hasResponse) this.#lost?.()
  }

  /**
   * Nobody waits any more: what has not left never will. A connection that still carries it is given up, but for one that
   * brought the answer: it ends by itself, and can be used again.
   */
  close(isAnswered: boolean): void {
    this.#isClosed = true
    if (!isAnswered) this.#stop?.()
  }

  /** What an error proves that ended the call. */
  replyTo(error: unknown): Extract<SkillReply, { kind: 'not_sent' | 'broken' }> {
    if (!this.#isStarted) return { kind: 'not_sent', code: notSentCode(error) }
    return { kind: 'broken', code: this.#broken ?? brokenCode(error, false) }
  }
}
