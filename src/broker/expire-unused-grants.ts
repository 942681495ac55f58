import { stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import { unusedStep } from '../core/grant/unused.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { storedTerms } from './give-grant.ts'
import { termsOf } from './grant-terms.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { shortenMemory } from './memory-of-grants.ts'
import { tellInTx } from './tell.ts'

const PAGE = 200
const PASS_EVERY_MS = 3_600_000

/**
 * Makes the work of one turn of a loop: looks at a few live grants, tells their users or ends them, and begins again an
 * hour after it has seen all. When a grant was last used stands in the actions: nothing is written for it when a
 * decision is made.
 */
export function openUnusedSweep(broker: Broker): () => Promise<void> {
  let after = ''
  let nextPassAtMs = 0
  return async () => {
    const { nowMs } = broker.store.now()
    if (nowMs < nextPassAtMs) return
    const page = await broker.store.read(async (tx) => tx.grantWatches.page(after, PAGE))
    for (const grant of page) {
      if (await isDue(broker, grant)) await sweepGrant(broker, grant)
    }
    after = page.length === PAGE ? (page.at(-1)?.id ?? '') : ''
    if (after === '') nextPassAtMs = nowMs + PASS_EVERY_MS
  }
}

/** Looks at every live grant once; what is due is done. */
export async function sweepUnused(broker: Broker): Promise<void> {
  for (let after = ''; ; ) {
    const page = await broker.store.read(async (tx) => tx.grantWatches.page(after, PAGE))
    for (const grant of page) {
      if (await isDue(broker, grant)) await sweepGrant(broker, grant)
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.id
  }
}

/** Whether a grant needs a closer look: most were used, changed or looked at too lately. */
async function isDue(broker: Broker, grant: GrantRow): Promise<boolean> {
  const { nowMs } = broker.store.now()
  const { unusedGrantMs } = broker.settings
  const step = unusedStep({ ...grant, lastUsedAtMs: null, toldAtMs: null }, unusedGrantMs, nowMs)
  if (step.kind === 'wait' || nowMs >= grant.expiresAtMs) return false
  const watch = await broker.store.read(async (tx) => tx.grantWatches.find(grant.id))
  return watch === undefined || watch.checkAtMs <= nowMs
}

/**
 * Does what is due for one grant. The grant is locked first and its use looked up then: a permit that was committed
 * before is seen, and one that comes after finds the grant as it is left here.
 */
async function sweepGrant(broker: Broker, found: GrantRow): Promise<void> {
  const { userId, skillId } = found
  const seal = await sealerFor(broker, { userId, skillId })
  const told = await broker.store.transaction(
    async (tx) => {
      const grant = await tx.grants.find(found.id)
      const state =
        grant && stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
      if (!grant || (state !== 'active' && state !== 'paused')) return false
      return doWhatIsDue(broker, tx, seal, grant)
    },
    { userId },
  )
  if (told) broker.deliveries.wake()
}

async function doWhatIsDue(broker: Broker, tx: Tx, seal: LeafSealer, grant: GrantRow): Promise<boolean> {
  const { unusedGrantMs } = broker.settings
  const { userId, id } = grant
  const before = await tx.grantWatches.find(id)
  const lastUsedAtMs = (await tx.grantWatches.lastUse(userId, id, tx.nowMs - unusedGrantMs)) ?? null
  const use = { ...grant, lastUsedAtMs, toldAtMs: before?.toldAtMs ?? null }
  const step = unusedStep(use, unusedGrantMs, tx.nowMs)
  const watch = { grantId: id, userId, lastUsedAtMs, toldAtMs: use.toldAtMs }
  switch (step.kind) {
    case 'wait':
      await tx.grantWatches.save({ ...watch, checkAtMs: step.untilMs })
      return false
    case 'tell':
      await tellInTx(broker, tx, userId, { kind: 'grant_expires_unused', id, expiresAtMs: step.endsAtMs })
      await tx.grantWatches.save({ ...watch, toldAtMs: tx.nowMs, checkAtMs: step.endsAtMs })
      return true
    case 'expire':
      await expire(tx, seal, grant)
      await tellInTx(broker, tx, userId, { kind: 'grant_expired_unused', id })
      return true
  }
}

/** It ends as by its own expiry, so that its user may renew it. */
async function expire(tx: Tx, seal: LeafSealer, grant: GrantRow): Promise<void> {
  const { terms, consented } = termsOf(grant)
  const ended = {
    ...grant,
    ...storedTerms({ ...terms, expiresAtMs: tx.nowMs }, consented),
    revision: grant.revision + 1,
    changedAtMs: tx.nowMs,
  }
  await tx.grants.update(ended)
  await shortenMemory(tx, ended)
  const leaf = seal(
    {
      type: 'grant',
      outcome: 'expired',
      reason: 'unused',
      core: { skill: grant.skillId, revision: ended.revision },
      subj: { user: grant.userId, agent: grant.agentId, grant: grant.id },
      body: { terms: plainJson({ ...terms, expiresAtMs: tx.nowMs }) },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
}
