import { createHash } from 'node:crypto'
import { is, Table } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { sqliteTables } from '../schema/sqlite.ts'

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'bytes'
export type Value = string | number | boolean | Buffer | null
/** The values of a row in the order of its table's columns. */
export type Row = readonly Value[]

/** A table as every engine has it. */
export type TableLayout = {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[]
  /** The columns rows are read and kept in the order of. */
  readonly key: readonly string[]
}

/** Leaves of committed work that an engine with a sequencer has not put into the tree yet; empty on the others. */
export const QUEUED_LEAVES: TableLayout = {
  name: 'log_queue',
  columns: [
    { name: 'event_id', kind: 'text' },
    { name: 'user_id', kind: 'text' },
    { name: 'leaf', kind: 'bytes' },
    { name: 'leaf_hash', kind: 'bytes' },
    { name: 'at_ms', kind: 'integer' },
    { name: 'queued_us', kind: 'integer' },
  ],
  key: ['queued_us', 'event_id'],
}

/** Checkpoints and ended logs come before the leaves they speak of, so that one pass can hold both together. */
const FIRST = ['log_checkpoints', 'past_logs']

/** Every table of a deployment in the order a backup holds them. */
export const TABLE_LAYOUTS: readonly TableLayout[] = [
  ...Object.values(sqliteTables)
    .map(layoutOf)
    .sort((a, b) => rank(a) - rank(b)),
  QUEUED_LEAVES,
]

function rank({ name }: TableLayout): number {
  return FIRST.includes(name) ? 0 : 1
}

function layoutOf(table: unknown): TableLayout {
  if (!is(table, SQLiteTable) || !is(table, Table)) throw new TypeError('not a table')
  const { name, columns, primaryKeys } = getTableConfig(table)
  const key = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary)
  if (key.length === 0) throw new TypeError(`${name} has no key`)
  return {
    name,
    columns: columns.map((column) => ({ name: column.name, kind: kindOf(column.dataType) })),
    key: key.map((column) => column.name),
  }
}

function kindOf(dataType: string): ColumnKind {
  switch (dataType) {
    case 'string':
      return 'text'
    case 'number':
      return 'integer'
    case 'boolean':
      return 'boolean'
    case 'buffer':
      return 'bytes'
    default:
      throw new TypeError(`a column of kind ${dataType}`)
  }
}

/** What tells two versions' tables apart: rows of one are not loaded into the tables of another. */
export function schemaDigest(layouts: readonly TableLayout[] = TABLE_LAYOUTS): string {
  return createHash('sha256').update(JSON.stringify(layouts)).digest('base64url')
}

/** The value of a row in a column. @throws TypeError for a column the table does not have. */
export function valueAt(table: TableLayout, row: Row, column: string): Value {
  return row[indexOf(table, column)] ?? null
}

/** A row with some of its values replaced. */
export function withValues(table: TableLayout, row: Row, values: Readonly<Record<string, Value>>): Row {
  const changed = [...row]
  for (const [column, value] of Object.entries(values)) changed[indexOf(table, column)] = value
  return changed
}

function indexOf(table: TableLayout, column: string): number {
  const index = table.columns.findIndex(({ name }) => name === column)
  if (index === -1) throw new TypeError(`${table.name} has no column ${column}`)
  return index
}
