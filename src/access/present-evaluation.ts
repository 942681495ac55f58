import type { z } from 'zod'
import type { Evaluation } from '../broker/evaluate-access.ts'
import type { RefusalCode } from '../core/decision/decision.ts'
import { publicReason } from '../http/problem.ts'
import type { decisionShape } from './question-shapes.ts'

type Reason = Extract<Evaluation, { decision: false }>['reason']

/** A decision as it is answered by itself; a `true` says nothing but that. */
export function presentEvaluation(evaluation: Evaluation): z.input<typeof decisionShape> {
  if (evaluation.decision) return { decision: true }
  return { decision: false, context: { reason: reasonFor(evaluation.reason) } }
}

/** What an enforcement point learns: no more than the agent would, and nothing of who exists. */
export function reasonFor(reason: Reason): string {
  switch (reason) {
    case 'reserve_required':
    case 'resource_unknown':
    case 'not_enforced_here':
    case 'agent_required':
    case 'invalid_arguments':
      return reason
    case 'subject_unknown':
      return publicReason('consent_required')
    default:
      return publicReason(reason satisfies RefusalCode)
  }
}
