import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type Backoff, pause } from './backoff.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import type { PostgresPool } from './postgres-pool.ts'

/** What a unit of work that was kept is known by: a leaf it queued, or a mark it left. */
export type Trace = { kind: 'leaf'; eventId: string; userId: string } | { kind: 'mark'; id: string }

const LEFT_LEAF = {
  name: 'commit_found_leaf',
  text: `select 1 from log_queue where event_id = $1 and user_id = $2
    union all select 1 from log_leaves where event_id = $1`,
}
const LEFT_MARK = { name: 'commit_found_mark', text: 'select 1 from commit_marks where id = $1' }
const HAS_ENDED = {
  name: 'commit_has_ended',
  text: 'select pg_visible_in_snapshot($1::xid8, pg_current_snapshot())',
}
export const LEAVE_MARK = {
  name: 'commit_marks_insert',
  text: 'insert into commit_marks (id, at_ms) values ($1, $2)',
}
/** Marks are of use for as long as somebody may ask for them, which is seconds. */
export const SWEEP_MARKS = { name: 'commit_marks_sweep', text: 'delete from commit_marks where at_ms < $1' }

/**
 * Finds out whether a unit of work was kept, when nobody heard what became of its COMMIT. Each look is a unit of its
 * own that writes something: only once that is kept for good is what it saw kept for good, on a standby too.
 *
 * @param xid the unit's own transaction id.
 * @returns true: it was kept; false: it has ended and was not, so that the work may be done again.
 * @throws (rejects) StoreUnavailable with `unknown_commit` if that cannot be told within the time.
 */
export async function wasKept(
  pool: PostgresPool,
  trace: Trace,
  xid: string,
  newMark: () => { id: string; atMs: number },
  within: { ms: number; backoff: Backoff },
): Promise<boolean> {
  const untilMs = performance.now() + within.ms
  for (let tries = 0; performance.now() < untilMs; tries++) {
    const seen = await look(pool, trace, xid, newMark())
    if (seen !== 'cannot_tell') return seen === 'kept'
    await pause(within.backoff, tries)
  }
  throw new StoreUnavailable('unknown_commit')
}

async function look(
  pool: PostgresPool,
  trace: Trace,
  xid: string,
  mark: { id: string; atMs: number },
): Promise<'kept' | 'lost' | 'cannot_tell'> {
  let connection: PostgresConnection | undefined
  let isBroken = true
  try {
    connection = await pool.take()
    connection.beginAside()
    connection.write({ ...LEAVE_MARK, values: [mark.id, mark.atMs] })
    // Whether it has ended comes first: what ends between the two looks is then taken for not ended.
    const [ended] = await connection.ask({ ...HAS_ENDED, values: [xid] })
    const left = await connection.ask(
      trace.kind === 'leaf'
        ? { ...LEFT_LEAF, values: [trace.eventId, trace.userId] }
        : { ...LEFT_MARK, values: [trace.id] },
    )
    const isKept = (await connection.commit()) === 'kept'
    isBroken = !isKept
    if (!isKept) return 'cannot_tell'
    if (left.length > 0) return 'kept'
    return ended?.[0] === true ? 'lost' : 'cannot_tell'
  } catch {
    return 'cannot_tell'
  } finally {
    if (connection) pool.giveBack(connection, isBroken)
  }
}
