import {
  and,
  asc,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  isNotNull,
  isNull,
  lte,
  notInArray,
  sql,
} from 'drizzle-orm'
import type { MemoryEnd, MemoryItemRow, MemoryItems } from '../../ports/memory-store.ts'
import type { Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, found, mapped, type Preparation, Repository } from './repository.ts'

export function prepareMemoryItems({ db, t: { memoryItems: m, legalHolds, tokenFamilies }, d }: Preparation) {
  const p = sql.placeholder
  const { content: _, ...head } = getTableColumns(m)
  const due = {
    id: m.id,
    userId: m.userId,
    skillId: m.skillId,
    cellId: m.cellId,
    expiresAtMs: m.expiresAtMs,
    ended: m.ended,
  }
  const own = and(eq(m.userId, p('userId')), eq(m.id, p('id')))
  const ofGrant = and(eq(m.userId, p('userId')), eq(m.grantId, p('grantId')), isNull(m.ended))
  const inOrder = [asc(m.createdAtMs), asc(m.id)]
  // Its time is brought forward too, so that what is due is found by one column.
  const ends = {
    ended: given(m.ended, 'why'),
    expiresAtMs: sql`case when ${m.expiresAtMs} > cast(${p('atMs')} as bigint) then cast(${p('atMs')} as bigint) else ${m.expiresAtMs} end`,
  }
  return {
    find: d.prepare('memory_find', db.select().from(m).where(own)),
    findByRequest: d.prepare(
      'memory_find_by_request',
      db
        .select(head)
        .from(m)
        .where(and(eq(m.userId, p('userId')), eq(m.requestHash, p('requestHash')), isNull(m.ended)))
        // One that has expired and was not swept yet must not hide the one that took its place.
        .orderBy(desc(m.createdAtMs))
        .limit(1),
    ),
    headsOfGrant: d.prepare(
      'memory_heads_of_grant',
      db
        .select(head)
        .from(m)
        .where(ofGrant)
        .orderBy(...inOrder),
    ),
    wholeOfGrant: d.prepare(
      'memory_whole_of_grant',
      db
        .select()
        .from(m)
        .where(ofGrant)
        .orderBy(...inOrder),
    ),
    idsOfGrant: d.prepare('memory_ids_of_grant', db.select({ id: m.id }).from(m).where(ofGrant)),
    list: d.prepare(
      'memory_list',
      db
        .select()
        .from(m)
        .where(and(eq(m.userId, p('userId')), isNull(m.ended), olderThan(m.createdAtMs, m.id)))
        .orderBy(desc(m.createdAtMs), desc(m.id))
        .limit(p('limit')),
    ),
    headsOfUser: d.prepare(
      'memory_heads_of_user',
      db
        .select(head)
        .from(m)
        .where(eq(m.userId, p('userId'))),
    ),
    use: d.prepare(
      'memory_use',
      db
        .select({
          grantId: m.grantId,
          items: sql<number>`cast(count(*) as integer)`.as('items'),
          bytes: sql<number>`cast(sum(${m.sizeBytes}) as bigint)`.as('bytes'),
        })
        .from(m)
        .where(and(eq(m.userId, p('userId')), isNull(m.ended)))
        .groupBy(m.grantId),
    ),
    insert: d.prepare('memory_insert', db.insert(m).values(allGiven(getTableColumns(m)))),
    end: d.prepare(
      'memory_end',
      db
        .update(m)
        .set(ends)
        .where(and(own, isNull(m.ended))),
    ),
    endOfGrant: d.prepare('memory_end_of_grant', db.update(m).set(ends).where(ofGrant)),
    endExpired: d.prepare(
      'memory_end_expired',
      db
        .update(m)
        .set({ ended: sql`'expired'` })
        .where(and(eq(m.userId, p('userId')), isNull(m.ended), lte(m.expiresAtMs, p('nowMs')))),
    ),
    setExpiry: d.prepare(
      'memory_set_expiry',
      db
        .update(m)
        .set({ expiresAtMs: given(m.expiresAtMs, 'expiresAtMs') })
        .where(and(own, gt(m.expiresAtMs, p('expiresAtMs')))),
    ),
    moveGrant: d.prepare(
      'memory_move_grant',
      db
        .update(m)
        .set({ grantId: given(m.grantId, 'toGrantId') })
        .where(and(eq(m.userId, p('userId')), eq(m.grantId, p('grantId')))),
    ),
    due: d.prepare(
      'memory_due',
      db
        .select(due)
        .from(m)
        .where(
          and(
            lte(m.expiresAtMs, p('nowMs')),
            notInArray(m.userId, db.select({ userId: legalHolds.userId }).from(legalHolds)),
          ),
        )
        .orderBy(asc(m.expiresAtMs))
        .limit(p('limit')),
    ),
    ofEndedSessions: d.prepare(
      'memory_of_ended_sessions',
      db
        .select({ id: m.id, userId: m.userId })
        .from(m)
        .where(
          and(
            isNotNull(m.sessionId),
            isNull(m.ended),
            exists(
              db
                .select({ one: sql`1` })
                .from(tokenFamilies)
                .where(and(eq(tokenFamilies.sessionId, m.sessionId), isNotNull(tokenFamilies.endedAtMs))),
            ),
          ),
        )
        .limit(p('limit')),
    ),
    remove: d.prepare('memory_remove', db.delete(m).where(own).returning({ id: m.id })),
  }
}

export class MemoryItemRepository
  extends Repository<ReturnType<typeof prepareMemoryItems>>
  implements MemoryItems
{
  find(userId: string, id: string) {
    return first(this.run(this.q.find, { userId, id }))
  }

  findByRequest(userId: string, requestHash: Buffer) {
    return first(this.run(this.q.findByRequest, { userId, requestHash }))
  }

  headsOfGrant(userId: string, grantId: string) {
    return this.run(this.q.headsOfGrant, { userId, grantId })
  }

  wholeOfGrant(userId: string, grantId: string) {
    return this.run(this.q.wholeOfGrant, { userId, grantId })
  }

  idsOfGrant(userId: string, grantId: string) {
    return mapped(this.run(this.q.idsOfGrant, { userId, grantId }), ({ id }) => id)
  }

  list(userId: string, page: Page) {
    return this.run(this.q.list, { userId, ...pageValues(page) })
  }

  headsOfUser(userId: string) {
    return this.run(this.q.headsOfUser, { userId })
  }

  use(userId: string) {
    return mapped(this.run(this.q.use, { userId }), ({ grantId, items, bytes }) => ({
      grantId,
      items: Number(items),
      bytes: Number(bytes),
    }))
  }

  insert(row: MemoryItemRow) {
    return done(this.run(this.q.insert, row))
  }

  end(userId: string, id: string, why: MemoryEnd, atMs: number) {
    return done(this.run(this.q.end, { userId, id, why, atMs }))
  }

  endOfGrant(userId: string, grantId: string, why: MemoryEnd, atMs: number) {
    return done(this.run(this.q.endOfGrant, { userId, grantId, why, atMs }))
  }

  endExpired(userId: string, nowMs: number) {
    return done(this.run(this.q.endExpired, { userId, nowMs }))
  }

  setExpiry(userId: string, id: string, expiresAtMs: number) {
    return done(this.run(this.q.setExpiry, { userId, id, expiresAtMs }))
  }

  moveGrant(userId: string, grantId: string, toGrantId: string) {
    return done(this.run(this.q.moveGrant, { userId, grantId, toGrantId }))
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  ofEndedSessions(limit: number) {
    return this.run(this.q.ofEndedSessions, { limit })
  }

  remove(userId: string, id: string) {
    return found(this.run(this.q.remove, { userId, id }))
  }
}
