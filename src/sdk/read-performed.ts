import type { z } from 'zod'
import type { actionAnswer } from './agent-answers.ts'
import { type AgentFault, type Answered, failed, succeeded } from './agent-fault.ts'
import type { Performed, Question } from './agent-request.ts'
import type { BrokerAnswer } from './broker-transport.ts'

/** Reads what the broker made of an action. A decided no is an answer; only what was not decided is a fault. */
export function performed(answer: Answered<BrokerAnswer<z.infer<typeof actionAnswer>>>): Answered<Performed> {
  if (!answer.ok) {
    const { fault } = answer
    const isDecided = fault.status === 403 && typeof fault.facts.actionId === 'string'
    return isDecided ? succeeded({ kind: 'refused', fault, question: consentIn(fault) }) : answer
  }
  const { value, isReplayed } = answer.value
  if ('skill' in value) {
    // Permitted, and not settled while this was answered: what becomes of it is not known.
    const isOpen = value.status === 'dispatched' || value.status === 'in_doubt'
    return succeeded(
      isOpen ? { kind: 'in_doubt', actionId: value.actionId } : { kind: 'done', action: value, isReplayed },
    )
  }
  const { actionId, status, approvalId, approvalUrl, questions = [], expiresAtMs = 0 } = value
  if (status === 'in_doubt') return succeeded({ kind: 'in_doubt', actionId })
  if (approvalId === undefined || approvalUrl === undefined) return failed('unexpected_answer', 202)
  const question: Question = { kind: 'approval', id: approvalId, url: approvalUrl, expiresAtMs }
  return succeeded({ kind: 'approval_required', actionId, question, reasons: questions })
}

/** The consent the broker asks for by itself when an action lacks it. */
function consentIn({ facts }: AgentFault): Question | null {
  const { consentRequestId: id, consentUrl: url, consentExpiresAtMs: expiresAtMs } = facts
  if (typeof id !== 'string' || typeof url !== 'string') return null
  return { kind: 'consent', id, url, expiresAtMs: typeof expiresAtMs === 'number' ? expiresAtMs : 0 }
}
