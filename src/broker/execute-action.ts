import type { Outcome } from '../core/execution/outcome.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import { authorityStands } from './authority-stands.ts'
import type { Permit } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import { nextCheckAtMs } from './next-check.ts'
import { sendToSkill } from './send-to-skill.ts'
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
  const { row: settled } = await settleAction(broker, row, action, outcome)
  return settled
}

async function carryOut(broker: Broker, permit: Permit): Promise<ActionOutcome> {
  const { row, loaded, action, body } = permit
  if (body === null || row.leafHash === null || row.brokerKey === null) {
    return { kind: 'failed', code: 'skill_not_configured', by: { by: 'broker' } }
  }
  if (!(await broker.store.read((tx) => authorityStands(tx, row)))) return { kind: 'overtaken' }
  const outcome = await sendToSkill(broker, {
    kind: 'action',
    loaded,
    action,
    body,
    userId: row.userId,
    executionId: row.id,
    brokerKey: row.brokerKey,
    leafHash: row.leafHash,
    amount: amountOfRow(row),
    retentionDays: permit.retentionDays,
  })
  return toActionOutcome(outcome, action, row, broker.store.now().nowMs)
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
