import { and, asc, desc, eq, getTableColumns, gt, gte, inArray, isNotNull, sql } from 'drizzle-orm'
import type { GrantWatchRow } from '../../ports/reach-rows.ts'
import type { GrantWatches } from '../../ports/reach-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

export function prepareGrantWatches({ db, t: { grantWatches: w, grants: g, actions: a }, d }: Preparation) {
  const p = sql.placeholder
  const permittedSince = and(
    eq(a.userId, p('userId')),
    gte(a.decidedAtMs, p('sinceMs')),
    isNotNull(a.reservedAtMs),
  )
  return {
    page: d.prepare(
      'grant_watches_page',
      db
        .select()
        .from(g)
        .where(and(gt(g.id, p('afterGrantId')), inArray(g.status, ['active', 'paused'])))
        .orderBy(asc(g.id))
        .limit(p('limit')),
    ),
    find: d.prepare(
      'grant_watches_find',
      db
        .select()
        .from(w)
        .where(eq(w.grantId, p('grantId'))),
    ),
    save: d.prepare(
      'grant_watches_save',
      db
        .insert(w)
        .values(allGiven(getTableColumns(w)))
        .onConflictDoUpdate({
          target: w.grantId,
          set: {
            lastUsedAtMs: given(w.lastUsedAtMs, 'lastUsedAtMs'),
            toldAtMs: given(w.toldAtMs, 'toldAtMs'),
            checkAtMs: given(w.checkAtMs, 'checkAtMs'),
          },
        }),
    ),
    lastUses: d.prepare(
      'grant_watches_last_uses',
      db
        .select({
          grantId: a.grantId,
          atMs: sql<number>`max(${a.decidedAtMs})`.mapWith(Number).as('at_ms'),
        })
        .from(a)
        .where(and(permittedSince, isNotNull(a.grantId)))
        .groupBy(a.grantId),
    ),
    lastUse: d.prepare(
      'grant_watches_last_use',
      db
        .select({ atMs: a.decidedAtMs })
        .from(a)
        .where(and(permittedSince, eq(a.grantId, p('grantId'))))
        .orderBy(desc(a.decidedAtMs))
        .limit(1),
    ),
  }
}

export class GrantWatchRepository
  extends Repository<ReturnType<typeof prepareGrantWatches>>
  implements GrantWatches
{
  page(afterGrantId: string, limit: number) {
    return this.run(this.q.page, { afterGrantId, limit })
  }

  find(grantId: string) {
    return first(this.run(this.q.find, { grantId }))
  }

  save(row: GrantWatchRow) {
    return done(this.run(this.q.save, row))
  }

  lastUses(userId: string, sinceMs: number) {
    return mapped(this.run(this.q.lastUses, { userId, sinceMs }), ({ grantId, atMs }) => ({
      grantId: grantId ?? '',
      atMs,
    }))
  }

  lastUse(userId: string, grantId: string, sinceMs: number) {
    return first(mapped(this.run(this.q.lastUse, { userId, grantId, sinceMs }), ({ atMs }) => atMs))
  }
}
