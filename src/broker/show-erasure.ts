import type { ErasureScope, ErasureStatus, ErasureStep, ErasureWait } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'

export type ErasureView = {
  readonly erasureId: string
  readonly scope: ErasureScope['kind']
  /** The skill or agent; null for everything. */
  readonly scopeId: string | null
  readonly status: ErasureStatus
  /** What is done next; null once it has ended. */
  readonly step: ErasureStep | null
  /** What it waits for besides its time. */
  readonly waitsFor: ErasureWait | null
  /** How many sealed parts are to be made unreadable, and how many are; 0 until they were counted. */
  readonly progress: { readonly total: number; readonly done: number }
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
    scope: row.scope as ErasureScope['kind'],
    scopeId: row.scopeId,
    status: row.status as ErasureStatus,
    step: row.endedAtMs === null ? (row.step as ErasureStep) : null,
    waitsFor: row.waitsFor as ErasureWait | null,
    progress: { total: row.partsTotal, done: Math.min(row.partsDone, row.partsTotal) },
    requestedAtMs: row.requestedAtMs,
    dueAtMs: row.dueAtMs,
    endedAtMs: row.endedAtMs,
  }
}

/** Erasures of one skill's or one agent's data that a person asked for, the newest first. */
export async function listPartErasures(
  broker: Broker,
  { userId }: { userId: string },
): Promise<ErasureView[]> {
  const rows = await broker.store.read(async (tx) => tx.erasures.ofParts(userId, 100))
  return rows.map(erasureView)
}

/** Erasures that have not ended, for operators: which wait, and for what. */
export async function listErasures(broker: Broker): Promise<(ErasureView & { readonly userId: string })[]> {
  const rows = await broker.store.read(async (tx) => tx.erasures.open(200))
  return rows.map((row) => ({ userId: row.userId, ...erasureView(row) }))
}
