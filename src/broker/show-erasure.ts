import type { ErasureStatus, ErasureStep, ErasureWait } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'

export type ErasureView = {
  readonly erasureId: string
  readonly status: ErasureStatus
  /** What is done next; null once it has ended. */
  readonly step: ErasureStep | null
  /** What it waits for besides its time. */
  readonly waitsFor: ErasureWait | null
  readonly requestedAtMs: number
  readonly dueAtMs: number
  readonly endedAtMs: number | null
}

/** The person's newest erasure; undefined if they never asked for one. */
export async function showErasure(
  broker: Broker,
  { userId }: { userId: string },
): Promise<ErasureView | undefined> {
  const row = await broker.store.read(async (tx) => tx.erasures.newestOf(userId))
  return row && erasureView(row)
}

export function erasureView(row: ErasureRow): ErasureView {
  return {
    erasureId: row.id,
    status: row.status as ErasureStatus,
    step: row.endedAtMs === null ? (row.step as ErasureStep) : null,
    waitsFor: row.waitsFor as ErasureWait | null,
    requestedAtMs: row.requestedAtMs,
    dueAtMs: row.dueAtMs,
    endedAtMs: row.endedAtMs,
  }
}

/** Erasures that have not ended, for operators: which wait, and for what. */
export async function listErasures(broker: Broker): Promise<(ErasureView & { readonly userId: string })[]> {
  const rows = await broker.store.read(async (tx) => tx.erasures.open(200))
  return rows.map((row) => ({ userId: row.userId, ...erasureView(row) }))
}
