import { escapeIdentifier } from 'pg'
import type { ColumnKind, TableLayout } from './table-layout.ts'

const ARRAY_TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'text[]',
  integer: 'bigint[]',
  boolean: 'boolean[]',
  bytes: 'bytea[]',
}

/** Reads a whole table in the order of its key. */
export function selectAll(table: TableLayout): string {
  const columns = table.columns.map(({ name }) => escapeIdentifier(name)).join(', ')
  const key = table.key.map((name) => escapeIdentifier(name)).join(', ')
  return `select ${columns} from ${escapeIdentifier(table.name)} order by ${key}`
}

/** Adds any number of rows with one array of values for each column. */
export function insertMany(table: TableLayout): string {
  const columns = table.columns.map(({ name }) => escapeIdentifier(name)).join(', ')
  const arrays = table.columns.map(({ kind }, i) => `$${i + 1}::${ARRAY_TYPES[kind]}`).join(', ')
  return `insert into ${escapeIdentifier(table.name)} (${columns}) select * from unnest(${arrays})`
}
