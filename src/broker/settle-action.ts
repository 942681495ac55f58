import { type Amount, readAmount } from '../core/decision/amount-of.ts'
import { readPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import { type Captured, captureOf, type Settlement, settle } from '../core/spending/settlement.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { toCounter, toLeg } from './counter-rows.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { openIncident } from './open-incident.ts'
import { noteRead, readIn } from './session-facts.ts'

/** What became of an execution, by whoever may say so: the skill, its signed receipt, or an operator. */
export type ActionOutcome =
  | { kind: 'succeeded'; result: JsonValue | null; charged: Amount | 'invalid' | null; by: SettledBy }
  | { kind: 'refused'; skillCode: string; by: SettledBy }
  /** Nothing happened, or nothing that anybody paid for. */
  | { kind: 'failed'; code: string; by: SettledBy }
  /** Authority was gone right before the first byte: nothing was sent. */
  | { kind: 'overtaken' }
  | { kind: 'in_doubt'; reason: string; nextCheckAtMs: number | null }

export type SettledBy =
  | { by: 'skill' }
  /** Nothing was sent: nobody else had a part in it. */
  | { by: 'broker' }
  | { by: 'receipt' }
  /** Whoever carried it out in the broker's place. */
  | { by: 'enforcement_point'; pointId: string }
  | { by: 'operator'; operatorId: string; reason: string }

export type Settling = { kind: 'settled'; row: ActionRow } | { kind: 'already_settled'; row: ActionRow }

/**
 * Moves an execution out of flight: captures or releases what it holds, once, and logs the outcome, all in one
 * transaction. What is in doubt keeps counting (P11): neither the agent nor a timer ever gets here for it.
 *
 * @param maySettle looked at in that transaction; an execution it says no to is left as it is.
 */
export async function settleAction(
  broker: Broker,
  row: Pick<ActionRow, 'id' | 'userId' | 'skillId'>,
  action: LoadedAction | null,
  outcome: ActionOutcome,
  maySettle: (row: ActionRow, nowMs: number) => boolean = () => true,
): Promise<Settling> {
  const seal = await sealerFor(broker, row)
  return broker.store.transaction(async (tx) => {
    const before = await tx.actions.find(row.id, row.userId)
    if (!before) throw new Error('an execution that was permitted is missing')
    if (before.status !== 'dispatched' && before.status !== 'in_doubt') {
      return { kind: 'already_settled', row: before }
    }
    if (!maySettle(before, tx.nowMs)) return { kind: 'already_settled', row: before }
    // That this process sent nothing says nothing about one that took the execution up and sent it again.
    if (before.doubtedAtMs !== null && isBrokersWord(outcome)) return { kind: 'already_settled', row: before }
    return outcome.kind === 'in_doubt'
      ? { kind: 'settled', row: await leaveInDoubt(tx, seal, before, outcome) }
      : { kind: 'settled', row: await close(broker, tx, seal, before, action, outcome) }
  }, row)
}

/** Nobody but this process has a part in the outcome: it did not send anything. */
function isBrokersWord(outcome: ActionOutcome): boolean {
  return outcome.kind === 'overtaken' || (outcome.kind !== 'in_doubt' && outcome.by.by === 'broker')
}

/** Where a result says what was taken; null when it does not say, and then the whole reservation counts. */
export function chargedIn(action: LoadedAction, result: JsonValue): Amount | 'invalid' | null {
  const place = action.declared.spends?.charged
  if (!place) return null
  const reading = readAmount(result, place, true)
  if (reading.ok) return reading.amount
  return reading.code === 'amount_missing' ? null : 'invalid'
}

type Final = Exclude<ActionOutcome, { kind: 'in_doubt' }>

async function leaveInDoubt(
  tx: Tx,
  seal: LeafSealer,
  before: ActionRow,
  outcome: Extract<ActionOutcome, { kind: 'in_doubt' }>,
): Promise<ActionRow> {
  const row = {
    ...before,
    status: 'in_doubt',
    reason: outcome.reason,
    nextCheckAtMs: outcome.nextCheckAtMs,
    // A new doubt where it was sent again: whatever was sent before may still arrive.
    doubtedAtMs: before.status === 'in_doubt' ? (before.doubtedAtMs ?? tx.nowMs) : tx.nowMs,
  }
  await tx.actions.update(row)
  // Asking again and hearing nothing new is not an event; the calls that asked are leaves of their own.
  if (before.doubtedAtMs !== null && before.reason === outcome.reason) return row
  await tx.log.append(seal(outcomeLeaf(row, 'in_doubt', outcome.reason, null), tx.nowMs), tx.nowMs)
  return row
}

async function close(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  before: ActionRow,
  action: LoadedAction | null,
  outcome: Final,
): Promise<ActionRow> {
  const captured = capturedBy(before, outcome)
  await moveMoney(tx, before, captured)

  const reason = reasonOf(outcome)
  let row: ActionRow = {
    ...before,
    status: STATUS_AFTER[outcome.kind],
    reason,
    heldMinor: 0,
    capturedMinor: captured?.capturedMinor ?? 0,
    overrunMinor: captured?.overrunMinor ?? 0,
    counted: captured !== null,
    settledBy: settledByOf(outcome),
    settledAtMs: tx.nowMs,
    nextCheckAtMs: null,
  }
  const leaf = seal(outcomeLeaf(row, outcome.kind, reason, outcome), tx.nowMs)
  row = { ...row, settleEventId: leaf.eventId, settleLeafHash: leaf.leafHash }
  await tx.log.append(leaf, tx.nowMs)
  await tx.actions.update(row)

  if (captured === null) await giveBack(tx, before)
  // What was never sent has been remembered by nobody.
  if (isBrokersWord(outcome)) await tx.skillDuties.removeOfAction(row.userId, row.id)
  if (captured?.incident) {
    await openIncident(broker, tx, seal, {
      kind: 'overrun',
      userId: row.userId,
      skillId: row.skillId,
      actionId: row.id,
      detail: JSON.stringify({
        incident: captured.incident,
        overrunMinor: captured.overrunMinor,
        charged: chargedOf(outcome),
      }),
      stopsSpending: true,
    })
  }
  if (outcome.kind === 'succeeded' && outcome.result !== null && action) {
    await noteSuccess(tx, row, action, outcome.result)
  }
  return row
}

const STATUS_AFTER = {
  succeeded: 'succeeded',
  refused: 'refused_by_skill',
  failed: 'failed',
  overtaken: 'overtaken',
} as const

/** What the outcome captures; null when all of it is released. */
function capturedBy(row: ActionRow, outcome: Final): Captured | null {
  if (outcome.kind !== 'succeeded') return null
  if (row.currency === null || row.reservedMinor === null) {
    return { capturedMinor: 0, overrunMinor: 0, incident: null }
  }
  return captureOf(
    { amountMinor: row.reservedMinor, currency: row.currency },
    outcome.kind === 'succeeded' ? outcome.charged : null,
  )
}

async function moveMoney(tx: Tx, row: ActionRow, captured: Captured | null): Promise<void> {
  const rows = await tx.counters.covering(row.userId, row.lineageId, row.skillId, row.action, row.currency)
  const settlement: Settlement =
    captured === null ? { kind: 'release' } : { kind: 'capture', capturedMinor: captured.capturedMinor }
  const changed = settle(rows.map(toCounter), toLeg(row), settlement)
  await tx.counters.move(row.userId, changed)
}

/** Moves what a permit without money holds to what was taken: it is settled by its own transaction. */
export async function countAsTaken(tx: Tx, row: ActionRow): Promise<void> {
  // The leg as it was reserved: only what is open can be captured.
  await moveMoney(tx, { ...row, status: 'dispatched' }, { capturedMinor: 0, overrunMinor: 0, incident: null })
}

/** What a permit had claimed besides money: the debt it would have settled, the repetitions it announced. */
async function giveBack(tx: Tx, row: ActionRow): Promise<void> {
  await tx.debts.clearPayment(row.id, row.userId)
  await tx.commitments.setStatus(row.id, 'ended', row.userId)
}

async function noteSuccess(tx: Tx, row: ActionRow, action: LoadedAction, result: JsonValue): Promise<void> {
  const { owes } = action.declared
  if (owes) {
    const amount = readAmount(result, owes.amount)
    const payee = readPointer(result, owes.payeePointer)
    if (amount.ok && typeof payee === 'string') {
      await tx.debts.insert({
        actionId: row.id,
        userId: row.userId,
        payee,
        ...amount.amount,
        paidByActionId: null,
      })
    }
  }
  const whose = { sessionId: row.sessionId, userId: row.userId, agentId: row.agentId }
  await noteRead(tx, whose, readIn(action))
}

function reasonOf(outcome: Final): string {
  switch (outcome.kind) {
    case 'succeeded':
      return 'done'
    case 'refused':
      return outcome.skillCode
    case 'failed':
      return outcome.code
    case 'overtaken':
      return 'overtaken'
  }
}

function settledByOf(outcome: Final): string {
  if (outcome.kind === 'overtaken') return 'broker'
  if (outcome.by.by === 'enforcement_point') return outcome.by.pointId
  return outcome.by.by === 'operator' ? `operator:${outcome.by.operatorId}` : outcome.by.by
}

function chargedOf(outcome: Final): JsonValue {
  if (outcome.kind !== 'succeeded' || outcome.charged === null) return null
  return outcome.charged === 'invalid' ? 'invalid' : { ...outcome.charged }
}

function outcomeLeaf(row: ActionRow, outcome: string, reason: string, final: Final | null) {
  const by = final && final.kind !== 'overtaken' && final.by.by === 'operator' ? final.by : null
  return {
    type: 'outcome' as const,
    outcome,
    // A skill's own code is its words: it stays in the sealed part.
    reason: final?.kind === 'refused' ? 'refused_by_skill' : reason,
    core: {
      skill: row.skillId,
      action: row.action,
      manifest: row.manifestDigest,
      currency: row.currency,
      reserved: row.reservedMinor,
      captured: row.capturedMinor,
      overrun: row.overrunMinor,
      settledBy: row.settledBy,
      ...(by ? { operatorReason: by.reason } : {}),
    },
    subj: { user: row.userId, agent: row.agentId, grant: row.grantId, actionId: row.id },
    body: { reason, result: final?.kind === 'succeeded' ? final.result : null },
  }
}
