import type { AuthorityChanges } from './authority-changes.ts'
import { awaitAnswer } from './await-answer.ts'
import type { Broker } from './broker.ts'

/** Calls that may be held at once, by everybody and by one agent; whoever comes beyond that is answered at once. */
const HELD_MOST = 500
const HELD_BY_AGENT_MOST = 8

/** Calls that wait for a person's answer (long polls). Nothing but memory of this process is held for them. */
export class HeldQuestions {
  readonly #broker: Broker
  readonly #changes: AuthorityChanges
  readonly #closing = new AbortController()
  readonly #byAgent = new Map<string, number>()
  #held = 0

  constructor(broker: Broker, changes: AuthorityChanges) {
    this.#broker = broker
    this.#changes = changes
  }

  /** Resolves when the question is answered, at the latest after the time; at once where nothing may be held. */
  async wait(input: { userId: string; agentId: string; id: string; withinMs: number }): Promise<void> {
    const { agentId } = input
    const mine = this.#byAgent.get(agentId) ?? 0
    const isFull = this.#held >= HELD_MOST || mine >= HELD_BY_AGENT_MOST
    if (input.withinMs <= 0 || isFull || this.#closing.signal.aborted) return
    this.#held += 1
    this.#byAgent.set(agentId, mine + 1)
    try {
      await awaitAnswer(this.#broker, this.#changes, { ...input, signal: this.#closing.signal })
    } finally {
      this.#held -= 1
      const left = (this.#byAgent.get(agentId) ?? 1) - 1
      if (left > 0) this.#byAgent.set(agentId, left)
      else this.#byAgent.delete(agentId)
    }
  }

  /** Lets everybody go who waits: a stop does not wait for people. */
  close(): void {
    this.#closing.abort()
  }
}
