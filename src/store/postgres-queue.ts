import type { PlacedLeaf, QueuedLeaf } from '../ports/node-store.ts'
import type { QueueAccess } from './repositories/log-queue.ts'

/** Sends one statement and gives its rows, column by column. */
export type Ask = (query: { name: string; text: string; values?: unknown[] }) => Promise<unknown[][]>

const OLDEST =
  'select event_id, user_id, leaf, leaf_hash, at_ms from log_queue order by queued_us, event_id limit $1'
const OLDEST_TIME = 'select at_ms from log_queue order by queued_us, event_id limit 1'
const PLACED = 'select event_id from log_leaves where event_id = any($1::text[])'
/** One statement for any number of leaves; each row is held against the tree's size by the table itself. */
const PLACE = `insert into log_leaves (leaf_index, event_id, leaf, leaf_hash, at_ms)
  select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::bigint[])`
const FINISH = `insert into log_nodes (level, node_index, hash)
  select * from unnest($1::bigint[], $2::bigint[], $3::bytea[])`
const REMOVE = `delete from log_queue using unnest($1::text[], $2::text[]) as gone (event_id, user_id)
  where log_queue.event_id = gone.event_id and log_queue.user_id = gone.user_id`

/** The leaves in line, as the sequencer moves them. */
export function queueAccess(ask: Ask): QueueAccess {
  return {
    async oldest(limit) {
      const rows = await ask({ name: 'log_queue_oldest', text: OLDEST, values: [limit] })
      return rows.map(
        ([eventId, userId, leaf, leafHash, atMs]) =>
          ({ eventId, userId, leaf, leafHash, atMs: Number(atMs) }) as QueuedLeaf,
      )
    },
    async oldestAtMs() {
      const [row] = await ask({ name: 'log_queue_oldest_time', text: OLDEST_TIME })
      return row === undefined ? null : Number(row[0])
    },
    async placed(eventIds) {
      const rows = await ask({ name: 'log_queue_placed', text: PLACED, values: [eventIds] })
      return rows.map(([eventId]) => String(eventId))
    },
    async place(leaves, nodes) {
      const column = <K extends keyof PlacedLeaf>(key: K) => leaves.map((leaf) => leaf[key])
      const values = [
        column('leafIndex'),
        column('eventId'),
        column('leaf'),
        column('leafHash'),
        column('atMs'),
      ]
      await ask({ name: 'log_queue_place', text: PLACE, values })
      if (nodes.length === 0) return
      const finished = [
        nodes.map(({ level }) => level),
        nodes.map(({ nodeIndex }) => nodeIndex),
        nodes.map(({ hash }) => hash),
      ]
      await ask({ name: 'log_queue_finish', text: FINISH, values: finished })
    },
    async remove(leaves) {
      const ids = [leaves.map(({ eventId }) => eventId), leaves.map(({ userId }) => userId)]
      await ask({ name: 'log_queue_remove', text: REMOVE, values: ids })
    },
  }
}
