import { freezeIdOf } from '../core/decision/freeze-ids.ts'
import { stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus, GrantTerms } from '../core/grant/terms.ts'
import type { Manifest } from '../core/manifest/manifest.ts'
import type { ClassTerms } from '../core/memory/retention.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { findOwnAgent } from './own-rows.ts'

/** Who remembers or recalls: an agent, on the model deployment it names; empty for one that registered none. */
export type MemoryCaller = {
  readonly userId: string
  readonly agentId: string
  readonly sessionId: string
  /** Null where it gets nothing to read, so that its model does not matter. */
  readonly deploymentId: string | null
}

/** A grant under which an agent may remember now, and what it and the manifest say of each class. */
export type MemoryGrant = {
  readonly grant: GrantRow
  readonly terms: GrantTerms
  readonly digest: string
  readonly memory: ReadonlyMap<string, Manifest['memory'][number]>
}

export type MemoryAuthority =
  | { readonly kind: 'grants'; readonly grants: readonly MemoryGrant[] }
  | { readonly kind: 'refused'; readonly code: MemoryRefusal }
export type MemoryRefusal = 'agent_not_connected' | 'frozen' | 'deployment_not_allowed' | 'consent_required'

/**
 * The grants that let this agent remember and recall, in the unit of work that does. What an agent keeps belongs to a
 * class of a skill it was granted, and to that grant: there is no memory without one. A one-time grant gives none.
 *
 * @param skillId looks at this skill alone; null for all of them.
 */
export async function memoryAuthority(
  broker: Pick<Broker, 'manifests'>,
  tx: Tx,
  caller: MemoryCaller,
  skillId: string | null,
): Promise<MemoryAuthority> {
  const { userId, agentId, sessionId, deploymentId } = caller
  const agent = await findOwnAgent(tx, userId, agentId)
  if (agent?.status !== 'connected' || (await tx.tokenFamilies.hasEnded(userId, sessionId)))
    return { kind: 'refused', code: 'agent_not_connected' }
  const stopped = await tx.freezes.matching([
    freezeIdOf('user', userId),
    freezeIdOf('agent', agentId),
    ...(deploymentId === null ? [] : [freezeIdOf('deployment', deploymentId)]),
    freezeIdOf('platform', '*'),
  ])
  if (stopped.length > 0) return { kind: 'refused', code: 'frozen' }

  const registered = deploymentsOf(agent).map(({ id }) => id)
  const isNamed =
    deploymentId === null ||
    (deploymentId === '' ? registered.length === 0 : registered.includes(deploymentId))
  if (!isNamed) return { kind: 'refused', code: 'deployment_not_allowed' }
  const grants: MemoryGrant[] = []
  let refusal: MemoryRefusal = 'consent_required'
  for (const grant of await tx.grants.live(userId)) {
    if (grant.agentId !== agentId || grant.oneTime) continue
    if (skillId !== null && grant.skillId !== skillId) continue
    const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
    if (state !== 'active') continue
    const { terms } = termsOf(grant)
    const { deployments } = terms
    if (deploymentId !== null && deployments.kind === 'only' && !deployments.ids.includes(deploymentId)) {
      refusal = 'deployment_not_allowed'
      continue
    }
    const skill = await tx.skills.find(grant.skillId)
    if (!skill?.currentDigest) continue
    const frozen = await tx.freezes.matching([
      freezeIdOf('skill', skill.id),
      freezeIdOf('publisher', skill.publisherId),
    ])
    if (frozen.length > 0) {
      refusal = 'frozen'
      continue
    }
    const { manifest } = await broker.manifests.load(tx, skill.currentDigest)
    const memory = new Map(manifest.memory.map((declared) => [declared.class, declared]))
    grants.push({ grant, terms, digest: skill.currentDigest, memory })
  }
  return grants.length > 0 ? { kind: 'grants', grants } : { kind: 'refused', code: refusal }
}

/** What manifest, grant and platform say of a class; undefined for one the manifest does not have. */
export function classTerms(
  { grant, terms, memory }: Pick<MemoryGrant, 'terms' | 'memory'> & { grant: Pick<GrantRow, 'expiresAtMs'> },
  memoryClass: string,
  platformDays: number,
): ClassTerms | undefined {
  const declared = memory.get(memoryClass)
  if (!declared) return undefined
  const { retentionDays } = terms
  return {
    manifestDays: declared.maxDays,
    sessionOnly: declared.sessionOnly,
    grantDays: Object.hasOwn(retentionDays, memoryClass) ? retentionDays[memoryClass] : undefined,
    platformDays,
    grantExpiresAtMs: grant.expiresAtMs,
  }
}
