import type { CallKind } from '../core/execution/action-token.ts'
import { classifyOutcome, hasEffectToSettle, type Outcome } from '../core/execution/outcome.ts'
import type { JsonValue } from '../core/json-value.ts'
import { urlOf } from '../core/manifest/endpoint.ts'
import { speaksOfMoney } from '../core/manifest/lint-words.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import { keptUntilMs } from '../core/notice/duty.ts'
import type { ValueFault } from '../core/schema/compiled-schema.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { SkillCall, ToolTarget } from '../ports/skill-caller.ts'
import type { Broker } from './broker.ts'
import { type PromisedLeaf, promiseOf } from './log-promise.ts'
import { mintActionToken } from './mint-action-token.ts'
import { reportDrift } from './report-drift.ts'
import { statusReferenceOf } from './status-place.ts'
import { stopForUndeclaredMoney } from './stop-for-undeclared-money.ts'

/** Bytes of an answer we read: as many as a result of the widest schema could need. */
const MOST_RESPONSE_BYTES = 1_048_576

export type SkillRequest = {
  kind: CallKind
  loaded: LoadedManifest
  action: LoadedAction
  body: Buffer
  userId: string
  executionId: string
  brokerKey: string
  /** The durable leaf that allows this call. */
  leaf: PromisedLeaf
  /** The grant it is permitted under; left out of calls that go on when there is none any more. */
  grantId?: string | null
  amount: { amountMinor: number; currency: string } | null
  retentionDays: Readonly<Record<string, number>>
  /** Asks the skill to stop, where its transport has words for that. */
  signal?: AbortSignal
}

/** Mints the token for exactly these bytes, sends them once, and tells what the answer proves. */
export async function sendToSkill(broker: Broker, request: SkillRequest): Promise<Outcome<JsonValue>> {
  return makeCall(broker, request, await prepareCall(broker, request))
}

/**
 * As `sendToSkill`, with a last look between the token and the first byte; undefined, and nothing sent, where it says no.
 * The look must come after the token: a process that is paused before it learns how things stand now, and one that is
 * paused after it wakes up with a token that no skill takes any more.
 */
export async function sendIfStill(
  broker: Broker,
  request: SkillRequest,
  mayStill: () => Promise<boolean>,
): Promise<Outcome<JsonValue> | undefined> {
  const call = await prepareCall(broker, request)
  return (await mayStill()) ? makeCall(broker, request, call) : undefined
}

/** Everything about a call but the call itself. */
async function prepareCall(broker: Broker, request: SkillRequest): Promise<SkillCall> {
  const { action, loaded, body } = request
  const { nowMs } = broker.store.now()
  const promise = await promiseOf(broker, request.leaf)
  const status = request.grantId ? await statusReferenceOf(broker, request.grantId) : null
  const token = await mintActionToken(
    broker.signer,
    {
      issuer: broker.settings.issuer,
      endpoint: action.endpoint,
      kind: request.kind,
      skillId: loaded.manifest.skill,
      action: action.declared.name,
      manifestDigest: loaded.digest,
      userId: broker.pseudonyms.pairwiseUser(request.userId, loaded.manifest.publisher),
      brokerKey: request.brokerKey,
      executionId: request.executionId,
      body,
      ...(request.amount ? { amount: request.amount } : {}),
      leafHash: request.leaf.leafHash,
      promise,
      status,
      retainUntilMs: retainUntil(request),
    },
    nowMs,
  )
  return {
    endpoint: action.endpoint,
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': request.brokerKey,
    },
    timeoutMs: action.declared.timeoutMs,
    maxResponseBytes: MOST_RESPONSE_BYTES,
    ...toolOf(request, token),
    ...(request.signal ? { signal: request.signal } : {}),
  }
}

/** What a call of an MCP skill says besides; nothing for any other. */
function toolOf({ action, loaded, userId, brokerKey }: SkillRequest, token: string): { tool?: ToolTarget } {
  const { tool } = action.declared
  if (!tool) return {}
  const { endpoint, skill: skillId } = loaded.manifest
  const mustSettle = hasEffectToSettle(action.declared.effects)
  return { tool: { ...tool, skillId, url: urlOf(endpoint), userId, mustSettle, token, brokerKey } }
}

async function makeCall(broker: Broker, request: SkillRequest, call: SkillCall): Promise<Outcome<JsonValue>> {
  const { action } = request
  const reply = await broker.skills.call(call)
  let undeclaredMoney: string | undefined
  const outcome = classifyOutcome<JsonValue>({
    reply,
    effects: action.declared.effects,
    refusal: action.declared.refusal,
    parse: (bytes) => {
      const parsed = parseStrictJsonBytes(Buffer.from(bytes))
      return parsed.ok ? { value: parsed.value } : undefined
    },
    checkResult: (value) => {
      const checked = action.result.check(value as JsonValue)
      if (!checked.ok && !action.declared.spends) undeclaredMoney = moneyNamedIn(checked.faults)
      return checked
    },
  })
  if ('drift' in reply && reply.drift !== undefined) await reportDrift(broker, request, reply.drift)
  if (reply.kind === 'not_sent' && reply.code === 'manifest_drift')
    await reportDrift(broker, request, reply.detail ?? '')
  if (undeclaredMoney !== undefined) await stopForUndeclaredMoney(broker, request, undeclaredMoney)
  return outcome
}

/** The field of a result that nobody declared and that speaks of money. */
function moneyNamedIn(faults: readonly ValueFault[]): string | undefined {
  return faults.find(
    ({ code, pointer }) =>
      code === 'unknown_field' && speaksOfMoney(pointer.slice(pointer.lastIndexOf('/') + 1)),
  )?.pointer
}

/** Deadlines for the memory classes this action may write: the same ones however often the call is sent. */
function retainUntil({ loaded, action, retentionDays, leaf }: SkillRequest): Record<string, number> {
  return keptUntilMs(loaded.manifest.memory, action.declared.remembers, retentionDays, leaf.atMs)
}
