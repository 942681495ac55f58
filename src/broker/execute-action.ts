import type { Outcome } from '../core/execution/outcome.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { authorityStands, isStillOurs } from './authority-stands.ts'
import type { Permit } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import { nextCheckAtMs } from './next-check.ts'
import { type SkillRequest, sendIfStill } from './send-to-skill.ts'
import { type ActionOutcome, chargedIn, settleAction } from './settle-action.ts'

/**
 * Carries out what was permitted. The permit's transaction is durable before this is called, and is the mark of
 * dispatch: whatever happens from here on ends settled or in doubt, never forgotten.
 */
export async function executeAction(broker: Broker, permit: Permit): Promise<ActionRow> {
  const { row, action } = permit
  const outcome = await carryOut(broker, permit).catch((error: unknown): ActionOutcome => {
    // Where it broke is not known, so neither is whether anything was sent: asked about like any other doubt.
    broker.logger.error('execution_failed', { error })
    const { nowMs } = broker.store.now()
    return { kind: 'in_doubt', reason: 'broker_failed', nextCheckAtMs: nextCheckAtMs(action, row, nowMs) }
  })
  if (outcome === 'not_ours') return asItIsNow(broker, row)
  const { row: settled } = await settleAction(broker, row, action, outcome)
  return settled
}

/** Somebody else took it up meanwhile and settles it: nothing was sent from here, and nothing is said of it. */
async function asItIsNow(broker: Broker, row: ActionRow): Promise<ActionRow> {
  broker.logger.warn('execution_taken_up_elsewhere')
  const now = await broker.store.read(async (tx) => tx.actions.find(row.id, row.userId))
  if (!now) throw new Error('an execution that was permitted is missing')
  return now
}

async function carryOut(broker: Broker, permit: Permit): Promise<ActionOutcome | 'not_ours'> {
  const { row, loaded, action, body } = permit
  if (body === null || row.eventId === null || row.leafHash === null || row.brokerKey === null) {
    return { kind: 'failed', code: 'skill_not_configured', by: { by: 'broker' } }
  }
  const last: { standing: Standing } = { standing: 'not_ours' }
  const request: SkillRequest = {
    kind: 'action',
    loaded,
    action,
    body,
    userId: row.userId,
    executionId: row.id,
    brokerKey: row.brokerKey,
    leaf: { eventId: row.eventId, leafHash: row.leafHash, atMs: row.decidedAtMs },
    grantId: row.grantId,
    amount: amountOfRow(row),
    retentionDays: permit.retentionDays,
    signal: broker.inFlight.signalOf(row.id),
  }
  const outcome = await sendIfStill(broker, request, async () => {
    last.standing = await broker.store.read((tx) => standingOf(tx, row))
    return last.standing === 'stands'
  })
  if (!outcome) return last.standing === 'overtaken' ? { kind: 'overtaken' } : 'not_ours'
  return toActionOutcome(outcome, action, row, broker.store.now().nowMs)
}

type Standing = 'stands' | 'overtaken' | 'not_ours'

async function standingOf(tx: Tx, row: ActionRow): Promise<Standing> {
  if (!(await isStillOurs(tx, row))) return 'not_ours'
  return (await authorityStands(tx, row)) ? 'stands' : 'overtaken'
}

export function amountOfRow(row: ActionRow): { amountMinor: number; currency: string } | null {
  return row.currency === null || row.reservedMinor === null
    ? null
    : { amountMinor: row.reservedMinor, currency: row.currency }
}

/** What an answer of the skill means for the ledger. */
export function toActionOutcome(
  outcome: Outcome<JsonValue>,
  action: LoadedAction,
  row: ActionRow,
  nowMs: number,
): ActionOutcome {
  const by = { by: 'skill' } as const
  switch (outcome.kind) {
    case 'succeeded':
      return { kind: 'succeeded', result: outcome.result, charged: chargedIn(action, outcome.result), by }
    case 'refused':
      return { kind: 'refused', skillCode: outcome.skillCode, by }
    case 'failed_before_effect':
      return { kind: 'failed', code: outcome.code, by: { by: 'broker' } }
    case 'failed':
      return { kind: 'failed', code: outcome.code, by }
    case 'in_doubt':
      return { kind: 'in_doubt', reason: outcome.reason, nextCheckAtMs: nextCheckAtMs(action, row, nowMs) }
  }
}
