import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Cell, CellName } from '../ports/cells.ts'
import type { EpochKeySet } from '../ports/epoch-keys.ts'
import { unwrapCellKey, wrapCellKey } from './cell-wrap.ts'

/** A wrapped cell key as it is stored. */
export type CellRow = { cellId: string; epoch: number; wrapped: Buffer }

/** One short string per name: the length says where the skill ends, so no two names share one. */
export function cacheKey({ userId, skillId, part, expiryDay }: CellName): string {
  return `${part} ${expiryDay} ${skillId.length} ${skillId}${userId}`
}

/** What a cell is found by: without the lookup key the store tells nobody whose cells it holds. */
export function lookupOf(lookupKey: KeyObject, name: CellName): Buffer {
  return createHmac('sha256', lookupKey).update('countersign/v1/cell\n').update(cacheKey(name)).digest()
}

/** The key of a stored cell; undefined once its epoch is gone. */
export function openRow(keks: EpochKeySet, row: CellRow): KeyObject | undefined {
  const kek = keks.living.get(row.epoch)
  const bytes = kek && unwrapCellKey(kek, row.cellId, row.wrapped)
  return bytes && createSecretKey(bytes)
}

/** A new cell wrapped in an epoch, the newest unless told otherwise, and the row that keeps it. */
export function makeCell(keks: EpochKeySet, epoch = keks.newestEpoch): { cell: Cell; row: CellRow } {
  const kek = keks.living.get(epoch)
  if (kek === undefined) throw new Error('no living key-encryption key')
  const cellId = `cel_${randomBytes(16).toString('base64url')}`
  const cellKey = randomBytes(32)
  const row = { cellId, epoch, wrapped: wrapCellKey(kek, cellId, cellKey) }
  return { cell: { cellId, key: createSecretKey(cellKey) }, row }
}

/** The epoch of cells that nothing opens: no epoch has this number. */
const LOST_EPOCH = 0

/**
 * The same keys wrapped in the newest epoch, or in another. A row that does not open was spoilt before: it goes where
 * nothing is opened, and keeps no epoch from ending.
 *
 * @throws Error if none of several opens: then it is the key-encryption keys that are wrong, and nothing may be changed.
 */
export function rewrapRows<Row extends CellRow>(
  keks: EpochKeySet,
  rows: readonly Row[],
  epoch = keks.newestEpoch,
): Row[] {
  const into = keks.living.get(epoch)
  if (into === undefined) throw new Error('no living key-encryption key')
  let opened = 0
  const anew = rows.map((row) => {
    const from = keks.living.get(row.epoch)
    const bytes = from && unwrapCellKey(from, row.cellId, row.wrapped)
    if (!bytes) return { ...row, epoch: LOST_EPOCH }
    opened += 1
    const wrapped = wrapCellKey(into, row.cellId, bytes)
    bytes.fill(0)
    return { ...row, epoch, wrapped }
  })
  if (rows.length > 0 && opened === 0) throw new Error('the key-encryption keys open none of the cells')
  return anew
}
