import type { Row, TableLayout } from './table-layout.ts'

export type Engine = 'sqlite' | 'postgres'

/** One unchanging view of every table, whatever is committed meanwhile. */
export type TableSource = {
  readonly engine: Engine
  /** The rows in the order of the table's key, some hundred at a time. */
  rows(table: TableLayout): AsyncIterable<readonly Row[]>
  close(): Promise<void>
}

/** Where rows are put: all of them are kept or none. */
export type TableSink = {
  readonly engine: Engine
  insert(table: TableLayout, rows: readonly Row[]): Promise<void>
  /** Keeps what was inserted, durably. */
  commit(): Promise<void>
  /** Leaves everything as it was before. Harmless after a commit. */
  abandon(): Promise<void>
}

export const ROWS_AT_A_TIME = 500
