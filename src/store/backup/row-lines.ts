import type { ColumnKind, Row, TableLayout, Value } from './table-layout.ts'

/** A backup's line that is no row of its table. */
export class BadLine extends Error {
  override name = 'BadLine'
}

/** A row as one line of JSON: an array in the order of the columns, bytes in base64. */
export function rowLine(row: Row): string {
  return `${JSON.stringify(row.map((value) => (Buffer.isBuffer(value) ? value.toString('base64') : value)))}\n`
}

/** Reads a line back. @throws BadLine if it is no row of this table. */
export function parseRowLine(table: TableLayout, line: string): Row {
  let values: unknown
  try {
    values = JSON.parse(line)
  } catch (cause) {
    throw new BadLine(`a line of ${table.name} is not JSON`, { cause })
  }
  if (!Array.isArray(values) || values.length !== table.columns.length)
    throw new BadLine(`a line of ${table.name} has other columns`)
  return table.columns.map(({ name, kind }, i) => parseValue(kind, values[i], `${table.name}.${name}`))
}

function parseValue(kind: ColumnKind, value: unknown, where: string): Value {
  if (value === null) return null
  switch (kind) {
    case 'text':
      if (typeof value === 'string') return value
      break
    case 'integer':
      if (Number.isSafeInteger(value)) return value as number
      break
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'bytes': {
      const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
      if (bytes && bytes.toString('base64') === value) return bytes
    }
  }
  throw new BadLine(`${where} holds something else than ${kind}`)
}

/** What an engine's driver answered, as every engine has it. @throws TypeError for what is no such value. */
export function fromDriver(kind: ColumnKind, value: unknown): Value {
  if (value === null || value === undefined) return null
  switch (kind) {
    case 'boolean':
      return value === true || value === 1
    case 'integer': {
      const number = Number(value)
      if (!Number.isSafeInteger(number)) throw new TypeError('an integer beyond 53 bits')
      return number
    }
    case 'bytes':
      if (Buffer.isBuffer(value)) return value
      break
    case 'text':
      if (typeof value === 'string') return value
  }
  throw new TypeError(`a ${typeof value} in a column of kind ${kind}`)
}
