import { PERSONAL_COLUMNS, type PersonalPart } from '../../core/personal-columns.ts'
import { BadLine, parseRowLine, rowLine } from './row-lines.ts'
import { type Row, type TableLayout, type Value, valueAt, withValues } from './table-layout.ts'

/** A row as it stands in the open, and what was taken out of it; no row at all where it is a person's as a whole. */
export type SplitRow = { readonly open: Row | undefined; readonly personal: string | undefined }

/** What is personal in a table; undefined for one that holds nothing of the kind. */
export function personalPartOf(table: TableLayout): PersonalPart | undefined {
  return PERSONAL_COLUMNS[table.name]
}

/** Takes what is personal out of a row. @param index its place among those that stay in the open. */
export function splitRow(table: TableLayout, part: PersonalPart, row: Row, index: number): SplitRow {
  const values = named(table, row)
  if (part.isWhole?.(values)) return { open: undefined, personal: rowLine(['row', ...row]) }
  const changes: Record<string, Value> = {}
  const taken: Value[] = [index]
  for (const [column, inPlace] of Object.entries(part.columns ?? {})) {
    const value = textAt(table, row, column)
    taken.push(value)
    changes[column] = inPlace(value, values)
  }
  return {
    open: withValues(table, row, changes),
    personal: taken.length > 1 ? rowLine(taken) : undefined,
  }
}

/** Puts what is personal back. Lines come in the order they were written. */
export async function* joinRows(
  table: TableLayout,
  part: PersonalPart,
  batches: AsyncIterable<readonly Row[]>,
  lines: AsyncIterator<string>,
): AsyncGenerator<readonly Row[]> {
  const columns = Object.keys(part.columns ?? {})
  let index = 0
  let whole: Row[] = []
  /** The next line that belongs to a row in the open; rows that are in no open file go by. */
  async function nextTaken(): Promise<unknown[] | undefined> {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) return undefined
      const parsed = arrayOf(table, value)
      if (parsed[0] !== 'row') return parsed
      whole.push(parseRowLine(table, JSON.stringify(parsed.slice(1))))
    }
  }
  for await (const batch of batches) {
    const joined: Row[] = []
    for (const row of batch) {
      if (columns.length === 0) {
        joined.push(row)
        continue
      }
      const taken = await nextTaken()
      if (taken?.[0] !== index || taken.length !== columns.length + 1)
        throw new BadLine(`what is personal in ${table.name} is of other rows`)
      const values = Object.fromEntries(columns.map((column, i) => [column, textOf(table, taken[i + 1])]))
      joined.push(withValues(table, row, values))
      index += 1
    }
    yield [...joined, ...whole]
    whole = []
  }
  if ((await nextTaken()) !== undefined)
    throw new BadLine(`what is personal in ${table.name} is of more rows`)
  if (whole.length > 0) yield whole
}

function arrayOf(table: TableLayout, line: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(line)
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Said below.
  }
  throw new BadLine(`a line of what is personal in ${table.name} is no list`)
}

function textAt(table: TableLayout, row: Row, column: string): string | null {
  return textOf(table, valueAt(table, row, column))
}

function textOf(table: TableLayout, value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  throw new BadLine(`what is personal in ${table.name} is no text`)
}

function named(table: TableLayout, row: Row): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    table.columns.map(({ name }, i) => {
      const value = row[i] ?? null
      return [name, Buffer.isBuffer(value) ? null : value]
    }),
  )
}
