/** Calls that wait for a person, at most so many of one agent and in all: each holds a connection. */
const OF_ONE_AGENT_MOST = 8
const MOST = 1_000

/** Counts the calls that are held. */
export class HeldCalls {
  readonly #byAgent = new Map<string, number>()
  #all = 0

  /** Holds a call while it works, if there is room; otherwise nothing is done. */
  async hold<T>(agentId: string, work: () => Promise<T>): Promise<T | undefined> {
    const own = this.#byAgent.get(agentId) ?? 0
    if (own >= OF_ONE_AGENT_MOST || this.#all >= MOST) return undefined
    this.#byAgent.set(agentId, own + 1)
    this.#all += 1
    try {
      return await work()
    } finally {
      this.#all -= 1
      const left = (this.#byAgent.get(agentId) ?? 1) - 1
      if (left === 0) this.#byAgent.delete(agentId)
      else this.#byAgent.set(agentId, left)
    }
  }
}
