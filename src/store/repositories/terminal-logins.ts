import { and, eq, getTableColumns, lte, ne, sql } from 'drizzle-orm'
import type { PersonRef, TerminalLoginRow } from '../../ports/people-rows.ts'
import type { TerminalLogins } from '../../ports/people-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareTerminalLogins({ db, t: { terminalLogins: l }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'terminal_logins_find',
      db
        .select()
        .from(l)
        .where(eq(l.deviceHash, p('deviceHash'))),
    ),
    findByCode: d.prepare(
      'terminal_logins_find_by_code',
      db
        .select()
        .from(l)
        .where(eq(l.codeHash, p('codeHash'))),
    ),
    insert: d.prepare('terminal_logins_insert', db.insert(l).values(allGiven(getTableColumns(l)))),
    answer: d.prepare(
      'terminal_logins_answer',
      db
        .update(l)
        .set({
          status: given(l.status, 'status'),
          personId: given(l.personId, 'personId'),
          steppedUpAtMs: given(l.steppedUpAtMs, 'steppedUpAtMs'),
        })
        .where(and(eq(l.codeHash, p('codeHash')), eq(l.status, 'waiting')))
        .returning({ deviceHash: l.deviceHash }),
    ),
    take: d.prepare(
      'terminal_logins_take',
      db
        .delete(l)
        .where(and(eq(l.deviceHash, p('deviceHash')), ne(l.status, 'waiting')))
        .returning(),
    ),
    removeFor: d.prepare(
      'terminal_logins_remove_for',
      db.delete(l).where(and(eq(l.personId, p('id')), eq(l.kind, p('kind')))),
    ),
    removeExpired: d.prepare(
      'terminal_logins_remove_expired',
      db.delete(l).where(lte(l.expiresAtMs, p('nowMs'))),
    ),
  }
}

export class TerminalLoginRepository
  extends Repository<ReturnType<typeof prepareTerminalLogins>>
  implements TerminalLogins
{
  find(deviceHash: string) {
    return first(this.run(this.q.find, { deviceHash }))
  }

  findByCode(codeHash: string) {
    return first(this.run(this.q.findByCode, { codeHash }))
  }

  insert(row: TerminalLoginRow) {
    return done(this.run(this.q.insert, row))
  }

  answer(codeHash: string, status: string, personId: string, steppedUpAtMs: number) {
    return found(this.run(this.q.answer, { codeHash, status, personId, steppedUpAtMs }))
  }

  take(deviceHash: string) {
    return first(this.run(this.q.take, { deviceHash }))
  }

  removeFor({ kind, id }: PersonRef) {
    return done(this.run(this.q.removeFor, { kind, id }))
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
