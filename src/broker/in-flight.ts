/** Executions of this process that have not been settled yet. A caller who hangs up stops none of them. */
export class InFlight {
  readonly #running = new Map<string, Promise<unknown>>()
  readonly #lost = new Set<string>()

  has(actionId: string): boolean {
    return this.#running.has(actionId)
  }

  /** Runs the work to its end whatever becomes of who waits for it. */
  track<T>(actionId: string, work: Promise<T>): Promise<T> {
    const running = work.finally(() => this.#running.delete(actionId))
    // Whoever waits sees a failure too; here it must not end the process.
    running.catch(() => this.#lost.add(actionId))
    this.#running.set(actionId, running)
    return running
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
