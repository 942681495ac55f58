import { z } from 'zod'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'

const DAY_MS = 86_400_000
const CELLS_AT_ONCE = 500
const MARK = 'kept_for_days'

export const keptForShape = z.strictObject({ core: z.int(), subj: z.int(), body: z.int() })
export type KeptFor = z.infer<typeof keptForShape>

/**
 * Says in the log for how long parts are kept from here on, once and whenever that changes: whoever verifies the log can
 * then tell a part that expired from one that somebody took away.
 */
export async function noteRetention(broker: Broker): Promise<void> {
  const { keepPartsDays } = broker.settings
  const text = JSON.stringify([keepPartsDays.core, keepPartsDays.subj, keepPartsDays.body])
  if ((await broker.store.read(async (tx) => tx.deploymentMarks.find(MARK))) === text) return
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    if ((await tx.deploymentMarks.find(MARK)) === text) return
    const core = { ...keepPartsDays }
    const leaf = { type: 'retention', outcome: 'set', reason: 'settings', core } as const
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    await tx.deploymentMarks.set(MARK, text)
  })
}

/**
 * Destroys the keys of what has expired, and says in the log how many. Nothing is destroyed by a clock that is not
 * trusted.
 *
 * @returns how many.
 */
export async function expireParts(broker: Broker): Promise<number> {
  await noteRetention(broker)
  const { nowMs, clockTrusted } = broker.store.now()
  if (!clockTrusted) return 0
  const beforeDay = Math.floor(nowMs / DAY_MS)
  let cells = 0
  for (let some = CELLS_AT_ONCE; some === CELLS_AT_ONCE; ) {
    some = await broker.cells.destroyExpired(beforeDay, CELLS_AT_ONCE)
    cells += some
  }
  if (cells === 0) return 0
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    const leaf = { type: 'retention', outcome: 'expired', reason: 'due', core: { beforeDay, cells } } as const
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
  })
  return cells
}
