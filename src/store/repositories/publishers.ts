import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PublisherKeyRow, PublisherRow } from '../../ports/rows.ts'
import type { Publishers } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function preparePublishers({ db, t: { publishers, publisherKeys }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'publishers_find',
      db
        .select()
        .from(publishers)
        .where(eq(publishers.id, p('id'))),
    ),
    list: d.prepare('publishers_list', db.select().from(publishers).orderBy(asc(publishers.id))),
    insert: d.prepare(
      'publishers_insert',
      db.insert(publishers).values(allGiven(getTableColumns(publishers))),
    ),
    keys: d.prepare(
      'publisher_keys_list',
      db
        .select()
        .from(publisherKeys)
        .where(eq(publisherKeys.publisherId, p('publisherId')))
        .orderBy(asc(publisherKeys.addedAtMs), asc(publisherKeys.kid)),
    ),
    insertKey: d.prepare(
      'publisher_keys_insert',
      db.insert(publisherKeys).values(allGiven(getTableColumns(publisherKeys))),
    ),
    setKeyState: d.prepare(
      'publisher_keys_set_state',
      db
        .update(publisherKeys)
        .set({ state: given(publisherKeys.state, 'state') })
        .where(and(eq(publisherKeys.publisherId, p('publisherId')), eq(publisherKeys.kid, p('kid')))),
    ),
  }
}

export class PublisherRepository
  extends Repository<ReturnType<typeof preparePublishers>>
  implements Publishers
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list() {
    return this.run(this.q.list, {})
  }

  insert(row: PublisherRow) {
    return done(this.run(this.q.insert, row))
  }

  keys(publisherId: string) {
    return this.run(this.q.keys, { publisherId })
  }

  insertKey(row: PublisherKeyRow) {
    return done(this.run(this.q.insertKey, row))
  }

  setKeyState(publisherId: string, kid: string, state: string) {
    return done(this.run(this.q.setKeyState, { publisherId, kid, state }))
  }
}
