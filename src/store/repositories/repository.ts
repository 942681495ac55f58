import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { Dialect, Query } from '../dialect.ts'
import type { Tables } from '../schema/sqlite.ts'

/** What a repository needs to prepare its statements. */
export type Preparation = { db: BetterSQLite3Database; t: Tables; d: Dialect }

/** Runs one prepared statement for the unit of work it belongs to, or throws if that is over. */
export type Run = <Row>(query: Query<Row>, values: Record<string, unknown>) => Row[] | Promise<Row[]>

/** First row of an answer that may come now or later. */
export function first<Row>(rows: Row[] | Promise<Row[]>): Row | undefined | Promise<Row | undefined> {
  return rows instanceof Promise ? rows.then((list) => list[0]) : rows[0]
}

/** Drops the rows of a write, so that callers see only that it is done. */
export function done(rows: unknown[] | Promise<unknown[]>): void | Promise<void> {
  if (rows instanceof Promise) return rows.then(() => undefined)
}

/** Whether a statement met a row: what a conditional write answers by `returning`. */
export function found(rows: unknown[] | Promise<unknown[]>): boolean | Promise<boolean> {
  return rows instanceof Promise ? rows.then((list) => list.length > 0) : rows.length > 0
}

/** Maps the rows of an answer that may come now or later. */
export function mapped<Row, Out>(
  rows: Row[] | Promise<Row[]>,
  map: (row: Row) => Out,
): Out[] | Promise<Out[]> {
  return rows instanceof Promise ? rows.then((list) => list.map(map)) : rows.map(map)
}

/**
 * Puts the rows of an answer in order here rather than in the statement: this engine plans a statement with an
 * ORDER BY and a parameter anew each time it runs, which costs ten times what it does.
 */
export function sorted<Row>(
  rows: Row[] | Promise<Row[]>,
  compare: (a: Row, b: Row) => number,
): Row[] | Promise<Row[]> {
  return rows instanceof Promise ? rows.then((list) => list.sort(compare)) : rows.sort(compare)
}

/** One noun's statements, bound to one unit of work. */
export abstract class Repository<Queries> {
  protected readonly run: Run
  protected readonly q: Queries

  constructor(run: Run, queries: Queries) {
    this.run = run
    this.q = queries
  }
}
