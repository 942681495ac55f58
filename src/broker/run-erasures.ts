import { canBeHeld, type ErasureStep, type ErasureWait } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { IncidentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { CancelInFlight } from './cancel-in-flight.ts'
import { doErasureStep } from './erasure-step.ts'
import { inErasureUnit, waitInTx } from './erasure-unit.ts'

const AT_ONCE = 10
/** Steps after which rows that were in the open, or what was sealed, must not be found in files any more. */
const REMOVES_ROWS: ReadonlySet<string> = new Set(['marks', 'rows', 'channels'])

/**
 * Takes every erasure that is due as far as it goes: until it is done, or waits for something. A crash loses nothing:
 * the row says which step comes next, and each may be done twice.
 *
 * @returns how many were looked at.
 */
export async function runErasures(broker: Broker, cancelInFlight: CancelInFlight): Promise<number> {
  const due = await broker.store.read(async (tx) => tx.erasures.due(tx.nowMs, AT_ONCE))
  for (const erasure of due) await runErasure(broker, erasure, cancelInFlight)
  return due.length
}

/** Takes one erasure as far as it goes. */
async function runErasure(broker: Broker, due: ErasureRow, cancelInFlight: CancelInFlight): Promise<void> {
  for (;;) {
    const erasure = await begin(broker, due)
    if (!erasure) return
    const waitsFor = await doErasureStep(broker, erasure, cancelInFlight)
    if (waitsFor === null) {
      if (REMOVES_ROWS.has(erasure.step) && (await broker.store.overwriteRemnants?.()) === false)
        broker.logger.warn('remnants_left', { id: erasure.id })
      continue
    }
    await inErasureUnit(broker, due, (tx, row, seal) => waitInTx(broker, tx, seal, row, waitsFor))
    return
  }
}

/** The erasure, if its next step may be done now: it is its time, and nothing holds it. */
function begin(broker: Broker, due: ErasureRow): Promise<ErasureRow | undefined> {
  return inErasureUnit(broker, due, async (tx, row, seal) => {
    if (row.endedAtMs !== null || tx.nowMs < Math.max(row.checkAtMs, row.dueAtMs)) return undefined
    const held = canBeHeld(row.step as ErasureStep) ? await holdOf(tx, row) : undefined
    if (held) {
      await waitInTx(broker, tx, seal, row, held)
      return undefined
    }
    if (row.status === 'running') return row
    const running = { ...row, status: 'running', waitsFor: null }
    await tx.erasures.update(running)
    return running
  })
}

/** What keeps it from going on: data somebody has to look into is not erased under their hands. */
async function holdOf(tx: Tx, { userId, scope, scopeId }: ErasureRow): Promise<ErasureWait | undefined> {
  if (await tx.legalHolds.find(userId)) return 'legal_hold'
  for (const incident of await tx.incidents.openOf(userId)) {
    if (scope === 'skill' && incident.skillId !== scopeId) continue
    if (scope === 'agent' && (await isOfAnother(tx, incident, scopeId))) continue
    return 'incident'
  }
  return undefined
}

/** Whether an incident is about what another agent did; one that names no action may be about any. */
async function isOfAnother(tx: Tx, { actionId, userId }: IncidentRow, agentId: string | null) {
  const action = actionId === null ? undefined : await tx.actions.find(actionId, userId ?? undefined)
  return action !== undefined && action.agentId !== agentId
}
