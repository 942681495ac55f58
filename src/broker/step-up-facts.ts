import { z } from 'zod'
import type { GrantTerms } from '../core/grant/terms.ts'
import { type Effect, findAction, type Manifest } from '../core/manifest/manifest.ts'
import { needsStepUp, type StepUpAbove } from '../core/people/step-up-policy.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { findOwnConsentRequest } from './own-rows.ts'
import { showApproval } from './show-approval.ts'

const stepUpAboveShape = z.record(z.string(), z.int().min(0))

/** Up to which amounts this user approves without a step-up; nothing until they raise it. */
export async function stepUpAboveOf(tx: Tx, userId: string): Promise<StepUpAbove> {
  const person = await tx.people.find({ kind: 'user', id: userId })
  return person ? stepUpAboveShape.parse(JSON.parse(person.stepUpAbove)) : {}
}

/** Whether saying yes to this action takes a step-up. What cannot be shown does. */
export async function approvalNeedsStepUp(
  broker: Broker,
  input: { userId: string; approvalId: string },
): Promise<boolean> {
  const found = await showApproval(broker, input)
  if (found.kind !== 'found' || found.approval.shown === null) return true
  const { amount } = found.approval.shown
  const stepUpAbove = await broker.store.read((tx) => stepUpAboveOf(tx, input.userId))
  return needsStepUp({
    kind: 'approve_action',
    amount: amount ? { amountMinor: amount.minor, currency: amount.currency } : null,
    stepUpAbove,
  })
}

/** Whether saying yes to this consent request takes a step-up: by the effects of what would be given. */
export function consentNeedsStepUp(
  broker: Broker,
  input: { userId: string; requestId: string; given: GrantTerms | undefined },
): Promise<boolean> {
  return broker.store.read(async (tx) => {
    const request = await findOwnConsentRequest(tx, input.userId, input.requestId)
    if (!request) return true
    const { manifest } = await broker.manifests.load(tx, request.manifestDigest)
    const terms = input.given ?? (JSON.parse(request.terms) as GrantTerms)
    return needsStepUp({ kind: 'give_grant', effects: effectsOf(manifest, terms) })
  })
}

/** What a grant with these terms could do. What the manifest does not know any more cannot be called harmless. */
function effectsOf(manifest: Manifest, terms: GrantTerms): Effect[] {
  return terms.actions.flatMap(({ name }) => findAction(manifest, name)?.effects ?? ['authority' as const])
}
