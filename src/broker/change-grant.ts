import { z } from 'zod'
import { type GrantState, renewedTerms, stateOf, statusAfter } from '../core/grant/grant-state.ts'
import { checkNarrower, type NarrowFault } from '../core/grant/narrow.ts'
import { type GrantStatus, type GrantTerms, grantTermsShape } from '../core/grant/terms.ts'
import type { AuthorityEventType } from '../core/http-signature/authority-event.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureStands } from './erasure-stands.ts'
import { storedTerms } from './give-grant.ts'
import { termsOf } from './grant-terms.ts'
import { sealerFor } from './leaf-sealer.ts'
import { shortenMemory } from './memory-of-grants.ts'
import { findOwnGrant } from './own-rows.ts'
import { refuseOddTexts } from './plain-text.ts'
import { queueAuthorityEvents } from './queue-authority-events.ts'
import { type RecoveredRecently, recoveredRecently } from './recovered-recently.ts'
import { ensureStatusPlace } from './status-place.ts'

export const narrowGrantShape = z.strictObject({ terms: grantTermsShape.superRefine(refuseOddTexts) })
export const renewGrantShape = z.strictObject({ expiresAtMs: z.int().min(0) })

/** What gives back or prolongs authority; within a day of a recovery it has to wait. */
const WIDENING: ReadonlySet<string> = new Set(['resumed', 'confirmed', 'renewed'])

/** What skills and agents are told of. */
const TOLD: Readonly<Record<string, AuthorityEventType>> = {
  paused: 'authority.suspended',
  resumed: 'authority.restored',
  confirmed: 'authority.restored',
}
const NOBODY_ELSE = { executions: [], revocationId: '' }

type WhichGrant = { userId: string; grantId: string }
type NotChanged = { kind: 'not_found' } | { kind: 'not_possible'; state: GrantState } | RecoveredRecently
/** `isNew` is false when the grant was in that state already: then nothing was written. */
type Changed = { kind: 'changed'; grant: GrantRow; isNew: boolean }

export type GrantPaused = Changed | NotChanged

/** Stops a grant until it is resumed. What it has in flight goes on. */
export function pauseGrant(broker: Broker, input: WhichGrant): Promise<GrantPaused> {
  return changeGrant(broker, input, 'paused', (grant, state) => {
    if (state === 'paused') return { kind: 'changed', grant, isNew: false }
    return withStatus(grant, state, 'pause')
  })
}

/** Lets a paused grant go on, with the same terms and the same expiry. */
export function resumeGrant(broker: Broker, input: WhichGrant): Promise<GrantPaused> {
  return changeGrant(broker, input, 'resumed', (grant, state, _tx, isHeld) => {
    if (isHeld) return { kind: 'not_possible', state }
    if (state === 'active') return { kind: 'changed', grant, isNew: false }
    return withStatus(grant, state, 'resume')
  })
}

/** The user's one more yes to a grant that a restore suspended: it goes on with the same terms and the same expiry. */
export function confirmGrant(broker: Broker, input: WhichGrant): Promise<GrantPaused> {
  return changeGrant(broker, input, 'confirmed', (grant, state, _tx, isHeld) => {
    if (isHeld) return { kind: 'not_possible', state }
    if (state === 'active') return { kind: 'changed', grant, isNew: false }
    return withStatus(grant, state, 'confirm')
  })
}

export type GrantNarrowed = Changed | NotChanged | { kind: 'not_narrower'; faults: readonly NarrowFault[] }

/** Makes a live grant allow less. What is not proven narrower takes a new consent. */
export function narrowGrant(
  broker: Broker,
  input: WhichGrant & { terms: GrantTerms },
): Promise<GrantNarrowed> {
  return changeGrant<GrantNarrowed>(broker, input, 'narrowed', (grant, state, tx) => {
    if (state !== 'active' && state !== 'paused') return { kind: 'not_possible', state }
    const stored = termsOf(grant)
    const narrower = checkNarrower(stored.terms, input.terms, tx.nowMs)
    if (!narrower.ok) return { kind: 'not_narrower', faults: narrower.faults }
    const names = new Set(input.terms.actions.map(({ name }) => name))
    const consented = Object.entries(stored.consented).filter(([name]) => names.has(name))
    const changed = { ...grant, ...storedTerms(input.terms, Object.fromEntries(consented)) }
    return { kind: 'changed', grant: changed, isNew: true }
  })
}

export type GrantRenewed =
  | Changed
  | { kind: 'not_found' }
  | RecoveredRecently
  | { kind: 'not_renewable'; code: 'grant_ended' | 'expiry_passed' | 'expiry_not_later' | 'expiry_too_far' }

/** Gives a grant a later end. An expired grant lives again; what a new manifest outdated stays outdated. */
export function renewGrant(
  broker: Broker,
  input: WhichGrant & { expiresAtMs: number },
): Promise<GrantRenewed> {
  return changeGrant<GrantRenewed>(broker, input, 'renewed', (grant, state, tx) => {
    const { terms, consented } = termsOf(grant)
    const renewal = renewedTerms(terms, state, input.expiresAtMs, tx.nowMs)
    if (!renewal.ok) return { kind: 'not_renewable', code: renewal.code }
    const status = statusAfter(state, 'renew')
    if (status === undefined) return { kind: 'not_renewable', code: 'grant_ended' }
    const changed = { ...grant, ...storedTerms(renewal.terms, consented), status }
    return { kind: 'changed', grant: changed, isNew: true }
  })
}

function withStatus(
  grant: GrantRow,
  state: GrantState,
  event: 'pause' | 'resume' | 'confirm',
): Changed | NotChanged {
  const status = statusAfter(state, event)
  if (status === undefined) return { kind: 'not_possible', state }
  return { kind: 'changed', grant: { ...grant, status }, isNew: true }
}

/** Changes one grant of the user's and logs it, or leaves it as it is. */
async function changeGrant<Outcome extends { kind: string }>(
  broker: Broker,
  { userId, grantId }: WhichGrant,
  outcome: string,
  /** `isHeld`: what an erasure paused does not go on one by one. */
  change: (grant: GrantRow, state: GrantState, tx: Tx, isHeld: boolean) => Outcome | Changed,
): Promise<Outcome | Changed | { kind: 'not_found' } | RecoveredRecently> {
  const found = await broker.store.read((tx) => findOwnGrant(tx, userId, grantId))
  if (!found) return { kind: 'not_found' }
  const seal = await sealerFor(broker, { userId, skillId: found.skillId })
  return broker.store.transaction(
    async (tx) => {
      const before = await findOwnGrant(tx, userId, grantId)
      if (!before) return { kind: 'not_found' }
      const state = stateOf(
        { status: before.status as GrantStatus, expiresAtMs: before.expiresAtMs },
        tx.nowMs,
      )
      if (WIDENING.has(outcome) && (await recoveredRecently(tx, userId)))
        return { kind: 'recovered_recently' }
      const isHeld = WIDENING.has(outcome) && (await erasureStands(tx, userId))
      const made = change(before, state, tx, isHeld)
      if (!isChanged(made) || !made.isNew) return made
      const grant = { ...made.grant, revision: before.revision + 1, changedAtMs: tx.nowMs }
      await tx.grants.update(grant)
      await ensureStatusPlace(tx, grant)
      if (outcome === 'narrowed') await shortenMemory(tx, grant)
      await tx.log.append(seal(changeLeaf(grant, outcome), tx.nowMs), tx.nowMs)
      const type = TOLD[outcome]
      if (type) await queueAuthorityEvents(broker, tx, { ...NOBODY_ELSE, userId, type, grants: [grant] })
      return { ...made, grant }
    },
    { userId },
  )
}

function isChanged(made: { kind: string }): made is Changed {
  return made.kind === 'changed'
}

function changeLeaf(grant: GrantRow, outcome: string): LeafContent {
  return {
    type: 'grant',
    outcome,
    reason: 'by_user',
    core: { skill: grant.skillId, revision: grant.revision },
    subj: { user: grant.userId, agent: grant.agentId, grant: grant.id },
    body: { terms: plainJson(termsOf(grant).terms) },
  }
}
