import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { CommitmentRow } from '../../ports/rows.ts'
import type { Commitments } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, type Preparation, Repository } from './repository.ts'

export function prepareCommitments({ db, t: { commitments: m }, d }: Preparation) {
  const p = sql.placeholder
  return {
    list: d.prepare(
      'commitments_list',
      db
        .select()
        .from(m)
        .where(and(eq(m.userId, p('userId')), eq(m.status, p('status'))))
        .orderBy(asc(m.createdAtMs), asc(m.actionId)),
    ),
    insert: d.prepare('commitments_insert', db.insert(m).values(allGiven(getTableColumns(m)))),
    setStatus: d.prepare(
      'commitments_set_status',
      db
        .update(m)
        .set({ status: given(m.status, 'status') })
        .where(and(eq(m.actionId, p('actionId')), eq(m.userId, p('userId')))),
    ),
  }
}

export class CommitmentRepository
  extends Repository<ReturnType<typeof prepareCommitments>>
  implements Commitments
{
  insert(row: CommitmentRow) {
    return done(this.run(this.q.insert, row))
  }

  list(userId: string, status: string) {
    return this.run(this.q.list, { userId, status })
  }

  setStatus(actionId: string, status: string, userId: string) {
    return done(this.run(this.q.setStatus, { actionId, status, userId }))
  }
}
