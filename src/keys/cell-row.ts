import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Cell, CellName } from '../ports/cells.ts'
import { unwrapCellKey, wrapCellKey } from './cell-wrap.ts'
import type { KeyEncryptionKeys } from './kek-file.ts'

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
export function openRow(keks: KeyEncryptionKeys, row: CellRow): KeyObject | undefined {
  const kek = keks.living.get(row.epoch)
  const bytes = kek && unwrapCellKey(kek, row.cellId, row.wrapped)
  return bytes && createSecretKey(bytes)
}

/** A new cell under the newest epoch, and the row that keeps it. */
export function makeCell(keks: KeyEncryptionKeys): { cell: Cell; row: CellRow } {
  const kek = keks.living.get(keks.newestEpoch)
  if (kek === undefined) throw new Error('no living key-encryption key')
  const cellId = `cel_${randomBytes(16).toString('base64url')}`
  const cellKey = randomBytes(32)
  const row = { cellId, epoch: keks.newestEpoch, wrapped: wrapCellKey(kek, cellId, cellKey) }
  return { cell: { cellId, key: createSecretKey(cellKey) }, row }
}
