import type { Database } from 'better-sqlite3'
import { Column, is, Param, Placeholder } from 'drizzle-orm'
import type { Built, Dialect, Query, RowsOf } from './dialect.ts'

type Values = Record<string, unknown>
type Bind = (values: Values) => unknown
type Decode = (value: unknown) => unknown

/**
 * Prepares on one connection what drizzle built. Parameters and columns are looked at once, when the statement is
 * prepared: drizzle's own execution looks at each of them every time, which costs more than the statement does.
 */
export function sqliteDialect(db: Database): Dialect {
  return {
    prepare<Q extends Built>(_name: string, query: Q): Query<RowsOf<Q>> {
      const { sql, params } = query.toSQL()
      const statement = db.prepare(sql)
      const binds = params.map(bindOf)
      if (!query.getSelectedFields) {
        return (values) => {
          statement.run(binds.map((bind) => bind(values)))
          return []
        }
      }
      const read = readerOf<RowsOf<Q>>(query)
      const rows = statement.raw(true)
      return (values) => rows.all(binds.map((bind) => bind(values))).map(read)
    },
    // One writer at a time: every row is locked already.
    forUpdate: (query) => query,
  }
}

function bindOf(param: unknown): Bind {
  const isEncoded = is(param, Param) && is(param.value, Placeholder)
  const placeholder = isEncoded ? param.value : param
  if (!is(placeholder, Placeholder)) {
    const constant = is(param, Param) ? param.encoder.mapToDriverValue(param.value) : param
    return () => constant
  }
  const { name } = placeholder
  const encode: Decode = isEncoded ? (value) => param.encoder.mapToDriverValue(value) : (value) => value
  return (values) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`no value for the parameter ${name}`)
    return value === null ? null : encode(value)
  }
}

/** Turns the values of a row, in the order they were selected, into an object with their names. */
function readerOf<Row>(query: Built): (row: unknown) => Row {
  const fields = Object.entries(query.getSelectedFields?.() ?? {})
  const names = fields.map(([name]) => name)
  const decodes = fields.map(([, field]) => decodeOf(field))
  return (row) => {
    const values = row as unknown[]
    const object: Values = {}
    for (let i = 0; i < names.length; i++) {
      const decode = decodes[i]
      const value = values[i]
      object[names[i] as string] = decode === undefined || value === null ? value : decode(value)
    }
    return object as Row
  }
}

/** Undefined where the engine's value is ours already, which is nearly everywhere. */
function decodeOf(field: unknown): Decode | undefined {
  if (!is(field, Column) || field.mapFromDriverValue === Column.prototype.mapFromDriverValue) return undefined
  return (value) => field.mapFromDriverValue(value)
}
