import { canonicalJson } from '../core/canonical-json.ts'
import { freezeIdsFor } from '../core/decision/freeze-ids.ts'
import type { Outcome } from '../core/execution/outcome.ts'
import { readPointer, setPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Companion } from '../core/manifest/manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import { accountsFor } from './account-tokens.ts'
import type { Broker } from './broker.ts'
import { fillBrokerFields } from './fill-broker-fields.ts'
import { sealerFor } from './leaf-sealer.ts'
import type { PromisedLeaf } from './log-promise.ts'
import { openEventPart } from './open-part.ts'
import { sendToSkill } from './send-to-skill.ts'

/** Calls that act for the user around an execution, whatever became of the agent's authority. */
export type CleanUpKind = 'status' | 'cancel' | 'undo' | 'stop'

export type CleanUpAnswer =
  | { kind: 'called'; target: LoadedAction; body: Buffer; outcome: Outcome<JsonValue> }
  /** The manifest declares no such action, or what it wants of the execution is not there. */
  | { kind: 'not_available' }
  /** A freeze that names clean-up calls too covers it. */
  | { kind: 'frozen' }

/**
 * Makes one clean-up call (DESIGN section 5): allowed after revoke, expiry and freeze; its arguments come only
 * from the recorded execution; it reserves nothing, and its leaf is durable before it goes out.
 *
 * A `stop` goes out even when it cannot be logged: somebody may be standing in front of what it stops.
 */
export async function callCleanUp(broker: Broker, row: ActionRow, kind: CleanUpKind): Promise<CleanUpAnswer> {
  const loaded = await loadedFor(broker, row)
  const companion = loaded?.actions.get(row.action)?.declared[kind]
  const target = companion && loaded?.actions.get(companion.action)
  if (!loaded || !companion || !target) return { kind: 'not_available' }

  const brokerKey = keyOf(broker, row, kind)
  const args = await argumentsFor(broker, row, companion)
  const accounts = await accountsFor(broker, row.userId, loaded, target)
  const about = { userId: row.userId, brokerKey, accounts }
  const filled = args && fillBrokerFields(broker, loaded, target, args, about)
  if (filled === null || filled === undefined) return { kind: 'not_available' }
  const body = Buffer.from(canonicalJson(filled))

  const leaf = await logBefore(broker, row, kind, target).catch((error: unknown) => {
    if (kind !== 'stop') throw error
    broker.logger.error('stop_not_logged', { error })
    return leafOf(row)
  })
  if (leaf === 'frozen') return { kind: 'frozen' }
  if (leaf === null) return { kind: 'not_available' }
  const outcome = await sendToSkill(broker, {
    kind,
    loaded,
    action: target,
    body,
    userId: row.userId,
    executionId: row.id,
    brokerKey,
    leaf,
    amount: null,
    retentionDays: {},
  })
  return { kind: 'called', target, body, outcome }
}

/** What such a call would ask, to be shown before it is made: what the broker fills in itself is not among it. */
export async function describeCleanUp(
  broker: Broker,
  row: ActionRow,
  kind: CleanUpKind,
): Promise<{ loaded: LoadedManifest; target: LoadedAction['declared']; args: JsonValue } | undefined> {
  const loaded = await loadedFor(broker, row)
  const companion = loaded?.actions.get(row.action)?.declared[kind]
  const target = companion && loaded?.actions.get(companion.action)?.declared
  const args = companion && (await argumentsFor(broker, row, companion))
  return loaded && target && args !== undefined ? { loaded, target, args } : undefined
}

/**
 * The key of a call made for the user, which no agent's own key can equal. Cancelling twice is cancelling once; asking
 * how it stands is a new question each time, or a skill that honours keys would repeat its first answer for ever.
 */
function keyOf(broker: Broker, row: ActionRow, kind: CleanUpKind): string {
  const call = kind === 'status' ? `${row.id} status ${broker.newId('event')}` : `${row.id} ${kind}`
  return broker.pseudonyms.brokerKey(row.userId, '', call, 1)
}

/** The manifest the execution was permitted under: later versions may name other clean-up actions. */
async function loadedFor(broker: Broker, row: ActionRow): Promise<LoadedManifest | undefined> {
  const digest = row.manifestDigest
  return digest === null ? undefined : broker.store.read((tx) => broker.manifests.load(tx, digest))
}

/** Undefined if something the manifest wants is not in the record. Parts that nothing is taken from stay sealed. */
async function argumentsFor(
  broker: Broker,
  row: ActionRow,
  companion: Companion,
): Promise<JsonValue | undefined> {
  let args: JsonValue = {}
  for (const [pointer, source] of Object.entries(companion.arguments)) {
    const value = await recorded(broker, row, source)
    const next: JsonValue | undefined = value === undefined ? undefined : setPointer(args, pointer, value)
    if (next === undefined) return undefined
    args = next
  }
  return args
}

async function recorded(
  broker: Broker,
  row: ActionRow,
  source: Companion['arguments'][string],
): Promise<JsonValue | undefined> {
  switch (source.from) {
    case 'executionId':
      return row.id
    case 'brokerKey':
      return row.brokerKey ?? undefined
    case 'arguments': {
      const decided = await openEventPart(broker, row.eventId, 'body')
      return decided && readPointer(decided, `/arguments${source.pointer}`)
    }
    case 'result': {
      const settled = await openEventPart(broker, row.settleEventId, 'body')
      return settled && readPointer(settled, `/result${source.pointer}`)
    }
  }
}

/** The permit's own leaf, under which the call it permitted went out. */
function leafOf({ eventId, leafHash, decidedAtMs }: ActionRow): PromisedLeaf | null {
  return eventId === null || leafHash === null ? null : { eventId, leafHash, atMs: decidedAtMs }
}

async function logBefore(
  broker: Broker,
  row: ActionRow,
  kind: CleanUpKind,
  target: LoadedAction,
): Promise<PromisedLeaf | 'frozen'> {
  const seal = await sealerFor(broker, row)
  return broker.store.transaction(async (tx) => {
    const skill = await tx.skills.find(row.skillId)
    const freezes = await tx.freezes.matching(
      freezeIdsFor({ ...row, skill: row.skillId, publisherId: skill?.publisherId ?? null }),
    )
    if (freezes.some((freeze) => freeze.includesCleanUp)) return 'frozen'
    const leaf = seal(
      {
        type: 'clean_up',
        outcome: 'called',
        reason: kind,
        core: { skill: row.skillId, action: target.declared.name, manifest: row.manifestDigest },
        subj: { user: row.userId, agent: row.agentId, actionId: row.id },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { eventId: leaf.eventId, leafHash: leaf.leafHash, atMs: tx.nowMs }
  }, row)
}
