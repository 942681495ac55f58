import { type ClockSources, PlatformClock, SYSTEM_CLOCKS } from './platform-clock.ts'

/**
 * The platform's clock as one node sees it: the database's, which all nodes share. Between two looks at it the node's
 * monotonic clock goes on from the newest one.
 */
export class DatabaseClock {
  readonly #clock: PlatformClock
  readonly #monotonicMs: () => number
  #seen: { databaseMs: number; atMs: number }

  /**
   * @param databaseMs what the database's clock says now.
   * @param newestMs the newest time the store has recorded.
   * @param clocks in place of both clocks, for tests.
   */
  constructor(databaseMs: number, newestMs: number, clocks?: ClockSources) {
    this.#monotonicMs = clocks?.monotonicMs ?? SYSTEM_CLOCKS.monotonicMs
    this.#seen = { databaseMs, atMs: this.#monotonicMs() }
    const wallMs = clocks?.wallMs ?? (() => this.#estimateMs())
    this.#clock = new PlatformClock({ wallMs, monotonicMs: this.#monotonicMs }, newestMs)
  }

  /** What time it is when the database's clock says so. */
  at(databaseMs: number): { nowMs: number; trusted: boolean } {
    this.#seen = { databaseMs, atMs: this.#monotonicMs() }
    return this.#clock.tick()
  }

  now(): { nowMs: number; trusted: boolean } {
    return this.#clock.tick()
  }

  confirm(): void {
    this.#clock.confirm()
  }

  #estimateMs(): number {
    return Math.floor(this.#seen.databaseMs + this.#monotonicMs() - this.#seen.atMs)
  }
}
