import { z } from 'zod'
import type { AgentQuestion } from '../broker/agent-question.ts'
import type { Performed } from '../broker/perform-action.ts'
import type { ActionView } from '../broker/view-action.ts'
import type { Decision, Invalid, RefusalCode } from '../core/decision/decision.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Answer } from './answer.ts'
import { timeMs } from './path-id.ts'
import { problem, publicFacts, publicReason } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { approvalUrlOf, consentUrlOf } from './wait-query.ts'

export const amountShape = z.strictObject({
  currency: z.string(),
  reservedMinor: z.int().nullable(),
  heldMinor: z.int(),
  capturedMinor: z.int(),
  overrunMinor: z.int(),
})

/** An action as its agent, its user and operators see it; what stays between user and broker is not in it. */
export const actionShape = z.strictObject({
  actionId: z.string(),
  agentId: z.string(),
  skill: z.string(),
  action: z.string(),
  status: z.enum([
    'waiting',
    'refused',
    'dispatched',
    'in_doubt',
    'succeeded',
    'refused_by_skill',
    'failed',
    'overtaken',
    'outcome_unknown',
  ]),
  reason: z.string(),
  amount: amountShape.nullable(),
  /** Null where the agent did not say. */
  deployment: z.string().nullable(),
  createdAtMs: timeMs,
  settledAtMs: timeMs.nullable(),
})

/** What the log owes whoever was answered: kept, it proves a leaf that is missing later (`log promise`). */
const promises = z
  .array(z.string())
  .meta({ description: "The log's signed promises to include the leaves behind this answer, compact JWS." })

export const outcomeShape = actionShape.extend({
  /** What the skill answered, without the fields this caller may not see; absent where there is none. */
  result: z.unknown().optional(),
  /** Pointers of the fields that were cut out. */
  cut: z.array(z.string()),
  withheld: z.enum(['grant_ended', 'erased']).nullable(),
  promises,
})

export const pendingShape = z.strictObject({
  actionId: z.string(),
  status: z.enum(['approval_required', 'in_doubt']),
  approvalId: z.string().optional(),
  /** The page its user answers on; for anybody else there is nothing there. */
  approvalUrl: z.string().optional(),
  questions: z.array(z.string()).optional(),
  expiresAtMs: timeMs.optional(),
  detail: z.string(),
  promises,
})

export const previewShape = z.strictObject({
  dryRun: z.literal(true),
  decision: z.enum(['permit', 'ask', 'deny']),
  questions: z.array(z.string()).optional(),
  /** The problem a real call would be refused with. */
  refusal: z.looseObject({ code: z.string(), title: z.string(), detail: z.string() }).optional(),
})

export function presentAction(row: ActionRow): z.input<typeof actionShape> {
  return {
    actionId: row.id,
    agentId: row.agentId,
    skill: row.skillId,
    action: row.action,
    status: row.status as z.input<typeof actionShape>['status'],
    reason: row.status === 'refused' ? publicReasonOf(row.reason) : row.reason,
    amount:
      row.currency === null
        ? null
        : {
            currency: row.currency,
            reservedMinor: row.reservedMinor,
            heldMinor: row.heldMinor,
            capturedMinor: row.capturedMinor,
            overrunMinor: row.overrunMinor,
          },
    deployment: row.deploymentId === '' ? null : row.deploymentId,
    createdAtMs: row.createdAtMs,
    settledAtMs: row.settledAtMs,
  }
}

export function presentOutcome(
  { row, result, cut, withheld }: ActionView,
  promises: readonly string[],
): z.input<typeof outcomeShape> {
  return {
    ...presentAction(row),
    ...(result === undefined ? {} : { result }),
    cut: [...cut],
    withheld,
    promises: [...promises],
  }
}

/** Tells an agent what came of its request (DESIGN section 4). */
export function answerPerformed(
  performed: Performed,
  pages: { issuer: string; consent: AgentQuestion | undefined },
): Answer {
  switch (performed.kind) {
    case 'done': {
      const headers = replayed(performed.replayed)
      const { row } = performed.view
      if (row.status === 'overtaken')
        return problem('overtaken', { headers, members: { actionId: row.id, ...owed(performed) } })
      return { status: 200, headers, body: presentOutcome(performed.view, performed.promises) }
    }
    case 'ask':
      return {
        status: 202,
        body: {
          actionId: performed.row.id,
          status: 'approval_required',
          approvalId: performed.approval.id,
          approvalUrl: approvalUrlOf(pages.issuer, performed.approval.id),
          questions: performed.questions,
          expiresAtMs: performed.approval.expiresAtMs,
          detail: 'The user is asked. Repeat the same request with the same Idempotency-Key after the yes.',
          ...owed(performed),
        },
      }
    case 'in_doubt':
      return {
        status: 202,
        headers: replayed(performed.replayed),
        body: {
          actionId: performed.row.id,
          status: 'in_doubt',
          detail: 'It was sent, and what became of it is not known yet. Do not try again with another key.',
          ...owed(performed),
        },
      }
    case 'denied':
      return problem(publicReason(performed.refusal.code), {
        members: {
          actionId: performed.row.id,
          ...publicFacts(performed.refusal),
          ...owed(performed),
          ...(pages.consent ? consentMembers(pages.issuer, pages.consent) : {}),
        },
      })
    case 'refused_before':
      return problem(publicReasonOf(performed.row.reason), {
        headers: replayed(true),
        detail:
          'This was refused before under the same Idempotency-Key, and stays refused: try with a new key.',
        members: { actionId: performed.row.id, ...owed(performed) },
      })
    case 'in_flight':
      return problem('idempotency_in_flight', { headers: { 'retry-after': '1' } })
    case 'key_conflict':
      return problem('idempotency_conflict')
    case 'invalid':
      return problem('invalid_arguments', { faults: performed.faults })
  }
}

/** Where the user can answer: the link works in any browser, for this user alone. */
function consentMembers(issuer: string, { id, expiresAtMs }: AgentQuestion) {
  return { consentRequestId: id, consentUrl: consentUrlOf(issuer, id), consentExpiresAtMs: expiresAtMs }
}

/** Tells what a real call would be told, and nothing more. */
export function answerPreview(decision: Decision | Invalid): Answer {
  switch (decision.effect) {
    case 'invalid':
      return problem('invalid_arguments', { faults: decision.faults })
    case 'permit':
      return { status: 200, body: { dryRun: true, decision: 'permit' } }
    case 'ask':
      return { status: 200, body: { dryRun: true, decision: 'ask', questions: decision.questions } }
    case 'deny': {
      const { body } = problem(publicReason(decision.refusal.code), {
        members: publicFacts(decision.refusal),
      })
      return { status: 200, body: { dryRun: true, decision: 'deny', refusal: body } }
    }
  }
}

function owed({ promises }: Performed): { promises: string[] } {
  return { promises: [...promises] }
}

function replayed(isReplayed: boolean): Readonly<Record<string, string>> {
  return isReplayed ? { 'idempotent-replayed': 'true' } : {}
}

/** A stored reason; one that an older version wrote and nobody knows any more tells nothing. */
function publicReasonOf(reason: string): ProblemCode {
  return publicReason(reason as RefusalCode) ?? 'decision_failed'
}
