import { isConsuming } from '../core/decision/consumption.ts'
import type { Decision, Facts, Invalid, RefusalCode } from '../core/decision/decision.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import type { EnforcementPointRow } from '../ports/enforcement-store.ts'
import type { Tx } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type AccessQuestion, type QuestionRefused, readQuestion } from './access-question.ts'
import { NO_ACCOUNTS } from './account-tokens.ts'
import { decideAsked } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import type { AskedAction, LoadedFacts } from './load-facts.ts'
import { noteRead, readIn, UNKNOWN_SESSION } from './session-facts.ts'

/** An answer of the decision point. `reserve_required`: it may be permitted, but not without using something up. */
export type Evaluation =
  | { readonly decision: true }
  | {
      readonly decision: false
      readonly reason: RefusalCode | QuestionRefused['reason'] | 'reserve_required'
    }

/**
 * Answers whether an action is permitted, using up nothing: `true` only where the permit itself would use up nothing,
 * so that asking twice is asking once. The answer is a leaf; an equal refusal within a minute is counted.
 *
 * @throws (rejects) StoreUnavailable as authorizeAction does.
 */
export async function evaluateAccess(
  broker: Broker,
  point: EnforcementPointRow,
  question: AccessQuestion,
): Promise<Evaluation> {
  const unavailable = broker.admission.refusal()
  if (unavailable !== undefined) throw new StoreUnavailable(unavailable)
  const read = await broker.store.read((tx) => readQuestion(broker, tx, point, question))
  if (read.kind === 'refused' || !read.isGranted) {
    const reason = read.kind === 'refused' ? read.reason : 'subject_unknown'
    broker.recentRefusals.count(`evaluation:${reason}`)
    return { decision: false, reason }
  }
  const { asked } = read
  const seal = await sealerFor(broker, { userId: asked.userId, skillId: asked.skill })
  const call = broker.newId('event')
  return broker.store.transaction<Evaluation>(async (tx) => {
    const { loaded, decision } = await decideAsked(broker, tx, asked, undefined, NO_ACCOUNTS)
    const evaluation = evaluationOf(decision, loaded.facts)
    if (decision.effect === 'invalid') {
      broker.recentRefusals.count('evaluation:invalid_arguments')
      return evaluation
    }
    if (evaluation.decision || isFirst(broker, asked, loaded, evaluation.reason, call)) {
      const leaf = seal(evaluationLeaf(point, asked, decision, evaluation, loaded), tx.nowMs)
      await tx.log.append(leaf, tx.nowMs)
    }
    if (evaluation.decision) await noteGivenToRead(tx, asked, loaded)
    return evaluation
  }, asked)
}

/** Answers as an evaluation would, leaving no trace but a count: what searches are made of. */
export async function wouldBePermitted(
  broker: Broker,
  tx: Tx,
  point: EnforcementPointRow,
  question: AccessQuestion,
): Promise<boolean> {
  const read = await readQuestion(broker, tx, point, question)
  if (read.kind === 'refused') return false
  const { decision, loaded } = await decideAsked(broker, tx, read.asked, undefined, NO_ACCOUNTS)
  return evaluationOf(decision, loaded.facts).decision
}

function evaluationOf(decision: Decision | Invalid, facts: Facts): Evaluation {
  switch (decision.effect) {
    case 'invalid':
      return { decision: false, reason: 'invalid_arguments' }
    case 'deny':
      return { decision: false, reason: decision.refusal.code }
    case 'ask':
      return { decision: false, reason: 'reserve_required' }
    case 'permit':
      return isConsuming(decision, facts)
        ? { decision: false, reason: 'reserve_required' }
        : { decision: true }
  }
}

/** Names of actions that somebody made up are left out, as everywhere: with them there could be a leaf for each. */
function isFirst(
  broker: Broker,
  asked: AskedAction,
  { action, facts }: LoadedFacts,
  reason: string,
  call: string,
): boolean {
  const { userId, agentId, skill } = asked
  const name = action ? asked.action : ''
  return broker.recentRefusals.isFirst(
    userId,
    agentId,
    skill,
    name,
    `evaluation:${reason}`,
    facts.nowMs,
    call,
  )
}

/** What an agent may be given on the strength of this answer counts as read, where it is known in which session. */
async function noteGivenToRead(tx: Tx, asked: AskedAction, { action }: LoadedFacts): Promise<void> {
  if (action && asked.sessionId !== UNKNOWN_SESSION) await noteRead(tx, asked, readIn(action))
}

function evaluationLeaf(
  point: EnforcementPointRow,
  asked: AskedAction,
  decision: Decision,
  evaluation: Evaluation,
  { facts, action, loaded }: LoadedFacts,
): LeafContent {
  return {
    type: 'evaluation',
    outcome: evaluation.decision ? 'permit' : 'deny',
    reason: evaluation.decision ? 'permitted' : evaluation.reason,
    core: {
      skill: asked.skill,
      manifest: loaded?.digest ?? null,
      action: asked.action,
      effects: [...(action?.declared.effects ?? [])],
      point: point.id,
    },
    subj: {
      user: asked.userId,
      agent: asked.agentId,
      deployment: asked.deploymentId,
      grant: decision.effect === 'permit' ? decision.grant.id : decision.grantId,
    },
    body: { arguments: facts.arguments, recipients: [...facts.recipients] },
  }
}
