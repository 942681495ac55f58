/** How long equal refusals are summed instead of logged one by one, in milliseconds. */
const SUM_MS = 60_000
/** More different refusals than this within a minute are logged one by one. */
const MOST = 50_000

/**
 * Counts what would otherwise let somebody without authority grow the log at will: equal refusals to the same
 * agent within a minute, malformed input, failed authentication, rate limits, dry runs.
 */
export class RecentRefusals {
  #since = new Map<string, { atMs: number; by: string }>()
  #counts = new Map<string, number>()

  /**
   * True the first time within a minute: that one gets a leaf of its own. Later ones add to a count.
   *
   * @param by the caller's key: an engine may run the same decision again, and it is still the first then.
   */
  isFirst(
    userId: string,
    agentId: string,
    skill: string,
    action: string,
    code: string,
    nowMs: number,
    by: string,
  ): boolean {
    const key = JSON.stringify([userId, agentId, skill, action, code])
    const since = this.#since.get(key)
    if (since?.by === by) return true
    if (since !== undefined && nowMs - since.atMs < SUM_MS) {
      this.count(`equal_refusal:${code}`)
      return false
    }
    if (this.#since.size >= MOST) this.#forgetOlderThan(nowMs - SUM_MS)
    if (this.#since.size < MOST) this.#since.set(key, { atMs: nowMs, by })
    return true
  }

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  /** Takes the counts since the last call, sorted by name; empty when nothing was counted. */
  take(): Record<string, number> {
    const counts = Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    this.#counts = new Map()
    return counts
  }

  #forgetOlderThan(thresholdMs: number): void {
    for (const [key, { atMs }] of this.#since) if (atMs <= thresholdMs) this.#since.delete(key)
  }
}
