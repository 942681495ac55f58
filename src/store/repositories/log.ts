import { and, asc, desc, eq, getTableColumns, gte, type SQL, sql } from 'drizzle-orm'
import type { CheckpointRow } from '../../ports/rows.ts'
import type { Log, NewLeaf } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, mapped, type Preparation, Repository, type Run } from './repository.ts'

/** A leaf has at most this many parts: core, subj and body. */
const MOST_PARTS = 3

export function prepareLog({
  db,
  t: { logLeaves: l, logNodes: n, logCheckpoints: k, leafParts },
  d,
}: Preparation) {
  const p = sql.placeholder
  const partColumns = getTableColumns(leafParts)

  function insertParts(count: number) {
    const rows = Array.from(
      { length: count },
      (_, i) =>
        Object.fromEntries(
          Object.entries(partColumns).map(([key, column]) => [key, given(column, `${key}${i}`)]),
        ) as { [K in keyof typeof partColumns]: SQL },
    )
    return d.prepare(`leaf_parts_insert_${count}`, db.insert(leafParts).values(rows))
  }

  return {
    insertLeaf: d.prepare('log_leaves_insert', db.insert(l).values(allGiven(getTableColumns(l)))),
    insertNode: d.prepare('log_nodes_insert', db.insert(n).values(allGiven(getTableColumns(n)))),
    insertParts: Array.from({ length: MOST_PARTS }, (_, i) => insertParts(i + 1)),
    leafByEvent: d.prepare(
      'log_leaves_by_event',
      db
        .select()
        .from(l)
        .where(eq(l.eventId, p('eventId'))),
    ),
    leaves: d.prepare(
      'log_leaves_from',
      db
        .select()
        .from(l)
        .where(gte(l.leafIndex, p('fromIndex')))
        .orderBy(asc(l.leafIndex))
        .limit(p('limit')),
    ),
    leafHashes: d.prepare(
      'log_leaf_hashes_from',
      db
        .select({ hash: l.leafHash })
        .from(l)
        .where(gte(l.leafIndex, p('fromIndex')))
        .orderBy(asc(l.leafIndex))
        .limit(p('limit')),
    ),
    newestLeaf: d.prepare('log_leaves_newest', db.select().from(l).orderBy(desc(l.leafIndex)).limit(1)),
    nodes: d.prepare(
      'log_nodes_from',
      db
        .select({ hash: n.hash })
        .from(n)
        .where(and(eq(n.level, p('level')), gte(n.nodeIndex, p('fromIndex'))))
        .orderBy(asc(n.nodeIndex))
        .limit(p('limit')),
    ),
    part: d.prepare(
      'leaf_parts_find',
      db
        .select()
        .from(leafParts)
        .where(and(eq(leafParts.eventId, p('eventId')), eq(leafParts.part, p('part')))),
    ),
    partOfUser: d.prepare(
      'leaf_parts_find_of_user',
      db
        .select()
        .from(leafParts)
        .where(
          and(
            eq(leafParts.eventId, p('eventId')),
            eq(leafParts.part, p('part')),
            eq(leafParts.userId, p('userId')),
          ),
        ),
    ),
    parts: d.prepare(
      'leaf_parts_list',
      db
        .select()
        .from(leafParts)
        .where(eq(leafParts.eventId, p('eventId')))
        .orderBy(asc(leafParts.part)),
    ),
    newestCheckpoint: d.prepare(
      'log_checkpoints_newest',
      db.select().from(k).orderBy(desc(k.treeSize)).limit(1),
    ),
    saveCheckpoint: d.prepare('log_checkpoints_insert', db.insert(k).values(allGiven(getTableColumns(k)))),
  }
}

export type LogQueries = ReturnType<typeof prepareLog>

/** Keeps a new leaf with its parts, and gives it its place in the tree; how depends on the engine. */
export type Sequence = (leaf: NewLeaf, atMs: number) => void | Promise<void>

/** What the statement that keeps a leaf's parts takes. */
export function partValues(leaf: NewLeaf): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  leaf.parts.forEach((part, i) => {
    values[`eventId${i}`] = leaf.eventId
    values[`userId${i}`] = leaf.userId
    values[`part${i}`] = part.part
    values[`cellId${i}`] = part.cellId
    values[`commitment${i}`] = part.commitment
    values[`sealed${i}`] = part.sealed
  })
  return values
}

export class LogRepository extends Repository<LogQueries> implements Log {
  readonly #sequence: Sequence

  constructor(run: Run, queries: LogQueries, sequence: Sequence) {
    super(run, queries)
    this.#sequence = sequence
  }

  append(leaf: NewLeaf, atMs: number) {
    return this.#sequence(leaf, atMs)
  }

  leafByEvent(eventId: string) {
    return first(this.run(this.q.leafByEvent, { eventId }))
  }

  async leafAt(leafIndex: number) {
    const [leaf] = await this.leaves(leafIndex, 1)
    return leaf?.leafIndex === leafIndex ? leaf : undefined
  }

  leaves(fromIndex: number, limit: number) {
    return this.run(this.q.leaves, { fromIndex, limit })
  }

  leafHashes(fromIndex: number, limit: number) {
    return mapped(this.run(this.q.leafHashes, { fromIndex, limit }), (row) => row.hash)
  }

  nodes(level: number, fromIndex: number, limit: number) {
    return mapped(this.run(this.q.nodes, { level, fromIndex, limit }), (row) => row.hash)
  }

  part(eventId: string, part: string, userId?: string) {
    return first(
      userId === undefined
        ? this.run(this.q.part, { eventId, part })
        : this.run(this.q.partOfUser, { eventId, part, userId }),
    )
  }

  parts(eventId: string) {
    return this.run(this.q.parts, { eventId })
  }

  newestCheckpoint() {
    return first(this.run(this.q.newestCheckpoint, {}))
  }

  async saveCheckpoint(row: CheckpointRow) {
    const newest = await this.newestCheckpoint()
    // The same head signed again, after a restart say, is no new checkpoint; anything else that does not grow is refused.
    if (newest?.treeSize === row.treeSize && newest.rootHash.equals(row.rootHash)) return
    await done(this.run(this.q.saveCheckpoint, row))
  }
}
