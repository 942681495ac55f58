import { z } from 'zod'
import type { JsonObject, JsonValue } from '../core/json-value.ts'
import { type AskBroker, type BrokerAnswer, linkOf } from './broker-answer.ts'
import { CODING_SKILL, type CodingCall, type MappingOptions, mapTool } from './coding-tools.ts'
import type { Prepare, Verdict } from './guard-contract.ts'
import { type GuardSession, SignedOut } from './guard-session.ts'

export type DecideDeps = {
  readonly origin: string
  readonly ask: AskBroker
  readonly session: GuardSession
  readonly mapping: MappingOptions
  /** What is asked for where the user has allowed nothing yet. */
  readonly wish: JsonObject
  /** Empty for a guard that says nothing of the model. */
  readonly deployment: string
  /** Everything together has to fit into what Qwen Code waits, in milliseconds. */
  readonly answerWithinMs: number
}

const NOT_REACHED =
  'Countersign cannot be reached or does not answer in time, and without it nothing is allowed.'
const SIGNED_OUT = 'The guard is no longer connected to Countersign. Start it again and connect it.'
const CONSENTS: readonly string[] = ['consent_required', 'consent_outdated', 'consent_suspended']
/** Left for the answer's own way, in milliseconds. */
const MARGIN_MS = 250
/** A person needs longer than this to answer, so that it is not worth waiting. */
const WAIT_SECONDS_LEAST = 2

const permittedShape = z.looseObject({ actionId: z.string().min(1), status: z.literal('permitted') })
const problemShape = z.looseObject({
  code: z.string().max(100),
  title: z.string().max(300),
  pointer: z.string().max(300).optional(),
})

/**
 * Asks the broker whether a tool may run now. Whatever is not a clear yes in time is a no: the broker is not there, it is
 * slow, it answers something else, it has no consent, a person has to be asked.
 */
export async function decideTool(deps: DecideDeps, prepare: Prepare): Promise<Verdict> {
  const mapped = mapTool(prepare.toolName, prepare.arguments, deps.mapping)
  if (mapped.kind === 'refused') return { allowed: false, reason: mapped.reason }
  const untilMs = performance.now() + deps.answerWithinMs
  const signal = AbortSignal.timeout(deps.answerWithinMs)
  const late = new Promise<Verdict>((resolve) => {
    signal.addEventListener('abort', () => resolve(refuse(NOT_REACHED)), { once: true })
  })
  // Renewing a token goes on beyond the time this answer has: who waits for it is another matter.
  return Promise.race([late, decide({ ...deps, signal, untilMs }, mapped.call).catch(reasonOf)])
}

type Deciding = DecideDeps & { readonly signal: AbortSignal; readonly untilMs: number }

async function decide(deciding: Deciding, call: CodingCall): Promise<Verdict> {
  const first = await permit(deciding, call)
  if (first.status !== 202) return verdictOf(deciding, first)
  const asked = askedShape(deciding).safeParse(first.body)
  if (!asked.success) return refuse(NOT_REACHED)
  const { approvalId, approvalUrl } = asked.data
  if (await isApprovedInTime(deciding, approvalId)) return verdictOf(deciding, await permit(deciding, call))
  return refuse(
    `The user has to say yes to exactly this, once: ${approvalUrl} Run exactly the same again after the yes.`,
  )
}

function permit(deciding: Deciding, call: CodingCall): Promise<BrokerAnswer> {
  const { deployment, wish } = deciding
  return signedIn(deciding, 'POST', '/v1/guard/permits', {
    skill: CODING_SKILL,
    ...call,
    wish,
    ...(deployment === '' ? {} : { deployment }),
  })
}

function verdictOf(deciding: Deciding, { status, body }: BrokerAnswer): Verdict {
  if (status === 200 && permittedShape.safeParse(body).success) return { allowed: true }
  const asked = status === 202 ? askedShape(deciding).safeParse(body) : undefined
  if (asked?.success)
    return refuse(`The user has to say yes to exactly this, once: ${asked.data.approvalUrl}`)
  const problem = problemShape.safeParse(body)
  if (status < 400 || !problem.success) return refuse(NOT_REACHED)
  const { code, title, pointer } = problem.data
  if (code === 'invalid_arguments')
    return refuse(`Countersign cannot show this to the user: ${faultsIn(body)}.`)
  if (!CONSENTS.includes(code)) return refuse(`${title}${pointer === undefined ? '' : ` (${pointer})`}.`)
  return refuse(`${title}. ${whereToConsent(deciding, body)}`)
}

/** Where a person answers, if the broker has put the question to them. */
function whereToConsent({ origin }: Deciding, body: JsonValue): string {
  const asked = z.looseObject({ consentUrl: linkOf(origin) }).safeParse(body)
  return asked.success
    ? `They can answer here: ${asked.data.consentUrl} Try again after the yes.`
    : `They can change what is allowed here: ${origin}/me`
}

async function isApprovedInTime(deciding: Deciding, approvalId: string): Promise<boolean> {
  const seconds = Math.floor((deciding.untilMs - performance.now() - 4 * MARGIN_MS) / 1000)
  if (seconds < WAIT_SECONDS_LEAST) return false
  const path = `/v1/approvals/${encodeURIComponent(approvalId)}?wait=${Math.min(seconds, 30)}`
  const answer = await signedIn(deciding, 'GET', path)
  return z.looseObject({ state: z.literal('approved') }).safeParse(answer.body).success
}

/** Sent once more with a new token where the broker did not take the one there was. */
async function signedIn(
  { session, ask, signal }: Deciding,
  method: 'GET' | 'POST',
  path: string,
  body?: JsonValue,
): Promise<BrokerAnswer> {
  const token = await session.token()
  const about = { signal, ...(body === undefined ? {} : { body }) }
  const answer = await ask(method, path, { token, ...about })
  if (answer.status !== 401) return answer
  session.refused(token)
  return ask(method, path, { token: await session.token(), ...about })
}

function askedShape({ origin }: DecideDeps) {
  return z.looseObject({
    status: z.literal('approval_required'),
    approvalId: z.string().min(1).max(64),
    approvalUrl: linkOf(origin),
  })
}

const faultShape = z.looseObject({
  faults: z.array(z.looseObject({ pointer: z.string().max(300), code: z.string().max(100) })).min(1),
})

function faultsIn(body: JsonValue): string {
  const parsed = faultShape.safeParse(body)
  if (!parsed.success) return 'its arguments do not fit'
  return parsed.data.faults.map(({ pointer, code }) => `${pointer}: ${code}`).join(', ')
}

function refuse(reason: string): Verdict {
  return { allowed: false, reason }
}

function reasonOf(error: unknown): Verdict {
  return refuse(error instanceof SignedOut ? SIGNED_OUT : NOT_REACHED)
}
