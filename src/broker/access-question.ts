import { isId } from '../core/ids.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { EnforcementPointRow } from '../ports/enforcement-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { AskedAction } from './load-facts.ts'
import { UNKNOWN_SESSION } from './session-facts.ts'

type Properties = Readonly<Record<string, JsonValue>>

/** A question in the words of AuthZEN 1.0, parsed. */
export type AccessQuestion = {
  readonly subject: {
    readonly type: string
    readonly id: string
    readonly properties?: Properties | undefined
  }
  readonly action: { readonly name: string; readonly properties?: Properties | undefined }
  readonly resource: {
    readonly type: string
    readonly id: string
    readonly properties?: Properties | undefined
  }
  readonly context?: AccessContext | undefined
}

/** Members of `context` that mean something here; all others are ignored. */
export type AccessContext = {
  /** The agent that is to act, as `client_id` of its access token names it. */
  readonly agent?: string | undefined
  /** The model deployment it says it runs on. */
  readonly deployment?: string | undefined
  /** The agent's session, as `sid` of its access token names it. */
  readonly session?: string | undefined
  /** The arguments, exactly: nothing is taken from properties then. */
  readonly arguments?: Properties | undefined
}

export const SUBJECT_TYPES = ['user', 'agent'] as const
export const RESOURCE_TYPE = 'skill'

/** Why a question is not even decided; none of them says whether somebody exists. */
export type QuestionRefused = {
  readonly kind: 'refused'
  readonly reason:
    | 'subject_unknown'
    | 'resource_unknown'
    | 'not_enforced_here'
    | 'agent_required'
    | 'invalid_arguments'
}

export type QuestionRead =
  | {
      readonly kind: 'asked'
      readonly asked: AskedAction
      /** False for an agent that has no grant for the skill: it is told apart from nobody only by what it reserved before. */
      readonly isGranted: boolean
    }
  | QuestionRefused

const refused = (reason: QuestionRefused['reason']): QuestionRefused => ({ kind: 'refused', reason })

/**
 * Says what an enforcement point asks in the broker's own words: its subject is a user, or an agent and with it the user
 * whose agent it is; its resource a skill; its action one of the skill's. Somebody without a grant for that skill is
 * answered as somebody who does not exist is.
 */
export async function readQuestion(
  broker: Broker,
  tx: Tx,
  point: EnforcementPointRow,
  question: AccessQuestion,
): Promise<QuestionRead> {
  const { subject, action, resource, context = {} } = question
  if (resource.type !== RESOURCE_TYPE) return refused('resource_unknown')
  if (!SUBJECT_TYPES.some((type) => type === subject.type)) return refused('subject_unknown')
  if (!(await mayEnforce(tx, point, resource.id))) return refused('not_enforced_here')
  const whose = await readSubject(tx, subject, resource.id, context.agent)
  if ('kind' in whose) return whose
  const args = context.arguments ?? (await argumentsIn(broker, tx, question))
  if (args === undefined) return refused('invalid_arguments')
  return {
    kind: 'asked',
    isGranted: (await agentsGranted(tx, whose.userId, resource.id)).has(whose.agentId),
    asked: {
      ...whose,
      sessionId: await sessionOf(tx, whose, context.session),
      skill: resource.id,
      action: action.name,
      arguments: args,
      deploymentId: context.deployment ?? '',
      enforcement: { by: point.id, reportWithinMs: point.reportWithinMs },
    },
  }
}

/** Whether an operator registered the point for this skill; nothing is covered that was not named. */
export async function mayEnforce(tx: Tx, point: EnforcementPointRow, skillId: string): Promise<boolean> {
  if (point.status !== 'active') return false
  if ((JSON.parse(point.skills) as string[]).includes(skillId)) return true
  if (point.publisherId === null) return false
  return (await tx.skills.find(skillId))?.publisherId === point.publisherId
}

/**
 * The user and the agent a question is about. A user's only agent with a grant for the skill needs no naming; of several
 * one has to be named, for what one may do another may not.
 */
async function readSubject(
  tx: Tx,
  { type, id }: AccessQuestion['subject'],
  skillId: string,
  agentId: string | undefined,
): Promise<{ userId: string; agentId: string } | QuestionRefused> {
  if (type === 'agent') {
    const agent = isId('agent', id) ? await tx.agents.find(id) : undefined
    const isNamed = agentId === undefined || agentId === id
    return agent && isNamed ? { userId: agent.userId, agentId: id } : refused('subject_unknown')
  }
  if (!isId('user', id)) return refused('subject_unknown')
  if (agentId !== undefined) {
    const agent = isId('agent', agentId) ? await tx.agents.find(agentId, id) : undefined
    return agent?.userId === id ? { userId: id, agentId } : refused('subject_unknown')
  }
  const granted = await agentsGranted(tx, id, skillId)
  const [only, ...others] = granted
  if (only === undefined) return refused('subject_unknown')
  return others.length === 0 ? { userId: id, agentId: only } : refused('agent_required')
}

/**
 * The session that is named, if it is one of this agent's: another's would tell the decision what somebody else has
 * read, and have what this one reads noted there.
 */
async function sessionOf(
  tx: Tx,
  { userId, agentId }: { userId: string; agentId: string },
  sessionId: string | undefined,
): Promise<string> {
  if (sessionId === undefined || !isId('session', sessionId)) return UNKNOWN_SESSION
  const row = await tx.sessions.find(userId, sessionId)
  if (row) return row.userId === userId && row.agentId === agentId ? sessionId : UNKNOWN_SESSION
  const families = await tx.tokenFamilies.list(userId, agentId)
  return families.some((family) => family.sessionId === sessionId) ? sessionId : UNKNOWN_SESSION
}

async function agentsGranted(tx: Tx, userId: string, skillId: string): Promise<Set<string>> {
  const live = (await tx.grants.live(userId)).filter((grant) => grant.skillId === skillId)
  return new Set(live.map((grant) => grant.agentId))
}

/**
 * The arguments among the properties of a question: members that the action has an argument of the same name for.
 * Others are attributes that mean nothing here, which AuthZEN has us ignore. Undefined where two of one name differ.
 */
async function argumentsIn(
  broker: Broker,
  tx: Tx,
  { subject, action, resource }: AccessQuestion,
): Promise<Properties | undefined> {
  const declared = await actionOf(broker, tx, resource.id, action.name)
  const known = new Set(Object.keys((declared?.declared.input.properties ?? {}) as object))
  const found: Record<string, JsonValue> = {}
  for (const properties of [action.properties, resource.properties, subject.properties]) {
    for (const [name, value] of Object.entries(properties ?? {})) {
      if (!known.has(name)) continue
      if (Object.hasOwn(found, name) && JSON.stringify(found[name]) !== JSON.stringify(value))
        return undefined
      found[name] = value
    }
  }
  return found
}

async function actionOf(
  broker: Broker,
  tx: Tx,
  skillId: string,
  name: string,
): Promise<LoadedAction | undefined> {
  const digest = (await tx.skills.find(skillId))?.currentDigest
  return digest ? (await broker.manifests.load(tx, digest)).actions.get(name) : undefined
}
