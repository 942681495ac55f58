import { counterFaults } from '../core/spending/recount.ts'
import type { RegisterEntry } from '../ports/checkpoint-register.ts'
import { ACTION_STATUSES, type ActionRow } from '../ports/rows.ts'
import type { Store, Tx } from '../ports/store.ts'
import { toCounter, toLeg } from './counter-rows.ts'
import { auditLeaves, type LogDiagnosis } from './doctor-log.ts'
import { auditPastLogs, type PastLogDiagnosis } from './doctor-past-logs.ts'
import { placedLeaf } from './prove-leaf.ts'

/** One thing that is not as it must be. `where` names it without personal data beyond ids. */
type DoctorFault = {
  readonly code:
    | 'counter_differs'
    | 'counter_above_ceiling'
    | 'counter_unreadable'
    | 'permit_without_leaf'
    | 'outcome_without_leaf'
    | 'leaf_of_action_differs'
    | 'settled_but_held'
    | 'unknown_status'
    | LogDiagnosis['code']
    | PastLogDiagnosis['code']
  readonly where: string
  readonly detail: string
}

export type DoctorReport = {
  readonly faults: readonly DoctorFault[]
  /** Permitted and not settled: no fault, but somebody should know. */
  readonly unsettled: readonly Pick<ActionRow, 'id' | 'skillId' | 'action' | 'status' | 'decidedAtMs'>[]
  readonly checked: { readonly users: number; readonly counters: number; actions: number; leaves: number }
}

const PAGE = 500
/** Leaves of committed work that may stand in line for the sequencer: far more than it would let pass. */
const IN_LINE_MOST = 100_000

/** Finds the leaf of an event, in a log or in line for one. */
type FindLeaf = (eventId: string) => Promise<{ leafHash: Buffer } | undefined>

const SETTLED = new Set(['succeeded', 'refused_by_skill', 'failed', 'overtaken', 'outcome_unknown'])
const OPEN = new Set(['dispatched', 'in_doubt'])

/**
 * Recomputes everything that is kept as a sum or a hash from what it was made of: counters from the permits they
 * count, the tree from its leaves. Reads only; run it on a view that does not change meanwhile.
 *
 * @param registered what the checkpoint register holds, to hold the log against; undefined to leave it out.
 */
export async function examineStore(
  store: Pick<Store, 'read'>,
  registered?: RegisterEntry,
): Promise<DoctorReport> {
  return store.read(async (tx) => {
    const users = await tx.counters.users()
    const counters = await examineCounters(tx, users)
    const inLine = new Map((await tx.logQueue.oldest(IN_LINE_MOST)).map((leaf) => [leaf.eventId, leaf]))
    const findLeaf: FindLeaf = async (eventId) => (await placedLeaf(tx, eventId)) ?? inLine.get(eventId)
    const actions = await examineActions(tx, findLeaf)
    const log = await auditLeaves(tx, registered)
    const past = await auditPastLogs(tx)
    const unsettled = await tx.actions.unsettled(null)
    return {
      faults: [...counters.faults, ...actions.faults, ...log.faults, ...past],
      unsettled: unsettled.map(({ id, skillId, action, status, decidedAtMs }) => ({
        id,
        skillId,
        action,
        status,
        decidedAtMs,
      })),
      checked: {
        users: users.length,
        counters: counters.checked,
        actions: actions.checked,
        leaves: log.treeSize,
      },
    }
  })
}

async function examineCounters(tx: Tx, users: readonly string[]) {
  const faults: DoctorFault[] = []
  let checked = 0
  for (const userId of users) {
    const everything = { lineageId: null, skillId: null, action: null, currency: null }
    const time = { fromMs: -1, toMs: Number.MAX_SAFE_INTEGER }
    const legs = (await tx.counters.legs({ userId, ...everything, ...time })).map(toLeg)
    for (const row of await tx.counters.list(userId)) {
      checked += 1
      const where = `counter ${row.counterId} of ${userId}`
      try {
        for (const fault of counterFaults(toCounter(row), legs)) {
          const code = fault.kind === 'above_ceiling' ? 'counter_above_ceiling' : 'counter_differs'
          faults.push({
            code,
            where,
            detail: `${fault.kind}: expected ${fault.expected}, found ${fault.found}`,
          })
        }
      } catch (error) {
        faults.push({ code: 'counter_unreadable', where, detail: String(error) })
      }
    }
  }
  return { faults, checked }
}

async function examineActions(tx: Tx, findLeaf: FindLeaf) {
  const faults: DoctorFault[] = []
  let checked = 0
  const all = { userId: null, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  let before: { atMs: number; id: string } | null = null
  for (;;) {
    const rows: ActionRow[] = await tx.actions.list(all, { limit: PAGE, before })
    for (const row of rows) faults.push(...(await actionFaults(findLeaf, row)))
    checked += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return { faults, checked }
    before = { atMs: last.createdAtMs, id: last.id }
  }
}

async function actionFaults(findLeaf: FindLeaf, row: ActionRow): Promise<DoctorFault[]> {
  const where = `action ${row.id}`
  const faults: DoctorFault[] = []
  if (!(ACTION_STATUSES as readonly string[]).includes(row.status))
    faults.push({ code: 'unknown_status', where, detail: row.status })
  const wasPermitted = SETTLED.has(row.status) || OPEN.has(row.status) || row.reservedAtMs !== null
  const leaf = row.eventId === null ? undefined : await findLeaf(row.eventId)
  if (wasPermitted && !leaf)
    faults.push({ code: 'permit_without_leaf', where, detail: 'it was permitted, and no leaf says so' })
  else if (row.eventId !== null && !(leaf && row.leafHash && leaf.leafHash.equals(row.leafHash)))
    faults.push({ code: 'leaf_of_action_differs', where, detail: 'its leaf is missing or another one' })
  if (!SETTLED.has(row.status)) return faults

  if (row.heldMinor !== 0)
    faults.push({ code: 'settled_but_held', where, detail: `${row.heldMinor} are still held` })
  const outcome = row.settleEventId === null ? undefined : await findLeaf(row.settleEventId)
  // What nobody will ever report has the permit's leaf, which says so.
  if (!outcome && row.status !== 'outcome_unknown')
    faults.push({ code: 'outcome_without_leaf', where, detail: 'it ended, and no leaf says so' })
  return faults
}
