import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { SessionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

/** How long a session may idle, and how long it may last, in milliseconds (DESIGN section 3). */
const IDLE_MS = 30 * 60_000
const MOST_MS = 12 * 3_600_000
/** A session is written again only so long after the last time, in milliseconds. */
const TOUCH_MS = 60_000

/** The session of calls that name none: whoever asks does not know what the agent has read. */
export const UNKNOWN_SESSION = ''

export type SessionFacts = { readUntrusted: boolean; categories: readonly string[] }

type Whose = { sessionId: string; userId: string; agentId: string }

/** What the agent has read in a session that lives. */
export function sessionFacts(row: Pick<SessionRow, 'readUntrusted' | 'categories'>): SessionFacts {
  return { readUntrusted: row.readUntrusted, categories: JSON.parse(row.categories) as string[] }
}

/** Keeps a session that has read something from idling out while the agent goes on calling. */
export async function touchSession(
  tx: Tx,
  whose: Whose,
  row: Omit<SessionRow, 'id' | 'userId' | 'agentId'> | null | undefined,
): Promise<void> {
  if (!row || tx.nowMs - row.lastSeenAtMs < TOUCH_MS) return
  const { sessionId: id, userId, agentId } = whose
  await tx.sessions.save({ ...row, id, userId, agentId, lastSeenAtMs: tx.nowMs })
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

/** What somebody has read who was given the result of this action. */
export function readIn(action: LoadedAction): SessionFacts {
  return {
    readUntrusted: action.readsUntrusted,
    categories: [...new Set(action.result.fields.map((field) => field.category))],
  }
}

/** Whether a session has neither idled out nor lasted too long. */
export function livesAt(row: Pick<SessionRow, 'startedAtMs' | 'lastSeenAtMs'>, nowMs: number): boolean {
  return nowMs - row.lastSeenAtMs < IDLE_MS && nowMs - row.startedAtMs < MOST_MS
}

/** The session, if it is this agent's and lives. */
export async function liveSession(tx: Tx, whose: Whose): Promise<SessionRow | undefined> {
  const row = await tx.sessions.find(whose.userId, whose.sessionId)
  const isOurs = row?.userId === whose.userId && row.agentId === whose.agentId
  return row && isOurs && livesAt(row, tx.nowMs) ? row : undefined
}
