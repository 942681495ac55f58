import type { UndoJobRow } from '../ports/revocation-rows.ts'
import type { ActionRow, IncidentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { undoAction, undoUntilIn } from './undo-action.ts'

/** More than this is asked for in several jobs, so that one can be looked over and cancelled. */
export const UNDO_ITEMS_MOST = 2_000
const PAGE = 500
/** Of a job, in one turn. */
const BATCH = 10
const SHOWN_MOST = 200

export type BeginUndoJob = OperatorAct & {
  readonly incidentId: string
  /** Decided in this time. Unix milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  /** One action of the skill; null for all that can be undone. */
  readonly action: string | null
}

export type UndoJobView = {
  readonly jobId: string
  readonly incidentId: string
  readonly operatorId: string
  readonly reason: string
  readonly status: 'running' | 'cancelled' | 'done'
  readonly createdAtMs: number
  readonly endedAtMs: number | null
  readonly total: number
  /** How many of each outcome; `waiting` are still to come. */
  readonly counts: Readonly<Record<string, number>>
  readonly items: readonly { readonly actionId: string; readonly status: string }[]
}

export type UndoJobBegun =
  | ReasonRefused
  | { readonly kind: 'incident_unknown' }
  | { readonly kind: 'nothing_to_undo' }
  | { readonly kind: 'too_much_to_undo' }
  | { readonly kind: 'begun'; readonly job: UndoJobView }

/**
 * Has what a skill did undone in bulk, from an incident: what it did in a time, for the incident's user or for all, as far
 * as its manifest lets it be undone and its window is open. What it is about is fixed here; each action is then asked for
 * by itself, and logged, like one its user undoes.
 */
export async function beginUndoJob(broker: Broker, input: BeginUndoJob): Promise<UndoJobBegun> {
  const refused = refuseReason(input)
  if (refused) return refused
  const incident = await broker.store.read(async (tx) => tx.incidents.find(input.incidentId))
  if (!incident) return { kind: 'incident_unknown' }
  const seal = await sealerFor(broker, { userId: '', skillId: incident.skillId })
  const begun = await broker.store.transaction<UndoJobRow | 'nothing_to_undo' | 'too_much_to_undo'>(
    async (tx) => {
      const rows = await undoable(broker, tx, incident, input)
      if (rows === 'too_much') return 'too_much_to_undo'
      if (rows.length === 0) return 'nothing_to_undo'
      const job: UndoJobRow = {
        id: broker.newId('undoJob'),
        incidentId: incident.id,
        operatorId: input.operatorId,
        reason: input.reason,
        status: 'running',
        createdAtMs: tx.nowMs,
        endedAtMs: null,
      }
      await tx.undos.insertJob(job)
      for (const { id, userId } of rows)
        await tx.undos.insertItem({ jobId: job.id, actionId: id, userId, status: 'waiting', atMs: tx.nowMs })
      await logJob(tx, seal, job, incident, 'undo_begun', input, { waiting: rows.length })
      return job
    },
  )
  if (typeof begun === 'string') return { kind: begun }
  const job = await findUndoJob(broker, begun.id)
  if (!job) throw new Error('a job that was just begun is missing')
  return { kind: 'begun', job }
}

async function undoable(
  broker: Broker,
  tx: Tx,
  { skillId, userId }: IncidentRow,
  { fromMs, toMs, action }: BeginUndoJob,
): Promise<ActionRow[] | 'too_much'> {
  const found: ActionRow[] = []
  const search = { userId, agentId: null, skillId, status: 'succeeded', fromMs, toMs }
  for (let before: { atMs: number; id: string } | null = null; ; ) {
    const page: ActionRow[] = await tx.actions.list(search, { limit: PAGE, before })
    for (const row of page) {
      if (action !== null && row.action !== action) continue
      const untilMs = await undoUntilIn(broker, tx, row)
      if (untilMs === null || tx.nowMs > untilMs) continue
      if ((await tx.undos.find(row.id, row.userId))?.status === 'undone') continue
      if (found.length === UNDO_ITEMS_MOST) return 'too_much'
      found.push(row)
    }
    const last = page.at(-1)
    if (page.length < PAGE || !last) return found
    before = { atMs: last.decidedAtMs, id: last.id }
  }
}

/** Goes on with every running job, a few actions each. Returns how many were asked for. */
export async function runUndoJobs(broker: Broker): Promise<number> {
  let asked = 0
  for (const job of await broker.store.read(async (tx) => tx.undos.running()))
    asked += await goOn(broker, job)
  return asked
}

async function goOn(broker: Broker, job: UndoJobRow): Promise<number> {
  const items = await broker.store.read(async (tx) => tx.undos.waitingItems(job.id, BATCH))
  let asked = 0
  for (const item of items) {
    // Cancelled meanwhile: what was not asked for is not asked for any more.
    const now = await broker.store.read(async (tx) => tx.undos.findJob(job.id))
    if (now?.status !== 'running') return asked
    const by = { operatorId: job.operatorId, reason: job.reason }
    const done = await undoAction(broker, { userId: item.userId, actionId: item.actionId, by })
    const status = done.kind === 'asked' ? done.outcome : done.kind
    await broker.store.transaction(async (tx) => tx.undos.setItem({ ...item, status, atMs: tx.nowMs }))
    asked += 1
  }
  if (items.length === 0) await end(broker, job, 'done', undefined)
  return asked
}

export type UndoJobCancelled =
  | ReasonRefused
  | { readonly kind: 'job_unknown' }
  | { readonly kind: 'undo_job_ended' }
  | { readonly kind: 'cancelled'; readonly job: UndoJobView }

/** Asks for nothing more of a job. What was asked for already stays undone. */
export async function cancelUndoJob(
  broker: Broker,
  input: OperatorAct & { readonly jobId: string },
): Promise<UndoJobCancelled> {
  const refused = refuseReason(input)
  if (refused) return refused
  const found = await broker.store.read(async (tx) => tx.undos.findJob(input.jobId))
  if (!found) return { kind: 'job_unknown' }
  if (!(await end(broker, found, 'cancelled', input))) return { kind: 'undo_job_ended' }
  const job = await findUndoJob(broker, found.id)
  return job ? { kind: 'cancelled', job } : { kind: 'job_unknown' }
}

async function end(
  broker: Broker,
  job: UndoJobRow,
  status: 'done' | 'cancelled',
  by: OperatorAct | undefined,
): Promise<boolean> {
  const incident = await broker.store.read(async (tx) => tx.incidents.find(job.incidentId))
  const seal = await sealerFor(broker, { userId: '', skillId: incident?.skillId ?? '' })
  return broker.store.transaction(async (tx) => {
    if (!(await tx.undos.endJob(job.id, status, tx.nowMs))) return false
    await tx.undos.endItems(job.id, 'cancelled', tx.nowMs)
    const counts = countsOf(await tx.undos.countItems(job.id))
    await logJob(tx, seal, job, incident, `undo_${status}`, by ?? job, counts)
    return true
  })
}

/** One job with how far it got; undefined for one that is not there. */
export function findUndoJob(broker: Pick<Broker, 'store'>, jobId: string): Promise<UndoJobView | undefined> {
  return broker.store.read(async (tx) => {
    const row = await tx.undos.findJob(jobId)
    return row && viewOf(tx, row)
  })
}

/** The jobs of an incident, newest first. */
export function listUndoJobs(broker: Pick<Broker, 'store'>, incidentId: string): Promise<UndoJobView[]> {
  return broker.store.read(async (tx) => {
    const views: UndoJobView[] = []
    for (const row of await tx.undos.jobsOf(incidentId)) views.push(await viewOf(tx, row))
    return views
  })
}

async function viewOf(tx: Tx, row: UndoJobRow): Promise<UndoJobView> {
  const counts = countsOf(await tx.undos.countItems(row.id))
  const items = await tx.undos.items(row.id, SHOWN_MOST)
  const { id: jobId, status, ...rest } = row
  return {
    jobId,
    ...rest,
    status: status as UndoJobView['status'],
    total: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts,
    items: items.map((item) => ({ actionId: item.actionId, status: item.status })),
  }
}

function countsOf(rows: readonly { status: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

async function logJob(
  tx: Tx,
  seal: LeafSealer,
  job: UndoJobRow,
  incident: IncidentRow | undefined,
  outcome: string,
  { operatorId, reason }: OperatorAct,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const leaf = seal(
    {
      type: 'incident',
      outcome,
      reason: incident?.kind ?? 'unknown',
      core: { incident: job.incidentId, skill: incident?.skillId ?? null, job: job.id, counts },
      subj: { operator: operatorId },
      body: { reason },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
}
