import { and, asc, eq, gte, sql } from 'drizzle-orm'
import type { PastLogs } from '../../ports/epoch-store.ts'
import { first, mapped, type Preparation, Repository } from './repository.ts'

export function preparePastLogs({ db, t: { pastLogs: o, pastLeaves: l, pastNodes: n }, d }: Preparation) {
  const p = sql.placeholder
  return {
    list: d.prepare('past_logs_list', db.select().from(o).orderBy(asc(o.epoch))),
    find: d.prepare(
      'past_logs_find',
      db
        .select()
        .from(o)
        .where(eq(o.epoch, p('epoch'))),
    ),
    leafByEvent: d.prepare(
      'past_leaves_by_event',
      db
        .select()
        .from(l)
        .where(eq(l.eventId, p('eventId'))),
    ),
    leaves: d.prepare(
      'past_leaves_from',
      db
        .select()
        .from(l)
        .where(and(eq(l.epoch, p('epoch')), gte(l.leafIndex, p('fromIndex'))))
        .orderBy(asc(l.leafIndex))
        .limit(p('limit')),
    ),
    leafHashes: d.prepare(
      'past_leaf_hashes_from',
      db
        .select({ hash: l.leafHash })
        .from(l)
        .where(and(eq(l.epoch, p('epoch')), gte(l.leafIndex, p('fromIndex'))))
        .orderBy(asc(l.leafIndex))
        .limit(p('limit')),
    ),
    nodes: d.prepare(
      'past_nodes_from',
      db
        .select({ hash: n.hash })
        .from(n)
        .where(and(eq(n.epoch, p('epoch')), eq(n.level, p('level')), gte(n.nodeIndex, p('fromIndex'))))
        .orderBy(asc(n.nodeIndex))
        .limit(p('limit')),
    ),
  }
}

export class PastLogRepository extends Repository<ReturnType<typeof preparePastLogs>> implements PastLogs {
  list() {
    return this.run(this.q.list, {})
  }

  find(epoch: number) {
    return first(this.run(this.q.find, { epoch }))
  }

  leafByEvent(eventId: string) {
    return first(this.run(this.q.leafByEvent, { eventId }))
  }

  leaves(epoch: number, fromIndex: number, limit: number) {
    return this.run(this.q.leaves, { epoch, fromIndex, limit })
  }

  leafHashes(epoch: number, fromIndex: number, limit: number) {
    return mapped(this.run(this.q.leafHashes, { epoch, fromIndex, limit }), (row) => row.hash)
  }

  nodes(epoch: number, level: number, fromIndex: number, limit: number) {
    return mapped(this.run(this.q.nodes, { epoch, level, fromIndex, limit }), (row) => row.hash)
  }
}
