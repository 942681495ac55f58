/** How far the wall clock may run ahead of the monotonic one before money stops, in milliseconds. */
const MOST_AHEAD_MS = 5_000

/** How fast a clock may be corrected without being doubted: a thousandth of the time that passed. */
const SLEW = 0.001

export type ClockSources = {
  /** Unix milliseconds; may step. */
  wallMs(): number
  /** Milliseconds from an arbitrary start; never steps. */
  monotonicMs(): number
}

/**
 * The one clock of the platform. It never runs back, also not across restarts, so a step back reopens no
 * window and no expiry. A jump ahead of the monotonic clock is not followed, and is reported as untrusted,
 * until somebody confirms it: a clock set a month ahead would empty every monthly budget into a fresh month.
 */
export class PlatformClock {
  #lastMs: number
  #wallAnchorMs: number
  #monotonicAnchorMs: number
  #trusted = true
  readonly #sources: ClockSources

  /** @param lastMs The newest time the store has recorded. */
  constructor(sources: ClockSources, lastMs: number) {
    this.#sources = sources
    this.#lastMs = lastMs
    this.#wallAnchorMs = sources.wallMs()
    this.#monotonicAnchorMs = sources.monotonicMs()
  }

  /** Looks at the clocks once and settles what time it is; call it at the start of a unit of work. */
  tick(): { nowMs: number; trusted: boolean } {
    const wallMs = this.#sources.wallMs()
    const monotonicMs = this.#sources.monotonicMs()
    const passedMs = monotonicMs - this.#monotonicAnchorMs
    const expectedMs = this.#wallAnchorMs + passedMs
    const aheadMs = wallMs - expectedMs
    // Once doubted, doubted until confirmed: a clock that came back may leave again.
    if (aheadMs > MOST_AHEAD_MS) this.#trusted = false
    // The anchor gives way by the slew alone, so small steps add up to a jump instead of passing one by one.
    const slewMs = this.#trusted ? Math.min(Math.max(aheadMs, -passedMs * SLEW), passedMs * SLEW) : 0
    this.#lastMs = Math.max(this.#lastMs, this.#trusted ? wallMs : Math.floor(expectedMs))
    this.#wallAnchorMs = expectedMs + slewMs
    this.#monotonicAnchorMs = monotonicMs
    return { nowMs: this.#lastMs, trusted: this.#trusted }
  }

  /** Takes the wall clock as it stands for right. */
  confirm(): void {
    this.#wallAnchorMs = this.#sources.wallMs()
    this.#monotonicAnchorMs = this.#sources.monotonicMs()
    this.#trusted = true
  }
}

export const SYSTEM_CLOCKS: ClockSources = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
