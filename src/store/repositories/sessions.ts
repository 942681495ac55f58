import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { SessionRow } from '../../ports/rows.ts'
import type { Sessions } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareSessions({ db, t: { sessions: s }, d }: Preparation) {
  return {
    find: d.prepare(
      'sessions_find',
      db
        .select()
        .from(s)
        .where(eq(s.id, sql.placeholder('id'))),
    ),
    save: d.prepare(
      'sessions_save',
      db
        .insert(s)
        .values(allGiven(getTableColumns(s)))
        .onConflictDoUpdate({
          target: s.id,
          set: {
            startedAtMs: given(s.startedAtMs, 'startedAtMs'),
            lastSeenAtMs: given(s.lastSeenAtMs, 'lastSeenAtMs'),
            readUntrusted: given(s.readUntrusted, 'readUntrusted'),
            categories: given(s.categories, 'categories'),
          },
        }),
    ),
  }
}

export class SessionRepository extends Repository<ReturnType<typeof prepareSessions>> implements Sessions {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  save(row: SessionRow) {
    return done(this.run(this.q.save, row))
  }
}
