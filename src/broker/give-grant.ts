import { canonicalJson } from '../core/canonical-json.ts'
import { stateOf, statusAfter } from '../core/grant/grant-state.ts'
import type { GrantStatus, GrantTerms } from '../core/grant/terms.ts'
import { findAction } from '../core/manifest/manifest.ts'
import { isSameJson, plainJson } from '../core/manifest/manifest-change.ts'
import type { AgentRow, ConsentRequestRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { moveMemory, shortenMemory } from './memory-of-grants.ts'
import { ensureStatusPlace, giveStatusPlace } from './status-place.ts'

export type GrantGiven = { grant: GrantRow; replaced: readonly string[] }

/** Makes the grant of an approved request, and ends those it takes the place of. */
export async function giveGrant(
  broker: Broker,
  tx: Tx,
  { request, agent, terms }: { request: ConsentRequestRow; agent: AgentRow; terms: GrantTerms },
): Promise<GrantGiven> {
  const replaced = terms.oneTime ? [] : await replaceEarlier(tx, request)
  const grant: GrantRow = {
    id: broker.newId('grant'),
    userId: request.userId,
    agentId: agent.id,
    lineageId: agent.lineageId,
    skillId: request.skillId,
    ...storedTerms(terms, consentedTo(terms, request.manifestDigest)),
    revision: 1,
    status: 'active',
    createdAtMs: tx.nowMs,
    changedAtMs: tx.nowMs,
  }
  await tx.grants.insert(grant)
  await giveStatusPlace(tx, grant)
  await moveMemory(tx, grant, replaced)
  return { grant, replaced }
}

/** The columns that follow from the terms. */
export function storedTerms(
  terms: GrantTerms,
  consented: Readonly<Record<string, string>>,
): Pick<GrantRow, 'terms' | 'consented' | 'oneTime' | 'expiresAtMs'> {
  return {
    terms: canonicalJson(plainJson(terms)),
    consented: canonicalJson(consented),
    oneTime: terms.oneTime,
    expiresAtMs: terms.expiresAtMs,
  }
}

/** A one-time grant stands beside the others: it adds one action, and leaves them as they are. */
async function replaceEarlier(tx: Tx, request: ConsentRequestRow): Promise<string[]> {
  const { userId, agentId, skillId } = request
  const live = await tx.grants.live(userId)
  const replaced: string[] = []
  for (const row of live.filter((grant) => grant.agentId === agentId && grant.skillId === skillId)) {
    if (row.oneTime) continue
    const state = stateOf({ status: row.status as GrantStatus, expiresAtMs: row.expiresAtMs }, tx.nowMs)
    const status = statusAfter(state, 'replace')
    if (status === undefined) continue
    await tx.grants.update({ ...row, status, revision: row.revision + 1, changedAtMs: tx.nowMs })
    replaced.push(row.id)
  }
  return replaced
}

/**
 * Renews what a new manifest outdated in a grant: the grant stays, and its user has now seen the new version.
 * Undefined if the grant is no longer the one the question was about.
 */
export async function renewConsent(
  broker: Broker,
  tx: Tx,
  { request, terms, grantId }: { request: ConsentRequestRow; terms: GrantTerms; grantId: string },
): Promise<GrantGiven | undefined> {
  const row = await tx.grants.find(grantId)
  if (!row || !isSameJson(termsOf(row).terms, JSON.parse(request.terms))) return undefined
  const state = stateOf({ status: row.status as GrantStatus, expiresAtMs: row.expiresAtMs }, tx.nowMs)
  if (state !== 'active' && state !== 'paused') return undefined

  const { manifest } = await broker.manifests.load(tx, request.manifestDigest)
  const seen = consentedTo(terms, request.manifestDigest, (name) =>
    findAction(manifest, name) ? undefined : termsOf(row).consented[name],
  )
  const grant: GrantRow = {
    ...row,
    ...storedTerms(terms, seen),
    revision: row.revision + 1,
    changedAtMs: tx.nowMs,
  }
  await tx.grants.update(grant)
  await ensureStatusPlace(tx, grant)
  await shortenMemory(tx, grant)
  return { grant, replaced: [] }
}

/** Which version of the manifest the user agreed to, for each action; `keep` says where an older one stays. */
function consentedTo(
  terms: GrantTerms,
  manifestDigest: string,
  keep: (action: string) => string | undefined = () => undefined,
): Record<string, string> {
  return Object.fromEntries(terms.actions.map(({ name }) => [name, keep(name) ?? manifestDigest]))
}
