import { ERASURE_STEPS } from '../core/erasure/erasure-steps.ts'
import type { CellName } from '../ports/cells.ts'
import type { Broker } from './broker.ts'
import { erasureStands } from './erasure-stands.ts'

/** 9999-12-31: the mark is kept as long as the key store. */
const NO_DAY = 2_932_896

/**
 * The cell that says, in the key store and so outside every backup of the database, that a person's keys were destroyed.
 * Nothing is sealed under it, and without the key store's own secret it names nobody.
 */
export function erasedMark(userId: string): CellName {
  return { userId, skillId: '', part: 'kept:erased', expiryDay: NO_DAY }
}

/**
 * After a restore: begins the erasures again that the restored database has forgotten, before anybody is served. Returns
 * how many.
 */
export async function redoErasures(broker: Broker): Promise<number> {
  const users = await broker.store.read(async (tx) => [
    ...new Set([
      ...(await tx.people.list('user')).map(({ personId }) => personId),
      ...(await tx.counters.users()),
    ]),
  ])
  let begun = 0
  for (const userId of users) {
    if (!(await broker.cells.has(erasedMark(userId)))) continue
    if (await beginAgain(broker, userId)) begun += 1
  }
  if (begun > 0) broker.logger.warn('erasures_begun_again', { count: begun })
  return begun
}

function beginAgain(broker: Broker, userId: string): Promise<boolean> {
  return broker.store.transaction(
    async (tx) => {
      if (await erasureStands(tx, userId)) return false
      await tx.erasures.insert({
        id: broker.newId('erasure'),
        userId,
        scope: 'everything',
        scopeId: null,
        status: 'running',
        step: ERASURE_STEPS[0],
        waitsFor: null,
        paused: JSON.stringify({ agents: [], grants: [] }),
        cells: '[]',
        partsTotal: 0,
        partsDone: 0,
        requestedAtMs: tx.nowMs,
        dueAtMs: tx.nowMs,
        checkAtMs: tx.nowMs,
        steppedAtMs: tx.nowMs,
        endedAtMs: null,
      })
      return true
    },
    { userId },
  )
}
