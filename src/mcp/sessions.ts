import { randomUUID } from 'node:crypto'
import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import type { AgentCaller } from './call-context.ts'

/** How long a session may idle, and how long it may last, in milliseconds (DESIGN section 3). */
const IDLE_MS = 30 * 60_000
const LASTS_MS = 12 * 3_600_000
const OF_ONE_AGENT_MOST = 16
const OF_ONE_USER_MOST = 64
const MOST = 2_000
const KEEP_ALIVE_MS = 15_000

export type Session = {
  readonly id: string
  readonly userId: string
  readonly agentId: string
  readonly server: Server
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly startedMs: number
  lastSeenMs: number
}

export type SessionsOptions = {
  readonly createServer: () => Server
  /** A clock that never steps. */
  readonly monotonicMs: () => number
}

/**
 * The sessions of clients of the 2025 protocol. Each belongs to the user and agent of the token that opened it, and is
 * nobody's else; there are so many of one agent, of one user and in all, and none outlives its time.
 */
export class Sessions {
  /** In the order they were last used, as a map keeps what is put in again. */
  readonly #byId = new Map<string, Session>()
  readonly #options: SessionsOptions

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  agents(): string[] {
    return [...new Set([...this.#byId.values()].map(({ agentId }) => agentId))]
  }

  /** The caller's own session of this id, dead ones and other people's alike being none. */
  find(id: string, { userId, agentId }: Pick<AgentCaller, 'userId' | 'agentId'>): Session | undefined {
    const session = this.#byId.get(id)
    if (!session || session.userId !== userId || session.agentId !== agentId) return undefined
    if (this.#isOver(session)) {
      this.close(session)
      return undefined
    }
    session.lastSeenMs = this.#options.monotonicMs()
    this.#byId.delete(id)
    this.#byId.set(id, session)
    return session
  }

  /**
   * Makes a session; it is remembered once its client has initialized it. The agent's or user's own that was unused for
   * longest makes room for it. Undefined where there is no room at all.
   */
  async open({ userId, agentId }: Pick<AgentCaller, 'userId' | 'agentId'>): Promise<Session | undefined> {
    this.sweep()
    this.#makeRoom((session) => session.agentId === agentId, OF_ONE_AGENT_MOST)
    this.#makeRoom((session) => session.userId === userId, OF_ONE_USER_MOST)
    if (this.#byId.size >= MOST) return undefined
    const id = randomUUID()
    const server = this.#options.createServer()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      keepAliveMs: KEEP_ALIVE_MS,
      onsessioninitialized: () => {
        this.#byId.set(id, session)
      },
      onsessionclosed: () => {
        this.#byId.delete(id)
      },
    })
    const nowMs = this.#options.monotonicMs()
    const session: Session = {
      id,
      userId,
      agentId,
      server,
      transport,
      startedMs: nowMs,
      lastSeenMs: nowMs,
    }
    await server.connect(transport)
    return session
  }

  ofAgent(agentId: string): Session[] {
    return [...this.#byId.values()].filter((session) => session.agentId === agentId)
  }

  close(session: Session): void {
    this.#byId.delete(session.id)
    void session.server.close().catch(() => undefined)
  }

  /** Ends the streams on which nothing is answered. */
  closeStreams(): void {
    for (const { transport } of this.#byId.values()) transport.closeStandaloneSSEStream()
  }

  closeAll(): void {
    for (const session of [...this.#byId.values()]) this.close(session)
  }

  /** Ends what is over. */
  sweep(): void {
    for (const session of [...this.#byId.values()]) {
      if (this.#isOver(session)) this.close(session)
    }
  }

  #isOver({ startedMs, lastSeenMs }: Session): boolean {
    const nowMs = this.#options.monotonicMs()
    return nowMs - startedMs >= LASTS_MS || nowMs - lastSeenMs >= IDLE_MS
  }

  #makeRoom(isOwn: (session: Session) => boolean, most: number): void {
    const own = [...this.#byId.values()].filter(isOwn)
    for (const session of own.slice(0, Math.max(0, own.length - most + 1))) this.close(session)
  }
}
