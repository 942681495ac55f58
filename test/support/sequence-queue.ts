import { Client } from 'pg'
import { appendLeafHash, type Edge, EMPTY_EDGE } from '../../src/core/merkle/tree.ts'
import type { Store } from '../../src/ports/store.ts'

/**
 * Gives every queued leaf its place at once, as the log's sequencer does in its time: for tests that read the log right
 * after they wrote it and are not about sequencing.
 */
async function openTestSequencer(url: string): Promise<{ run(): Promise<void>; close(): Promise<void> }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  let edge: Edge = EMPTY_EDGE
  const { rows } = await client.query('select leaf_hash from log_leaves order by leaf_index')
  for (const row of rows) edge = appendLeafHash(edge, row.leaf_hash).edge
  return {
    async run() {
      await client.query('begin')
      const queued = await client.query('select * from log_queue order by queued_us, event_id for update')
      let next = edge
      for (const { event_id, leaf, leaf_hash, at_ms } of queued.rows) {
        await client.query(
          'insert into log_leaves (leaf_index, event_id, leaf, leaf_hash, at_ms) values ($1, $2, $3, $4, $5)',
          [next.treeSize, event_id, leaf, leaf_hash, at_ms],
        )
        const { edge: grown, stored } = appendLeafHash(next, leaf_hash)
        for (const { level, nodeIndex, hash } of stored) {
          await client.query('insert into log_nodes (level, node_index, hash) values ($1, $2, $3)', [
            level,
            nodeIndex,
            hash,
          ])
        }
        next = grown
      }
      await client.query('delete from log_queue where event_id = any($1)', [
        queued.rows.map((row) => row.event_id),
      ])
      await client.query('commit')
      edge = next
    },
    close: () => client.end(),
  }
}

/** A store that sequences after each unit of work. */
export async function sequencedStore(store: Store, url: string): Promise<Store> {
  const sequencer = await openTestSequencer(url)
  let last: Promise<void> = Promise.resolve()
  let closed: Promise<void> | undefined
  return {
    async transaction(work, owner) {
      const value = await store.transaction(work, owner)
      last = last.then(() => sequencer.run())
      await last
      return value
    },
    read: (work) => store.read(work),
    drained: () => store.drained(),
    treeHead: () => store.treeHead(),
    now: () => store.now(),
    confirmClock: () => store.confirmClock(),
    close() {
      closed ??= last.finally(() => Promise.all([sequencer.close(), store.close()])).then(() => undefined)
      return closed
    },
  }
}
