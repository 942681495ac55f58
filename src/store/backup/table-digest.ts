import { createHash } from 'node:crypto'
import { rowLine } from './row-lines.ts'
import { type Row, TABLE_LAYOUTS } from './table-layout.ts'
import type { TableSink, TableSource } from './table-source.ts'
import type { Progress } from './write-backup.ts'

/** How many rows a table has, and a digest of them that does not depend on their order: engines sort texts differently. */
export type TableDigest = { readonly name: string; readonly rows: number; readonly digest: string }

class RowSum {
  #rows = 0
  #sum = 0n

  add(row: Row): void {
    this.#rows += 1
    this.#sum += BigInt(`0x${createHash('sha256').update(rowLine(row)).digest('hex')}`)
  }

  of(name: string): TableDigest {
    return { name, rows: this.#rows, digest: this.#sum.toString(36) }
  }
}

/** Copies every row of every table from one store into another, and says what went by. Keeps nothing yet. */
export async function copyTables(
  source: TableSource,
  sink: TableSink,
  progress: Progress = () => undefined,
): Promise<TableDigest[]> {
  const digests: TableDigest[] = []
  // What closes an ended log comes after its leaves.
  for (const table of TABLE_LAYOUTS.toSorted(
    (a, b) => Number(a.name === 'past_logs') - Number(b.name === 'past_logs'),
  )) {
    const sum = new RowSum()
    let rows = 0
    for await (const batch of source.rows(table)) {
      for (const row of batch) sum.add(row)
      await sink.insert(table, batch)
      rows += batch.length
      progress(table.name, rows)
    }
    digests.push(sum.of(table.name))
  }
  return digests
}

/** The same of what a store holds. */
export async function digestTables(source: TableSource): Promise<TableDigest[]> {
  const digests: TableDigest[] = []
  for (const table of TABLE_LAYOUTS) {
    const sum = new RowSum()
    for await (const batch of source.rows(table)) for (const row of batch) sum.add(row)
    digests.push(sum.of(table.name))
  }
  return digests
}

/** The tables in which two stores differ, by name; empty when every row of each is in the other. */
export function differingTables(a: readonly TableDigest[], b: readonly TableDigest[]): string[] {
  const other = new Map(b.map((table) => [table.name, table]))
  return a
    .filter(({ name, rows, digest }) => other.get(name)?.rows !== rows || other.get(name)?.digest !== digest)
    .map(({ name }) => name)
}
