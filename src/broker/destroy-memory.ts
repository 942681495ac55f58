import type { JsonObject } from '../core/json-value.ts'
import type { MemoryDueRow, MemoryHeadRow } from '../ports/memory-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { memoryLeaf } from './memory-leaf.ts'

/** Whose memory is destroyed: all of the user's, or what is of this agent, grant or skill. */
export type MemoryScope = {
  readonly userId: string
  readonly agentId?: string
  readonly grantId?: string
  readonly skillId?: string
}

export type MemoryDestroyed = {
  readonly items: number
  /** A legal hold keeps what nobody can read any more: it is destroyed when the hold is lifted. */
  readonly isHeld: boolean
}

/**
 * Forgets everything in the scope: in one unit of work nobody can read it any more, and the log says so; then its keys
 * are destroyed, and then its rows. What a crash leaves is taken up by the sweep. Doing it again is harmless.
 *
 * @param by who wanted it, as the leaf names it.
 */
export async function destroyMemoryOf(
  broker: Broker,
  scope: MemoryScope,
  by: 'by_user' | 'by_agent' | 'erasure' = 'by_user',
): Promise<MemoryDestroyed> {
  return forgetSome(broker, scope, by, null)
}

/** The same of the items named; null for all in the scope. */
export async function forgetSome(
  broker: Broker,
  scope: MemoryScope,
  by: 'by_user' | 'by_agent' | 'erasure',
  itemIds: readonly string[] | null,
): Promise<MemoryDestroyed> {
  const { userId, agentId, grantId, skillId } = scope
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const { rows, isHeld } = await broker.store.transaction(
    async (tx) => {
      const all = await itemsNamed(tx, userId, itemIds)
      const meant = all.filter(
        (row) =>
          (agentId === undefined || row.agentId === agentId) &&
          (grantId === undefined || row.grantId === grantId) &&
          (skillId === undefined || row.skillId === skillId),
      )
      const living = meant.filter(({ ended }) => ended === null)
      for (const { id } of living) await tx.memoryItems.end(userId, id, 'forgotten', tx.nowMs)
      if (living.length > 0) {
        const skills = [...new Set(living.map((row) => row.skillId))].sort()
        const items = living.map(({ id }) => id)
        const leaf = memoryLeaf('forgotten', by, { skills, items: items.length }, { user: userId, items })
        await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
      }
      const held = (await tx.legalHolds.find(userId)) !== undefined
      return {
        rows: meant.map((row) => (row.ended === null ? { ...row, ended: 'forgotten' } : row)),
        isHeld: held,
      }
    },
    { userId },
  )
  if (!isHeld) await destroyItems(broker, rows)
  return { items: rows.length, isHeld }
}

async function itemsNamed(
  tx: Tx,
  userId: string,
  itemIds: readonly string[] | null,
): Promise<MemoryHeadRow[]> {
  if (itemIds === null) return tx.memoryItems.headsOfUser(userId)
  const rows: MemoryHeadRow[] = []
  for (const id of itemIds) {
    const row = await tx.memoryItems.find(userId, id)
    if (row) rows.push(row)
  }
  return rows
}

/** Users whose rows are removed at the same time. */
const USERS_AT_ONCE = 32

/**
 * Destroys items that nobody can read any more: their keys first, so that a crash leaves nothing that could be opened,
 * then their rows, each user's with a leaf that says so. Both may be done twice.
 *
 * @returns how many rows there were.
 */
export async function destroyItems(broker: Broker, items: readonly MemoryDueRow[]): Promise<number> {
  if (items.length === 0) return 0
  // Items end all day: were each counted as an erasure, no backup of the key store would be good for more than a moment.
  await broker.cells.destroy(
    items.map(({ cellId }) => cellId),
    'expired',
  )
  const users = [...Map.groupBy(items, ({ userId }) => userId)]
  let removed = 0
  for (let from = 0; from < users.length; from += USERS_AT_ONCE) {
    const counts = await Promise.all(
      users.slice(from, from + USERS_AT_ONCE).map(([userId, own]) => removeRows(broker, userId, own)),
    )
    for (const count of counts) removed += count
  }
  return removed
}

async function removeRows(broker: Broker, userId: string, items: readonly MemoryDueRow[]): Promise<number> {
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction(
    async (tx) => {
      const removed: MemoryDueRow[] = []
      for (const item of items) if (await tx.memoryItems.remove(userId, item.id)) removed.push(item)
      if (removed.length === 0) return 0
      const why: Record<string, number> = {}
      for (const { ended } of removed) why[ended ?? 'expired'] = (why[ended ?? 'expired'] ?? 0) + 1
      const core: JsonObject = { items: removed.length, why }
      const subj: JsonObject = { user: userId, items: removed.map(({ id }) => id) }
      await tx.log.append(seal(memoryLeaf('destroyed', 'retention', core, subj), tx.nowMs), tx.nowMs)
      return removed.length
    },
    { userId },
  )
}

/** Destroys the keys of all that is kept for a user, for an erasure that removes the rows itself. */
export async function destroyMemoryKeys(broker: Broker, userId: string): Promise<void> {
  const rows = await broker.store.read(async (tx) => tx.memoryItems.headsOfUser(userId))
  if (rows.length > 0) await broker.cells.destroy(rows.map(({ cellId }) => cellId))
}
