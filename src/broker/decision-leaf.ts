import type { Decision, Facts } from '../core/decision/decision.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import { enforcerOf } from './handed-over.ts'
import type { ModelNames } from './load-facts.ts'

/** The leaf that proves one decision: what was asked of what, and what the answer was. */
export function decisionLeaf(
  row: ActionRow,
  decision: Decision,
  facts: Facts & { readonly model?: ModelNames },
  action: LoadedAction | null,
): LeafContent {
  const enforcedBy = decision.effect === 'permit' ? enforcerOf(row) : null
  const reason = decision.effect === 'deny' ? decision.refusal.code : row.reason
  return {
    type: 'decision',
    outcome: decision.effect,
    reason,
    core: {
      skill: row.skillId,
      manifest: row.manifestDigest,
      action: row.action,
      effects: [...(action?.declared.effects ?? [])],
      amount: facts.amount?.amountMinor ?? null,
      currency: facts.amount?.currency ?? null,
      ...(decision.effect === 'deny'
        ? { refusal: JSON.parse(JSON.stringify(decision.refusal)) as JsonValue }
        : {}),
      ...(enforcedBy === null ? {} : { enforcedBy }),
      ...(decision.effect === 'ask' ? { questions: [...decision.questions] } : {}),
    },
    subj: {
      user: row.userId,
      agent: row.agentId,
      deployment: row.deploymentId,
      grant: row.grantId,
      approval: row.approvalId,
      actionId: row.id,
    },
    body: {
      arguments: facts.arguments,
      recipients: [...facts.recipients],
      ...(facts.model ? { model: { ...facts.model } } : {}),
    },
  }
}
