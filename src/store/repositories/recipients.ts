import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { SavedRecipientRow } from '../../ports/rows.ts'
import type { Recipients } from '../../ports/store.ts'
import { allGiven } from '../dialect.ts'
import { done, mapped, type Preparation, Repository, sorted } from './repository.ts'

export function prepareRecipients({ db, t: { savedRecipients: r, seenRecipients: seen }, d }: Preparation) {
  const p = sql.placeholder
  return {
    list: d.prepare(
      'saved_recipients_list',
      db
        .select()
        .from(r)
        .where(eq(r.userId, p('userId'))),
    ),
    insert: d.prepare('saved_recipients_insert', db.insert(r).values(allGiven(getTableColumns(r)))),
    remove: d.prepare(
      'saved_recipients_remove',
      db.delete(r).where(and(eq(r.userId, p('userId')), eq(r.id, p('id')))),
    ),
    seen: d.prepare(
      'seen_recipients_find',
      db
        .select({ recipient: seen.recipient })
        .from(seen)
        .where(
          and(
            eq(seen.userId, p('userId')),
            eq(seen.skillId, p('skillId')),
            eq(seen.recipient, p('recipient')),
          ),
        ),
    ),
    remember: d.prepare(
      'seen_recipients_insert',
      db
        .insert(seen)
        .values(allGiven(getTableColumns(seen)))
        .onConflictDoNothing(),
    ),
  }
}

export class RecipientRepository
  extends Repository<ReturnType<typeof prepareRecipients>>
  implements Recipients
{
  list(userId: string) {
    return sorted(
      this.run(this.q.list, { userId }),
      (a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1),
    )
  }

  insert(row: SavedRecipientRow) {
    return done(this.run(this.q.insert, row))
  }

  remove(userId: string, id: string) {
    return done(this.run(this.q.remove, { userId, id }))
  }

  async seen(userId: string, skillId: string, recipient: string) {
    return (await mapped(this.run(this.q.seen, { userId, skillId, recipient }), () => true)).length > 0
  }

  remember(userId: string, skillId: string, recipient: string, firstAtMs: number) {
    return done(this.run(this.q.remember, { userId, skillId, recipient, firstAtMs }))
  }
}
