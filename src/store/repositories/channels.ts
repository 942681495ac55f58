import { and, asc, eq, getTableColumns, gt, sql } from 'drizzle-orm'
import type { ChannelRow } from '../../ports/reach-rows.ts'
import type { Channels } from '../../ports/reach-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareChannels({ db, t: { channels: c }, d }: Preparation) {
  const p = sql.placeholder
  const byId = eq(c.id, p('id'))
  return {
    find: d.prepare('channels_find', d.forUpdate(db.select().from(c).where(byId))),
    list: d.prepare(
      'channels_list',
      db
        .select()
        .from(c)
        .where(eq(c.userId, p('userId')))
        .orderBy(asc(c.createdAtMs), asc(c.id)),
    ),
    insert: d.prepare('channels_insert', db.insert(c).values(allGiven(getTableColumns(c)))),
    setCode: d.prepare(
      'channels_set_code',
      db
        .update(c)
        .set({
          codeHash: given(c.codeHash, 'codeHash'),
          codeExpiresAtMs: given(c.codeExpiresAtMs, 'expiresAtMs'),
          codeTriesLeft: given(c.codeTriesLeft, 'triesLeft'),
        })
        .where(byId),
    ),
    takeTry: d.prepare(
      'channels_take_try',
      db
        .update(c)
        .set({ codeTriesLeft: sql`${c.codeTriesLeft} - 1` })
        .where(and(byId, gt(c.codeTriesLeft, 0)))
        .returning(),
    ),
    verify: d.prepare(
      'channels_verify',
      db
        .update(c)
        .set({
          status: sql`'active'`,
          codeHash: sql`null`,
          codeExpiresAtMs: sql`null`,
          verifiedAtMs: given(c.verifiedAtMs, 'atMs'),
        })
        .where(and(byId, eq(c.codeHash, p('codeHash')), gt(c.codeExpiresAtMs, p('nowMs'))))
        .returning(),
    ),
    setFailures: d.prepare(
      'channels_set_failures',
      db
        .update(c)
        .set({ failures: given(c.failures, 'failures') })
        .where(byId),
    ),
    remove: d.prepare(
      'channels_remove',
      db
        .delete(c)
        .where(and(byId, eq(c.userId, p('userId'))))
        .returning(),
    ),
  }
}

export class ChannelRepository extends Repository<ReturnType<typeof prepareChannels>> implements Channels {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list(userId: string) {
    return this.run(this.q.list, { userId })
  }

  insert(row: ChannelRow) {
    return done(this.run(this.q.insert, row))
  }

  setCode(id: string, codeHash: string, expiresAtMs: number, triesLeft: number) {
    return done(this.run(this.q.setCode, { id, codeHash, expiresAtMs, triesLeft }))
  }

  takeTry(id: string) {
    return found(this.run(this.q.takeTry, { id }))
  }

  verify(id: string, codeHash: string, atMs: number) {
    return found(this.run(this.q.verify, { id, codeHash, atMs, nowMs: atMs }))
  }

  setFailures(id: string, failures: number) {
    return done(this.run(this.q.setFailures, { id, failures }))
  }

  remove(userId: string, id: string) {
    return found(this.run(this.q.remove, { userId, id }))
  }
}
