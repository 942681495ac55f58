/** Executions of this process that have not been settled yet. A caller who hangs up stops none of them. */
export class InFlight {
  readonly #running = new Map<string, Promise<unknown>>()
  readonly #lost = new Set<string>()
  readonly #stops = new Map<string, AbortController>()

  has(actionId: string): boolean {
    return this.#running.has(actionId)
  }

  /** Runs the work to its end whatever becomes of who waits for it. */
  track<T>(actionId: string, work: Promise<T>): Promise<T> {
    const running = work.finally(() => {
      this.#running.delete(actionId)
      this.#stops.delete(actionId)
    })
    // Whoever waits sees a failure too; here it must not end the process.
    running.catch(() => this.#lost.add(actionId))
    this.#running.set(actionId, running)
    return running
  }

  /** Tells the call of an execution, while it runs here, that its authority was taken back. */
  signalOf(actionId: string): AbortSignal {
    const stop = this.#stops.get(actionId) ?? new AbortController()
    this.#stops.set(actionId, stop)
    return stop.signal
  }

  /** Asks what is on its way here to stop, where its transport has words for that; what became of it is settled as ever. */
  stop(actionId: string): void {
    this.#stops.get(actionId)?.abort('authority was taken back')
  }

  /** Resolves when this execution has ended, well or not; at once if it does not run here. */
  async ended(actionId: string): Promise<void> {
    await Promise.allSettled([this.#running.get(actionId)])
  }

  /** Takes the executions whose end could not be written down, as on a full disk. */
  takeLost(): string[] {
    const lost = [...this.#lost]
    this.#lost.clear()
    return lost
  }

  /** Resolves when everything that runs now has ended, well or not. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running.values()])
  }
}
