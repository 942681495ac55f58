import type { McpSession } from './mcp-session.ts'

export interface SessionLimits {
  readonly sessionsMost: number
  /** How long a session without calls is kept. */
  readonly idleMs: number
  /** How old a session may grow; one that is in use is ended after its calls. */
  readonly ageMs: number
}

/** A session and how many calls are in it now. */
interface Held {
  readonly key: string
  readonly opening: Promise<McpSession>
  session: McpSession | undefined
  calls: number
  /** Nobody gets it any more; it ends with its last call. */
  isLeaving: boolean
}

export type Lease = {
  readonly session: McpSession
  /** @param isBroken the session is of no further use: nobody else gets it. */
  done(isBroken: boolean): void
}

/**
 * Keeps sessions with MCP servers, one for each server and user, and shares each among that user's calls alone: what a
 * server remembers in a session, whether on purpose or by mistake, is only ever within reach of the same person.
 */
export class McpSessions {
  readonly #held = new Map<string, Held>()
  /** Ended for new calls, still carrying old ones. */
  readonly #leaving = new Set<Held>()
  readonly #limits: SessionLimits
  readonly #nowMs: () => number
  readonly #sweep: NodeJS.Timeout
  #closing = false

  constructor(limits: SessionLimits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#sweep = setInterval(() => this.sweep(), Math.max(1_000, limits.idleMs / 4)).unref()
  }

  get size(): number {
    return this.#held.size + this.#leaving.size
  }

  /**
   * The session for a key, opened where there is none.
   *
   * @returns undefined when as many are open as may be, and every one of them is in use.
   * @throws (rejects) with whatever opening failed with.
   */
  async take(key: string, open: () => Promise<McpSession>): Promise<Lease | undefined> {
    if (this.#closing) return undefined
    const held = this.#usable(key) ?? this.#add(key, open)
    if (!held) return undefined
    held.calls += 1
    try {
      const session = await held.opening
      held.session = session
      return {
        session,
        done: (isBroken) => {
          session.noteUse()
          this.#release(held, isBroken)
        },
      }
    } catch (error) {
      this.#release(held, true)
      throw error
    }
  }

  /** Ends what was idle too long or has grown too old. */
  sweep(): void {
    const nowMs = this.#nowMs()
    for (const held of [...this.#held.values()]) {
      const { session } = held
      if (!session) continue
      const isIdle = held.calls === 0 && nowMs - session.usedAtMs >= this.#limits.idleMs
      if (session.isClosed || isIdle || nowMs - session.openedAtMs >= this.#limits.ageMs) this.#leave(held)
    }
  }

  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#sweep)
    const all = [...this.#held.values(), ...this.#leaving]
    this.#held.clear()
    this.#leaving.clear()
    await Promise.allSettled(all.map(async ({ opening }) => (await opening).close()))
  }

  #usable(key: string): Held | undefined {
    const held = this.#held.get(key)
    if (!held) return undefined
    const isDone =
      held.session !== undefined &&
      (held.session.isClosed || this.#nowMs() - held.session.openedAtMs >= this.#limits.ageMs)
    if (!isDone) return held
    this.#leave(held)
    return undefined
  }

  #add(key: string, open: () => Promise<McpSession>): Held | undefined {
    if (this.size >= this.#limits.sessionsMost && !this.#makeRoom()) return undefined
    const held: Held = { key, opening: open(), session: undefined, calls: 0, isLeaving: false }
    // Whoever waits for it is told; here it must not end the process.
    held.opening.catch(() => {})
    this.#held.set(key, held)
    return held
  }

  /** Ends the session that has been idle longest. */
  #makeRoom(): boolean {
    let oldest: Held | undefined
    for (const held of this.#held.values()) {
      if (held.calls > 0 || !held.session) continue
      if (!oldest || held.session.usedAtMs < (oldest.session?.usedAtMs ?? 0)) oldest = held
    }
    if (oldest) this.#leave(oldest)
    return oldest !== undefined
  }

  #release(held: Held, isBroken: boolean): void {
    held.calls -= 1
    if (isBroken) this.#leave(held)
    else if (held.isLeaving && held.calls === 0) this.#end(held)
  }

  #leave(held: Held): void {
    if (this.#held.get(held.key) === held) this.#held.delete(held.key)
    held.isLeaving = true
    if (held.calls === 0) this.#end(held)
    else this.#leaving.add(held)
  }

  #end(held: Held): void {
    this.#leaving.delete(held)
    held.opening.then((session) => session.close()).catch(() => {})
  }
}
