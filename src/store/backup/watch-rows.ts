import { type Row, type TableLayout, type Value, valueAt } from './table-layout.ts'
import type { TreeWatch } from './tree-watch.ts'

/** Shows a row that goes by to the watch, if it is of a log. */
export function watchRow(watch: TreeWatch, table: TableLayout, row: Row): void {
  const at = (column: string) => valueAt(table, row, column)
  switch (table.name) {
    case 'log_leaves':
      watch.leaf(
        null,
        number(at('leaf_index')),
        bytes(at('leaf')),
        bytes(at('leaf_hash')),
        number(at('at_ms')),
      )
      return
    case 'log_nodes':
      watch.node(null, number(at('level')), bytes(at('hash')))
      return
    case 'log_checkpoints':
      watch.expectCheckpoint({ treeSize: number(at('tree_size')), rootHash: bytes(at('root_hash')) })
      return
    case 'past_logs': {
      const head = { treeSize: number(at('tree_size')), rootHash: bytes(at('root_hash')) }
      watch.expectEnded(number(at('epoch')), String(at('origin')), head)
      return
    }
    case 'past_leaves':
      watch.leaf(
        number(at('epoch')),
        number(at('leaf_index')),
        bytes(at('leaf')),
        bytes(at('leaf_hash')),
        number(at('at_ms')),
      )
      return
    case 'past_nodes':
      watch.node(number(at('epoch')), number(at('level')), bytes(at('hash')))
      return
  }
}

function number(value: Value): number {
  if (typeof value !== 'number') throw new TypeError('not a number')
  return value
}

function bytes(value: Value): Buffer {
  if (!Buffer.isBuffer(value)) throw new TypeError('not bytes')
  return value
}
