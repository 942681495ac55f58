import { type Row, type TableLayout, type Value, valueOf } from './table-layout.ts'
import type { TreeWatch } from './tree-watch.ts'

/** Shows a row that goes by to the watch, if it is of a log. */
export function watchRow(watch: TreeWatch, table: TableLayout, row: Row): void {
  const at = (column: string) => valueOf(table, row, column)
  switch (table.name) {
    case 'log_leaves':
      return watch.leaf(
        null,
        number(at('leaf_index')),
        bytes(at('leaf')),
        bytes(at('leaf_hash')),
        number(at('at_ms')),
      )
    case 'log_nodes':
      return watch.node(null, number(at('level')), bytes(at('hash')))
    case 'log_checkpoints':
      return watch.expectCheckpoint({ treeSize: number(at('tree_size')), rootHash: bytes(at('root_hash')) })
    case 'past_logs': {
      const head = { treeSize: number(at('tree_size')), rootHash: bytes(at('root_hash')) }
      return watch.expectEnded(number(at('epoch')), String(at('origin')), head)
    }
    case 'past_leaves':
      return watch.leaf(
        number(at('epoch')),
        number(at('leaf_index')),
        bytes(at('leaf')),
        bytes(at('leaf_hash')),
        number(at('at_ms')),
      )
    case 'past_nodes':
      return watch.node(number(at('epoch')), number(at('level')), bytes(at('hash')))
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
