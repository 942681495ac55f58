import {
  type CallToolResult,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { requestDigestOf } from '../broker/action-row.ts'
import { type Performed, performAction } from '../broker/perform-action.ts'
import { takeRequestState } from '../broker/request-state.ts'
import { type ActionCall, prepareActionCall } from './action-call.ts'
import { askedOf, askForConsent } from './ask-for-consent.ts'
import { askUser } from './ask-user.ts'
import type { ToolCall } from './call-context.ts'
import type { McpDeps } from './mcp-deps.ts'
import { isForConsent, wordsFor } from './refusal-words.ts'
import { tellOutcome } from './tell-outcome.ts'
import { type Asked, refusedResult } from './tool-answer.ts'

/** A call may need a consent and then an approval, and is decided anew after each. */
const QUESTIONS_MOST = 2

/**
 * Calls a skill's action for an agent. Whatever comes of it is a result; only what a client handed back and nobody made
 * is an error.
 *
 * @throws ProtocolError for a request state that is not good for this call.
 */
export async function callAction(
  deps: McpDeps,
  call: ToolCall,
): Promise<CallToolResult | InputRequiredResult> {
  const { broker } = deps
  const { client } = call
  for (let questions = 0; ; questions += 1) {
    // Made anew for each round: a yes given meanwhile may have opened a new attempt.
    const prepared = await prepareActionCall(broker, call)
    if (prepared.kind === 'unknown') {
      return refusedResult({
        ...wordsFor('skill_unknown'),
        code: 'tool_unknown',
        detail: 'There is no such tool.',
      })
    }
    if (prepared.kind === 'invalid') {
      return refusedResult({
        code: 'invalid_arguments',
        detail: `${prepared.at} is not understood.`,
        next: 'Leave it out, or send it as described.',
      })
    }
    if (questions === 0) await takeState(deps, call, prepared)
    const performed = await perform(deps, call, prepared)
    const asked = await askedFor(deps, call, performed)
    const telling = { again: prepared.nextAgain, asked, nowMs: broker.store.now().nowMs }
    if (!asked || questions >= QUESTIONS_MOST) return tellOutcome(performed, telling)
    const answer = await askUser(deps, call, asked, requestDigestOf(prepared.asked))
    if (answer.kind === 'repeat') return answer.result
    if (answer.kind === 'unanswered' || client.signal.aborted) return tellOutcome(performed, telling)
  }
}

async function takeState(
  { broker }: McpDeps,
  { caller, client }: ToolCall,
  { asked }: ActionCall,
): Promise<void> {
  if (client.repeated === null) return
  const { userId, agentId } = caller
  const callDigest = requestDigestOf(asked)
  const taken = await takeRequestState(broker, client.repeated.state, { userId, agentId, callDigest })
  if (!taken) {
    broker.recentRefusals.count('bad_request:mcp_request_state')
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', {
      reason: 'invalid_request_state',
    })
  }
}

async function perform(
  { broker }: McpDeps,
  { client }: ToolCall,
  { asked, tool }: ActionCall,
): Promise<Performed> {
  const { skill } = tool.loaded.manifest
  const say = (message: string) => {
    client.progress?.(message)
    client.log(message)
  }
  say(`Looking at what the user allows of ${skill}`)
  const first = await performAction(broker, asked, () => say(`Allowed and logged: sent to ${skill}`))
  const performed = first.kind === 'in_flight' ? await whenEnded(broker, first, asked) : first
  if (performed.kind === 'invalid') broker.recentRefusals.count('bad_request:invalid_arguments')
  say(performed.kind === 'done' ? `Answered by ${skill}` : 'Decided')
  return performed
}

/** The same call, made twice at once or again after its connection broke: told what comes of the first. */
async function whenEnded(
  broker: McpDeps['broker'],
  running: Extract<Performed, { kind: 'in_flight' }>,
  asked: ActionCall['asked'],
): Promise<Performed> {
  await broker.inFlight.ended(running.row.id)
  return performAction(broker, asked)
}

async function askedFor(
  { broker }: McpDeps,
  { caller }: ToolCall,
  performed: Performed,
): Promise<Asked | undefined> {
  if (performed.kind === 'ask') {
    const { id, expiresAtMs } = performed.approval
    return askedOf(broker, { id, kind: 'approval', expiresAtMs })
  }
  if (performed.kind !== 'denied' || !isForConsent(performed.refusal.code)) return undefined
  return askForConsent(broker, caller, performed)
}
