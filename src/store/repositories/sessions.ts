import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { SessionRow } from '../../ports/rows.ts'
import type { Sessions } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareSessions({ db, t: { sessions: s }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'sessions_find',
      db
        .select()
        .from(s)
        .where(and(eq(s.id, p('id')), eq(s.userId, p('userId')))),
    ),
    save: d.prepare(
      'sessions_save',
      db
        .insert(s)
        .values(allGiven(getTableColumns(s)))
        .onConflictDoUpdate({
          target: d.keyOf([s.id], s.userId),
          set: {
            startedAtMs: given(s.startedAtMs, 'startedAtMs'),
            lastSeenAtMs: given(s.lastSeenAtMs, 'lastSeenAtMs'),
            readUntrusted: given(s.readUntrusted, 'readUntrusted'),
            categories: given(s.categories, 'categories'),
          },
          // A session of that id that is somebody else's stays as it is.
          setWhere: eq(s.userId, p('userId')),
        }),
    ),
  }
}

export class SessionRepository extends Repository<ReturnType<typeof prepareSessions>> implements Sessions {
  find(userId: string, id: string) {
    return first(this.run(this.q.find, { userId, id }))
  }

  save(row: SessionRow) {
    return done(this.run(this.q.save, row))
  }
}
