import type { SessionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

/** How long a session may idle, and how long it may last, in milliseconds (DESIGN section 3). */
const IDLE_MS = 30 * 60_000
const MOST_MS = 12 * 3_600_000

export type SessionFacts = { readUntrusted: boolean; categories: readonly string[] }

type Whose = { sessionId: string; userId: string; agentId: string }

/** What the agent has read in this session; nothing once the session has ended. */
export async function sessionFacts(tx: Tx, whose: Whose): Promise<SessionFacts> {
  const row = await liveSession(tx, whose)
  return row
    ? { readUntrusted: row.readUntrusted, categories: JSON.parse(row.categories) as string[] }
    : { readUntrusted: false, categories: [] }
}

/** Notes what the agent was given to read, so that later decisions of the session know. */
export async function noteRead(tx: Tx, whose: Whose, read: SessionFacts): Promise<void> {
  const before = await liveSession(tx, whose)
  const known = before ? (JSON.parse(before.categories) as string[]) : []
  await tx.sessions.save({
    id: whose.sessionId,
    userId: whose.userId,
    agentId: whose.agentId,
    startedAtMs: before?.startedAtMs ?? tx.nowMs,
    lastSeenAtMs: tx.nowMs,
    readUntrusted: read.readUntrusted || (before?.readUntrusted ?? false),
    categories: JSON.stringify([...new Set([...known, ...read.categories])].sort()),
  })
}

async function liveSession(tx: Tx, { sessionId, userId, agentId }: Whose): Promise<SessionRow | undefined> {
  const row = await tx.sessions.find(sessionId)
  if (!row || row.userId !== userId || row.agentId !== agentId) return undefined
  return tx.nowMs - row.lastSeenAtMs < IDLE_MS && tx.nowMs - row.startedAtMs < MOST_MS ? row : undefined
}
