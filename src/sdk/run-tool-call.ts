import type { JsonObject } from '../core/json-value.ts'
import type { AgentTool } from './agent-answers.ts'
import type { AgentClient } from './agent-client.ts'
import type { AgentFault } from './agent-fault.ts'
import type { Performed, Question, QuestionEnd } from './agent-request.ts'
import type { Attempt, ToolAttempts } from './tool-attempts.ts'
import { isReadOnly } from './tool-format.ts'
import {
  AGAIN,
  tellDone,
  tellDoneBefore,
  tellFault,
  tellInDoubt,
  tellRefused,
  tellWaiting,
} from './tool-result.ts'

/** A call that could be read: a tool that was offered, and arguments that are a JSON object. */
export type ReadCall = { readonly tool: AgentTool; readonly arguments: JsonObject }

/** A question as it is shown to the user, with what it is about. The arguments are the model's, not yet validated. */
export type AskedUser = Question & { readonly tool: AgentTool; readonly arguments: JsonObject }

export type CallDeps = {
  readonly client: AgentClient
  readonly attempts: ToolAttempts
  readonly now: () => number
  readonly deploymentId: string
  readonly model: { readonly requested: string; readonly returned: string }
  readonly signal: AbortSignal
  /** How long to wait for the user's answer to one question, in milliseconds. */
  readonly answerWithinMs: number
  readonly onQuestion: (question: AskedUser) => void | Promise<void>
  /** Told the key before anything is sent under it, so that it can be kept. */
  readonly onKey: (key: string, call: ReadCall) => void | Promise<void>
}

/** What became of one call. */
export type CallEnd = {
  /** What the model is told. */
  readonly text: string
  readonly code: string
  readonly key: string | null
  readonly actionId: string | null
  /** The loop cannot go on, whatever the model does. */
  readonly stops?: 'deployment_not_allowed' | 'broker_unavailable' | 'signed_out' | 'aborted'
  /** A consent was given: there may be other tools now. */
  readonly consented?: boolean
}

/** A call may need a consent and then an approval, and is decided anew after each. */
const QUESTIONS_MOST = 2

/** Has a broker carry out one call of a model: asks, waits for the user, asks again. Never throws for what they answer. */
export async function runToolCall(deps: CallDeps, call: ReadCall): Promise<CallEnd> {
  const { client, attempts, signal } = deps
  const own = splitAgain(call)
  if (!own) return refused('invalid_arguments', `/${AGAIN} is a whole number of at least 1.`)
  const attempt = isReadOnly(call.tool) ? attempts.ofRead() : attempts.of(call.tool.tool, own.arguments)
  const before = attempts.doneBefore(attempt, own.again)
  if (before) {
    const seconds = Math.round((deps.now() - before.atMs) / 1000)
    const text = tellDoneBefore(before.action, attempt.done + 1, seconds)
    return { text, code: 'done_before', key: null, actionId: before.action.actionId }
  }

  let consented = false
  for (let questions = 0; ; questions += 1) {
    const key = attempts.keyOf(attempt, own.again)
    await deps.onKey(key, call)
    const { tool } = call
    const answer = await client.perform(
      {
        skill: tool.skill,
        action: tool.action,
        arguments: own.arguments,
        deployment: deps.deploymentId,
        model: deps.model,
        key,
      },
      { signal },
    )
    if (!answer.ok) return { ...faultEnd(answer.fault), key, consented }
    const performed = answer.value
    const question = questionOf(performed)
    if (!question || questions >= QUESTIONS_MOST)
      return { ...settle(deps, attempt, own.again, performed), key, consented }

    await deps.onQuestion({ ...question, tool, arguments: own.arguments })
    const waited = await client.awaitAnswer(question, { signal, withinMs: deps.answerWithinMs })
    if (!waited.ok) return { ...faultEnd(waited.fault), key, consented }
    const end = waited.value
    // A decided no stays no under its key, so that a consent takes another; an approval goes on under the same.
    if (performed.kind === 'refused') attempts.refuse(attempt)
    if (end !== 'approved' && end !== 'used') return { ...unansweredEnd(question, end), key, consented }
    consented ||= question.kind === 'consent'
  }
}

function questionOf(performed: Performed): Question | null {
  switch (performed.kind) {
    case 'approval_required':
    case 'refused':
      return performed.question
    default:
      return null
  }
}

type End = Omit<CallEnd, 'key' | 'consented'>

function settle(
  { attempts }: CallDeps,
  attempt: Attempt,
  again: number | undefined,
  performed: Performed,
): End {
  switch (performed.kind) {
    case 'done': {
      const { action } = performed
      attempts.settle(attempt, action, again)
      return { text: tellDone(action), code: action.status, actionId: action.actionId }
    }
    case 'in_doubt':
      return { text: tellInDoubt(performed.actionId), code: 'in_doubt', actionId: performed.actionId }
    case 'approval_required': {
      const { question, actionId } = performed
      return { text: tellWaiting(question, 'approval_required'), code: 'approval_required', actionId }
    }
    case 'refused': {
      const { fault } = performed
      attempts.refuse(attempt)
      const { actionId } = fault.facts
      const end = {
        text: tellFault(fault),
        code: fault.code,
        actionId: typeof actionId === 'string' ? actionId : null,
      }
      return fault.code === 'deployment_not_allowed' ? { ...end, stops: fault.code } : end
    }
  }
}

function faultEnd(fault: AgentFault): End {
  const end = { text: tellFault(fault), code: fault.code, actionId: null }
  switch (fault.code) {
    case 'unreachable':
    case 'unexpected_answer':
    case 'out_of_time':
      return { ...end, stops: 'broker_unavailable' }
    case 'aborted':
      return { ...end, stops: 'aborted' }
    case 'signed_out':
    case 'token_required':
    case 'token_invalid':
    case 'proof_invalid':
      return { ...end, stops: 'signed_out' }
    default:
      return end
  }
}

function unansweredEnd(question: Question, end: Exclude<QuestionEnd, 'approved' | 'used'>): End {
  const code = question.kind === 'approval' ? 'approval_required' : 'consent_required'
  if (end === 'waiting') return { text: tellWaiting(question, code), code, actionId: null }
  const told = {
    refused: tellRefused(
      'refused_by_user',
      'The user said no.',
      'do something else, and do not ask the same again.',
    ),
    withdrawn: tellRefused('question_withdrawn', 'The question is no longer asked.'),
    expired: tellRefused('question_expired', 'Nobody answered in time.'),
  }
  return { text: told[end], code: END_CODES[end], actionId: null }
}

const END_CODES = {
  refused: 'refused_by_user',
  withdrawn: 'question_withdrawn',
  expired: 'question_expired',
} as const

/** Takes our own argument out of those for the skill; undefined where it is no number of a try. */
function splitAgain(call: ReadCall): { arguments: JsonObject; again: number | undefined } | undefined {
  const { [AGAIN]: again, ...rest } = call.arguments
  if (again === undefined || isReadOnly(call.tool)) return { arguments: call.arguments, again: undefined }
  return typeof again === 'number' && Number.isSafeInteger(again) && again >= 1
    ? { arguments: rest, again }
    : undefined
}

function refused(code: string, detail: string): CallEnd {
  return { text: tellRefused(code, detail), code, key: null, actionId: null }
}
