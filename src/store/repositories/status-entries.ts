import { and, desc, eq, getTableColumns, gte, inArray, sql } from 'drizzle-orm'
import type { StatusEntryRow } from '../../ports/revocation-rows.ts'
import type { StatusEntries } from '../../ports/revocation-store.ts'
import { allGiven } from '../dialect.ts'
import { first, found, mapped, type Preparation, Repository } from './repository.ts'

/** Places looked at together. */
const LOOKED_AT = 16

export function prepareStatusEntries({ db, t: { statusEntries: e }, d }: Preparation) {
  const p = sql.placeholder
  const ofList = and(eq(e.epoch, p('epoch')), eq(e.listNo, p('listNo')))
  return {
    newestList: d.prepare(
      'status_entries_newest_list',
      db
        .select({ listNo: e.listNo })
        .from(e)
        .where(eq(e.epoch, p('epoch')))
        .orderBy(desc(e.listNo))
        .limit(1),
    ),
    taken: d.prepare(
      'status_entries_taken',
      db
        .select({ idx: e.idx })
        .from(e)
        .where(
          and(
            ofList,
            inArray(
              e.idx,
              Array.from({ length: LOOKED_AT }, (_, i) => p(`idx${i}`)),
            ),
          ),
        ),
    ),
    take: d.prepare(
      'status_entries_take',
      db
        .insert(e)
        .values(allGiven(getTableColumns(e)))
        .onConflictDoNothing()
        .returning(),
    ),
    ofGrant: d.prepare(
      'status_entries_of_grant',
      db
        .select()
        .from(e)
        .where(eq(e.grantId, p('grantId')))
        .limit(1),
    ),
    changedSince: d.prepare(
      'status_entries_changed_since',
      db
        .select()
        .from(e)
        .where(and(ofList, gte(e.changedAtMs, p('sinceMs')))),
    ),
  }
}

export class StatusEntryRepository
  extends Repository<ReturnType<typeof prepareStatusEntries>>
  implements StatusEntries
{
  newestList(epoch: number) {
    return first(mapped(this.run(this.q.newestList, { epoch }), ({ listNo }) => listNo))
  }

  async countTaken(epoch: number, listNo: number, idxs: readonly number[]) {
    const values: Record<string, number> = { epoch, listNo }
    for (let i = 0; i < LOOKED_AT; i++) values[`idx${i}`] = idxs[i] ?? -1
    return (await this.run(this.q.taken, values)).length
  }

  take(row: StatusEntryRow) {
    return found(this.run(this.q.take, row))
  }

  ofGrant(grantId: string) {
    return first(this.run(this.q.ofGrant, { grantId }))
  }

  changedSince(epoch: number, listNo: number, sinceMs: number) {
    return this.run(this.q.changedSince, { epoch, listNo, sinceMs })
  }
}
