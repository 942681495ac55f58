import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'

/** Open subscriptions one agent may have. */
const OF_ONE_AGENT_MOST = 16

/**
 * Carries changes to the subscriptions of one agent each. The library's own bus tells everybody everything; here whoever
 * subscribes is known by the request it does so in.
 */
export class AgentStreams implements ServerEventBus {
  readonly #current = new AsyncLocalStorage<string>()
  readonly #byAgent = new Map<string, Set<(event: ServerEvent) => void>>()
  readonly #ending = new Map<string, AbortController>()

  /** Runs the work as a request of this agent. */
  as<T>(agentId: string, work: () => Promise<T>): Promise<T> {
    return this.#current.run(agentId, work)
  }

  hasRoom(agentId: string): boolean {
    return (this.#byAgent.get(agentId)?.size ?? 0) < OF_ONE_AGENT_MOST
  }

  agents(): string[] {
    return [...this.#byAgent.keys()]
  }

  has(agentId: string): boolean {
    return this.#byAgent.has(agentId)
  }

  /** Aborted when the agent's subscriptions are ended. */
  endingOf(agentId: string): AbortSignal {
    const known = this.#ending.get(agentId)
    if (known) return known.signal
    const made = new AbortController()
    this.#ending.set(agentId, made)
    return made.signal
  }

  /** Ends what an agent listens to. */
  end(agentId: string): void {
    this.#ending.get(agentId)?.abort()
    this.#ending.delete(agentId)
  }

  endAll(): void {
    for (const agentId of [...this.#ending.keys()]) this.end(agentId)
  }

  tell(agentId: string, event: ServerEvent): void {
    for (const listener of this.#byAgent.get(agentId) ?? []) listener(event)
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    const agentId = this.#current.getStore()
    // Nobody is told what nobody knows whose it is.
    if (agentId === undefined) return () => undefined
    const listeners = this.#byAgent.get(agentId) ?? new Set()
    listeners.add(listener)
    this.#byAgent.set(agentId, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#byAgent.get(agentId) !== listeners) return
      this.#byAgent.delete(agentId)
      this.#ending.delete(agentId)
    }
  }

  /** The library publishes only what it is told to, which is nothing. */
  publish(): void {}
}
