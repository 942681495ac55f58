import { and, type Column, eq, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Page } from '../../ports/store.ts'

/** Rows older than the page's start, by time and then id, so that equal times neither repeat nor skip a row. */
export function olderThan(atMs: Column, id: Column): SQL | undefined {
  const at = sql.placeholder('beforeMs')
  return or(lt(atMs, at), and(eq(atMs, at), lt(id, sql.placeholder('beforeId'))))
}

/** The values `olderThan` and its limit take; the first page starts after all time. */
export function pageValues(page: Page): { beforeMs: number; beforeId: string; limit: number } {
  return {
    beforeMs: page.before?.atMs ?? Number.MAX_SAFE_INTEGER,
    beforeId: page.before?.id ?? '',
    limit: page.limit,
  }
}
