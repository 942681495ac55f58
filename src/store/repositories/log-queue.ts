import { desc, eq, sql } from 'drizzle-orm'
import type { StoredNode } from '../../core/merkle/tree.ts'
import type { LogBacklog, LogQueue, PlacedLeaf, QueuedLeaf } from '../../ports/node-store.ts'
import { type Preparation, Repository, type Run } from './repository.ts'

/** How an engine whose leaves stand in line reaches them; their table is not there on the other. */
export type QueueAccess = Omit<LogQueue, 'backlog' | 'treeSize'> & { oldestAtMs(): Promise<number | null> }

export function prepareLogQueue({ db, t: { logLeaves: l, logCheckpoints: k }, d }: Preparation) {
  return {
    covered: d.prepare(
      'log_queue_covered',
      db.select({ treeSize: k.treeSize }).from(k).orderBy(desc(k.treeSize)).limit(1),
    ),
    newest: d.prepare(
      'log_queue_newest',
      db.select({ leafIndex: l.leafIndex }).from(l).orderBy(desc(l.leafIndex)).limit(1),
    ),
    leafTime: d.prepare(
      'log_queue_leaf_time',
      db
        .select({ atMs: l.atMs })
        .from(l)
        .where(eq(l.leafIndex, sql.placeholder('leafIndex'))),
    ),
  }
}

export class LogQueueRepository extends Repository<ReturnType<typeof prepareLogQueue>> implements LogQueue {
  readonly #access: QueueAccess | undefined

  constructor(run: Run, queries: ReturnType<typeof prepareLogQueue>, access: QueueAccess | undefined) {
    super(run, queries)
    this.#access = access
  }

  oldest(limit: number) {
    return this.#access?.oldest(limit) ?? []
  }

  placed(eventIds: readonly string[]) {
    return this.#access?.placed(eventIds) ?? []
  }

  place(leaves: readonly PlacedLeaf[], nodes: readonly StoredNode[]) {
    if (!this.#access) throw new Error('this engine places leaves itself')
    return this.#access.place(leaves, nodes)
  }

  remove(leaves: readonly QueuedLeaf[]) {
    return this.#access?.remove(leaves)
  }

  async treeSize() {
    const [newest] = await this.run(this.q.newest, {})
    return newest ? newest.leafIndex + 1 : 0
  }

  async backlog(): Promise<LogBacklog> {
    const queuedAtMs = (await this.#access?.oldestAtMs()) ?? null
    const [newest] = await this.run(this.q.covered, {})
    const [first] = await this.run(this.q.leafTime, { leafIndex: newest?.treeSize ?? 0 })
    return { queuedAtMs, uncoveredAtMs: first?.atMs ?? null }
  }
}
