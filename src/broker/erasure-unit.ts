import {
  type ErasureScope,
  type ErasureStep,
  type ErasureWait,
  stepAfter,
} from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'

/** How soon what waits is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 30_000

type Work<T> = (tx: Tx, row: ErasureRow, seal: LeafSealer) => Promise<T>

/** A unit of work about one erasure. Its leaves are sealed under no cell of the person's: they have to outlive those. */
export async function inErasureUnit<T>(
  broker: Broker,
  { id, userId }: Pick<ErasureRow, 'id' | 'userId'>,
  work: Work<T>,
): Promise<T> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(
    async (tx) => {
      const row = await tx.erasures.find(id)
      if (!row) throw new Error('an erasure that is not there')
      return work(tx, row, seal)
    },
    { userId },
  )
}

/**
 * Ends a step: what it still has to write, and that the next one comes, are kept or lost together. Nothing happens where
 * somebody else has done the step meanwhile.
 */
export function finishStep(
  broker: Broker,
  erasure: ErasureRow,
  work: (tx: Tx, seal: LeafSealer) => Promise<Partial<ErasureRow> | undefined> = async () => undefined,
): Promise<void> {
  return inErasureUnit(broker, erasure, async (tx, row, seal) => {
    if (row.step !== erasure.step || row.endedAtMs !== null) return
    const changes = await work(tx, seal)
    const step = stepAfter(row.scope as ErasureScope['kind'], row.step as ErasureStep)
    const ends = step === undefined ? { status: 'done', endedAtMs: tx.nowMs } : { step }
    await tx.erasures.update({
      ...row,
      ...changes,
      ...ends,
      waitsFor: null,
      steppedAtMs: tx.nowMs,
      checkAtMs: tx.nowMs,
    })
  })
}

/** Looks again later. The log says once why: a hold that nobody sees would be a way not to erase. */
export async function waitInTx(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  row: ErasureRow,
  waitsFor: ErasureWait,
): Promise<void> {
  await tx.erasures.update({ ...row, waitsFor, checkAtMs: tx.nowMs + LOOK_AGAIN_MS })
  if (row.waitsFor === waitsFor || waitsFor === 'message' || waitsFor === 'writers') return
  broker.logger.warn('erasure_waits', { id: row.id, for: waitsFor })
  await tx.log.append(seal(erasureLeaf('delayed', waitsFor, { erasure: row.id }), tx.nowMs), tx.nowMs)
}
