import { appendLeafHash, type Edge, EMPTY_EDGE, edgeFromTiles, TILE_HEIGHT } from '../core/merkle/tree.ts'
import type { NewLeaf, Tx } from '../ports/store.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** More new leaves than this are not added one by one: the edge is read anew. */
const STEP = 4_096

/**
 * Puts a leaf in line for the sequencer and keeps its parts, in one statement. Its index is not known yet: units of
 * work run beside one another, and the tree has one order.
 */
export function queueLeaf(connection: PostgresConnection, leaf: NewLeaf, atMs: number): void {
  const { eventId, userId, leaf: bytes, leafHash, parts } = leaf
  const values: unknown[] = [eventId, userId, bytes, leafHash, atMs]
  const rows = parts.map(({ part, cellId, commitment, sealed }) => {
    const at = values.push(part, cellId, commitment, sealed) - 3
    return `($1, $2, $${at}, $${at + 1}, $${at + 2}, $${at + 3})`
  })
  const queue = `insert into log_queue (event_id, user_id, leaf, leaf_hash, at_ms, queued_us)
    values ($1, $2, $3, $4, $5, (extract(epoch from clock_timestamp()) * 1000000)::bigint)`
  const keep = 'insert into leaf_parts (event_id, user_id, part, cell_id, commitment, sealed) values'
  const text = rows.length === 0 ? queue : `with queued as (${queue}) ${keep} ${rows.join(', ')}`
  connection.write({ name: `log_queue_insert_${parts.length}`, text, values })
}

/** The right edge of the tree as it is stored, from one known earlier where that is near. */
export async function storedEdge(tx: Tx, treeSize: number, known: Edge = EMPTY_EDGE): Promise<Edge> {
  if (treeSize < known.treeSize) throw new Error('the log is shorter than it was')
  if (treeSize - known.treeSize <= STEP) {
    let edge = known
    for (const hash of await hashesOf(tx, known.treeSize, treeSize)) edge = appendLeafHash(edge, hash).edge
    return edge
  }
  const tiles = new Map<string, Buffer>()
  const wanted: { level: number; from: number; count: number }[] = []
  // The first pass notes which tiles it takes, the second has them.
  edgeFromTiles(treeSize, (level, from, count) => {
    wanted.push({ level, from, count })
    return Buffer.alloc(count * 32)
  })
  for (const { level, from, count } of wanted) {
    const hashes =
      level === 0
        ? await hashesOf(tx, from, from + count)
        : await tx.log.nodes(level * TILE_HEIGHT, from, count)
    tiles.set(`${level} ${from}`, Buffer.concat(hashes))
  }
  return edgeFromTiles(treeSize, (level, from) => tiles.get(`${level} ${from}`) ?? Buffer.alloc(0))
}

async function hashesOf(tx: Tx, from: number, to: number): Promise<Buffer[]> {
  return to > from ? await tx.log.leafHashes(from, to - from) : []
}
