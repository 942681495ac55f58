const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
type Level = (typeof LEVELS)[number]

/** What a client wants to be told. Until it says so it is told nothing: its model has no use for it. */
export class LogLevels {
  #least: number | null = null

  set(level: Level): void {
    this.#least = LEVELS.indexOf(level)
  }

  tells(level: Level): boolean {
    return this.#least !== null && LEVELS.indexOf(level) >= this.#least
  }
}
