import { FREEZE_KINDS, type FreezeKind, freezeIdOf, freezeIdsFor } from '../core/decision/freeze-ids.ts'
import type { ActionRow, FreezeRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { CancelInFlight, CancelReport } from './cancel-in-flight.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { cancelRecorded } from './record-revocation.ts'
import { recordFreeze, tellOfFreeze } from './tell-of-freeze.ts'

export type FreezeInput = OperatorAct & {
  readonly kind: FreezeKind
  /** A user's, agent's, publisher's or deployment's id, a skill, `skill/action`, or `*` for the platform. */
  readonly target: string
  /** Stops status, cancel, undo and stop calls too, which otherwise go on. */
  readonly includesCleanUp: boolean
}

/** A permit given before the freeze that nobody knows the end of. */
type UnsettledPermit = {
  readonly actionId: string
  readonly skill: string
  readonly action: string
  readonly status: string
}

export type FreezeOutcome =
  | ReasonRefused
  | { readonly kind: 'target_refused'; readonly message: string }
  | {
      readonly kind: 'frozen'
      readonly freezeId: string
      readonly wasFrozen: boolean
      /** False for an id nobody knows here, which may be a slip; null where that cannot be told. */
      readonly targetKnown: boolean | null
      readonly unsettled: readonly UnsettledPermit[]
      readonly cancelled: readonly CancelReport[]
    }

/**
 * Stops everything that goes through a target. When this resolves the freeze is durable: no later decision
 * permits (P3). It rejects with StoreUnavailable, `not_drained`, when the freeze is durable and an older decision may
 * still permit: freezing again waits again. The answer lists what was permitted before and is not settled; it is
 * cancelled where the skill allows it, unless the freeze stops clean-up calls as well.
 */
export async function freeze(
  broker: Broker,
  cancelInFlight: CancelInFlight,
  input: FreezeInput,
): Promise<FreezeOutcome> {
  const { kind, target, operatorId, reason } = input
  const refused = refuseReason(input) ?? refuseTarget(kind, target)
  if (refused) return refused
  const freezeId = freezeIdOf(kind, target)
  const seal = await sealerFor(broker, { userId: kind === 'user' ? target : '', skillId: '' })
  const leafOf = (outcome: 'freezing' | 'frozen', includesCleanUp: boolean) => ({
    type: 'freeze' as const,
    outcome,
    reason: kind,
    core: { includesCleanUp },
    subj: { operator: operatorId, target },
    body: { reason },
  })

  const frozen = await broker.store.transaction(async (tx) => {
    const [standing] = await tx.freezes.matching([freezeId])
    // A second freeze never makes the first one narrower.
    const includesCleanUp = input.includesCleanUp || (standing?.includesCleanUp ?? false)
    if (standing) await tx.freezes.remove(freezeId)
    await tx.freezes.insert({
      id: freezeId,
      kind,
      target,
      includesCleanUp,
      reason,
      operatorId,
      createdAtMs: standing?.createdAtMs ?? tx.nowMs,
    })
    await tx.log.append(seal(leafOf('freezing', includesCleanUp), tx.nowMs), tx.nowMs)
    if (!standing) await tellOfFreeze(broker, tx, kind, target, 'authority.suspended')
    return {
      wasFrozen: standing !== undefined,
      includesCleanUp,
      targetKnown: await isKnown(broker, tx, kind, target),
    }
  })
  // What was decided before the freeze was there to be seen may still be committed: it ends first, and is listed. So no
  // permit follows upon the second leaf.
  await broker.store.drained()
  const { rows, records } = await broker.store.transaction(async (tx) => {
    const [standing] = await tx.freezes.matching([freezeId])
    // Lifted meanwhile: the log must not end on saying that it stands.
    const rows = await unsettledUnder(tx, freezeId)
    if (!standing) return { rows, records: [] }
    const leaf = seal(leafOf('frozen', standing.includesCleanUp), tx.nowMs)
    await tx.log.append(leaf, tx.nowMs)
    return { rows, records: await recordFreeze(broker, tx, freezeId, rows, leaf.eventId) }
  })

  const { includesCleanUp, ...answer } = frozen
  const cancel: CancelInFlight = includesCleanUp ? stoppedToo : cancelInFlight
  const reports = await Promise.all(
    records.map(({ userId, revocationId, actionIds }) =>
      cancelRecorded(broker, userId, revocationId, actionIds, cancel),
    ),
  )
  const unsettled = rows.map((row) => ({
    actionId: row.id,
    skill: row.skillId,
    action: row.action,
    status: row.status,
  }))
  const cancelled = includesCleanUp ? [] : reports.flat()
  return { kind: 'frozen', freezeId, ...answer, unsettled, cancelled }
}

export type UnfreezeOutcome = ReasonRefused | { readonly kind: 'not_frozen' } | { readonly kind: 'unfrozen' }

/** Lifts a freeze. What was refused meanwhile stays refused. */
export async function unfreeze(
  broker: Broker,
  input: OperatorAct & { readonly freezeId: string },
): Promise<UnfreezeOutcome> {
  const { freezeId, operatorId, reason } = input
  const refused = refuseReason(input)
  if (refused) return refused
  const userId = freezeId.startsWith('user:') ? freezeId.slice('user:'.length) : ''
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const [standing] = await tx.freezes.matching([freezeId])
    if (!standing) return { kind: 'not_frozen' }
    await tx.freezes.remove(freezeId)
    const leaf = seal(
      {
        type: 'freeze',
        outcome: 'unfrozen',
        reason: standing.kind,
        subj: { operator: operatorId, target: standing.target, frozenBy: standing.operatorId },
        body: { reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    await tellOfFreeze(broker, tx, standing.kind, standing.target, 'authority.restored')
    return { kind: 'unfrozen' }
  })
}

/** A freeze that stops clean-up calls too lets nothing be cancelled, and whoever it concerns sees that. */
const stoppedToo: CancelInFlight = async (actionIds) =>
  actionIds.map((actionId) => ({ actionId, outcome: 'frozen' }))

/** Every freeze that stands, oldest first. */
export function listFreezes(broker: Broker): Promise<FreezeRow[]> {
  return broker.store.read(async (tx) => tx.freezes.list())
}

function refuseTarget(kind: FreezeKind, target: string) {
  const refused = (message: string) => ({ kind: 'target_refused', message }) as const
  if (!FREEZE_KINDS.includes(kind)) return refused('there is no such kind of freeze')
  if (kind === 'platform' && target !== '*') return refused('the target of a freeze of everything is *')
  if (kind === 'action' && !/^[^/]+\/[^/]+$/.test(target)) return refused('name an action as skill/action')
  return target === '' || target.length > 200 ? refused('a target has 1 to 200 characters') : undefined
}

async function isKnown(broker: Broker, tx: Tx, kind: FreezeKind, target: string): Promise<boolean | null> {
  switch (kind) {
    case 'user':
      return (await tx.users.find(target)) !== undefined
    case 'agent':
      return (await tx.agents.find(target)) !== undefined
    case 'publisher':
      return (await tx.publishers.find(target)) !== undefined
    case 'skill':
      return (await tx.skills.find(target)) !== undefined
    case 'action': {
      const [skillId = '', name = ''] = target.split('/')
      const skill = await tx.skills.find(skillId)
      if (!skill?.currentDigest) return skill === undefined ? false : null
      return (await broker.manifests.load(tx, skill.currentDigest)).actions.has(name)
    }
    // Deployments are registered with agents, under ids of the agents' own.
    case 'deployment':
      return null
    case 'platform':
      return true
  }
}

async function unsettledUnder(tx: Tx, freezeId: string): Promise<ActionRow[]> {
  const publisherOf = new Map((await tx.skills.list()).map((skill) => [skill.id, skill.publisherId]))
  const rows = await tx.actions.unsettled(null)
  return rows.filter((row) => {
    const publisherId = publisherOf.get(row.skillId) ?? null
    return freezeIdsFor({ ...row, skill: row.skillId, publisherId }).includes(freezeId)
  })
}
