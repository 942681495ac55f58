import { Column, is, Param, Placeholder } from 'drizzle-orm'
import type { Built } from './dialect.ts'

export type Values = Record<string, unknown>
export type Bind = (values: Values) => unknown
type Decode = (value: unknown) => unknown
type Field = { name: string; field: unknown }

/**
 * How to fill one parameter of a statement. Parameters and columns are looked at once, when the statement is prepared:
 * drizzle's own execution looks at each of them every time, which costs more than the statement does.
 */
export function bindOf(param: unknown): Bind {
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

/** Turns the values of a row, in the order they were selected, into an object with their names; null for a write. */
export function readerOf<Row>(query: Built): ((row: readonly unknown[]) => Row) | null {
  const fields = fieldsOf(query)
  if (fields === null) return null
  const decodes = fields.map(({ field }) => decodeOf(field))
  return (values) => {
    const object: Values = {}
    fields.forEach(({ name }, i) => {
      const decode = decodes[i]
      const value = values[i]
      object[name] = decode === undefined || value === null ? value : decode(value)
    })
    return object as Row
  }
}

/** What a statement answers with: the selection of a select, the `returning` of a write. */
function fieldsOf(query: Built): Field[] | null {
  const returned = returnedBy(query)
  if (returned) return returned.map(({ path, field }) => ({ name: path.at(-1) ?? '', field }))
  const selected = query.getSelectedFields?.()
  return selected ? Object.entries(selected).map(([name, field]) => ({ name, field })) : null
}

/** drizzle keeps it from its types, though `returning` is of no use without it. */
function returnedBy(query: Built): { path: readonly string[]; field: unknown }[] | undefined {
  const config: unknown = Reflect.get(query, 'config')
  const isThere = typeof config === 'object' && config !== null && 'returning' in config
  return isThere && Array.isArray(config.returning) ? config.returning : undefined
}

/** Undefined where the engine's value is ours already, which is nearly everywhere. */
function decodeOf(field: unknown): Decode | undefined {
  if (!is(field, Column) || field.mapFromDriverValue === Column.prototype.mapFromDriverValue) return undefined
  return (value) => field.mapFromDriverValue(value)
}
