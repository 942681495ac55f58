import { taggedDigest } from '../core/canonical-json.ts'
import type { JsonObject } from '../core/json-value.ts'
import type { ActionOutcome } from './agent-answers.ts'

/** What is known of one call with certain arguments. */
export type Attempt = {
  /** The key the next try goes under. */
  key: string
  /** How often this was done. */
  done: number
  /** The last outcome, while it is recent. */
  last: { readonly action: ActionOutcome; readonly atMs: number } | undefined
}

/** As long as a model that calls the same again most likely lost sight of having called it. */
const RECENT_MS = 10 * 60_000

/**
 * Remembers calls by what they ask for, because a model calls the same again when a result is long ago, and because a
 * call that waits for its user, or whose outcome is in doubt, goes on under the key it had.
 */
export class ToolAttempts {
  readonly #newKey: () => string
  readonly #now: () => number
  readonly #attempts = new Map<string, Attempt>()

  constructor(newKey: () => string, now: () => number) {
    this.#newKey = newKey
    this.#now = now
  }

  of(tool: string, args: JsonObject): Attempt {
    const digest = taggedDigest('countersign/v1/tool-attempt', { tool, arguments: args })
    const known = this.#attempts.get(digest)
    if (known) return known
    const made: Attempt = { key: this.#newKey(), done: 0, last: undefined }
    this.#attempts.set(digest, made)
    return made
  }

  /** What was done a short while ago, unless it is wanted once more under exactly the next number. */
  doneBefore(attempt: Attempt, again: number | undefined): Attempt['last'] {
    const { last } = attempt
    const isRecent = last !== undefined && this.#now() - last.atMs < RECENT_MS
    return isRecent && again !== attempt.done + 1 ? last : undefined
  }

  /** It was done, whatever the skill then said: another time is another key. */
  settle(attempt: Attempt, action: ActionOutcome): void {
    attempt.key = this.#newKey()
    if (action.status !== 'succeeded') return
    attempt.done += 1
    attempt.last = { action, atMs: this.#now() }
  }

  /** The broker said no under this key and says no again; what it then takes is another key. */
  refuse(attempt: Attempt): void {
    attempt.key = this.#newKey()
  }
}
