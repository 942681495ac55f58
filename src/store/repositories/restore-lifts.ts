import { asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { RestoreLifts } from '../../ports/epoch-store.ts'
import { allGiven } from '../dialect.ts'
import { done, mapped, type Preparation, Repository } from './repository.ts'

export function prepareRestoreLifts({ db, t: { restoreLifts: r }, d }: Preparation) {
  return {
    epochs: d.prepare(
      'restore_lifts_epochs',
      db
        .select({ epoch: r.epoch })
        .from(r)
        .where(eq(r.userId, sql.placeholder('userId')))
        .orderBy(asc(r.epoch)),
    ),
    lift: d.prepare(
      'restore_lifts_insert',
      db
        .insert(r)
        .values(allGiven(getTableColumns(r)))
        .onConflictDoNothing(),
    ),
  }
}

export class RestoreLiftRepository
  extends Repository<ReturnType<typeof prepareRestoreLifts>>
  implements RestoreLifts
{
  epochs(userId: string) {
    return mapped(this.run(this.q.epochs, { userId }), (row) => row.epoch)
  }

  lift(userId: string, epoch: number, atMs: number) {
    return done(this.run(this.q.lift, { userId, epoch, liftedAtMs: atMs }))
  }
}
