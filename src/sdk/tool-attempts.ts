import { randomUUID } from 'node:crypto'
import { taggedDigest } from '../core/canonical-json.ts'
import type { JsonObject } from '../core/json-value.ts'
import type { ActionOutcome } from './agent-answers.ts'

/** What is known of one call with certain arguments. */
export type Attempt = {
  readonly digest: string
  /** How often this was done. */
  done: number
  /** How often it was refused since; the broker says no again under a key it said no to. */
  refused: number
  /** The last outcome, while it is recent. */
  last: { readonly action: ActionOutcome; readonly atMs: number } | undefined
}

/** As long as a model that calls the same again most likely lost sight of having called it. */
const RECENT_MS = 10 * 60_000

/**
 * Remembers calls by what they ask for, because a model calls the same again when a result is long ago, and because a
 * call that waits for its user, or whose outcome is in doubt, goes on under the key it had.
 *
 * Keys follow from the conversation, the call and how often it was done and refused: a program that was killed and goes on
 * with the same conversation sends the same call under the same key, and is told what became of it.
 */
export class ToolAttempts {
  readonly #conversationId: string
  readonly #now: () => number
  readonly #attempts = new Map<string, Attempt>()
  #reads = 0

  constructor(conversationId: string | undefined, now: () => number) {
    // What is known of one life of a program only is kept apart from every other.
    this.#conversationId = conversationId ?? randomUUID()
    this.#now = now
  }

  of(tool: string, args: JsonObject): Attempt {
    const digest = taggedDigest('countersign/v1/tool-call', { tool, arguments: args })
    const known = this.#attempts.get(digest)
    if (known) return known
    const made: Attempt = { digest, done: 0, refused: 0, last: undefined }
    this.#attempts.set(digest, made)
    return made
  }

  /** What only reads is simply done again, each time under a key of its own. */
  ofRead(): Attempt {
    this.#reads += 1
    return { digest: `read ${this.#reads} ${randomUUID()}`, done: 0, refused: 0, last: undefined }
  }

  /** The key the next try goes under. @param again the number the model names to really do it once more. */
  keyOf({ digest, done, refused }: Attempt, again: number | undefined): string {
    const number = Math.max(done + 1, again ?? 1)
    const key = { conversation: this.#conversationId, call: digest, number, refused }
    return `loop-${taggedDigest('countersign/v1/tool-attempt', key)}`
  }

  /** What was done a short while ago, unless it is wanted once more under exactly the next number. */
  doneBefore(attempt: Attempt, again: number | undefined): Attempt['last'] {
    const { last } = attempt
    const isRecent = last !== undefined && this.#now() - last.atMs < RECENT_MS
    return isRecent && again !== attempt.done + 1 ? last : undefined
  }

  /** It was done; another time is another key. What the skill refused is not told again as if it were done. */
  settle(attempt: Attempt, action: ActionOutcome, again: number | undefined): void {
    if (action.status !== 'succeeded') {
      attempt.refused += 1
      return
    }
    attempt.done = Math.max(attempt.done + 1, again ?? 1)
    attempt.refused = 0
    attempt.last = { action, atMs: this.#now() }
  }

  /** The broker said no under this key and says no again; what it then takes is another key. */
  refuse(attempt: Attempt): void {
    attempt.refused += 1
  }
}
