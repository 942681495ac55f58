import type { MemoryHead } from '../core/memory/memory-head.ts'
import type { MemoryHeadRow } from '../ports/memory-store.ts'
import type { Broker } from './broker.ts'
import { openMemoryContent, openMemoryHead } from './seal-memory.ts'

/** Items opened before other requests get their turn. */
const AT_ONCE = 200

export type OpenedHead<Row> = { readonly row: Row; readonly head: MemoryHead }
export type OpenedItem<Row> = OpenedHead<Row> & { readonly content: string }

/** Opens what items say of themselves, in their order; those whose key is gone are left out. */
export function openHeads<Row extends MemoryHeadRow>(
  broker: Pick<Broker, 'cells'>,
  rows: readonly Row[],
): Promise<OpenedHead<Row>[]> {
  return openEach(broker, rows, (key, row) => {
    const head = openMemoryHead(key, row)
    return head && { row, head }
  })
}

/** The same with their contents. */
export function openItems<Row extends MemoryHeadRow & { content: Buffer }>(
  broker: Pick<Broker, 'cells'>,
  rows: readonly Row[],
): Promise<OpenedItem<Row>[]> {
  return openEach(broker, rows, (key, row) => {
    const head = openMemoryHead(key, row)
    const content = openMemoryContent(key, row)
    return head && content !== undefined ? { row, head, content } : undefined
  })
}

async function openEach<Row extends MemoryHeadRow, Opened>(
  broker: Pick<Broker, 'cells'>,
  rows: readonly Row[],
  open: (key: Parameters<typeof openMemoryHead>[0], row: Row) => Opened | undefined,
): Promise<Opened[]> {
  const opened: Opened[] = []
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve))
    const some = rows.slice(from, from + AT_ONCE)
    const keys = await broker.cells.findAll(some.map(({ cellId }) => cellId))
    for (const row of some) {
      const key = keys.get(row.cellId)
      const one = key && open(key, row)
      if (one) opened.push(one)
    }
  }
  return opened
}
