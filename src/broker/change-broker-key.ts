import type { JsonObject } from '../core/json-value.ts'
import type { KeyRing } from '../ports/key-ring.ts'
import type { KeyPurpose } from '../ports/signer.ts'
import type { Broker } from './broker.ts'
import { noteKey } from './check-keys.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

export type RotateBrokerKeyOutcome =
  | ReasonRefused
  | { readonly kind: 'rotated'; readonly kid: string; readonly previousKid: string }

/**
 * Replaces one of the broker's own keys. That it will happen is a leaf before it does: a key that nobody
 * announced must not sign anything.
 */
export async function rotateBrokerKey(
  broker: Broker,
  keys: KeyRing,
  input: OperatorAct & { readonly purpose: KeyPurpose },
): Promise<RotateBrokerKeyOutcome> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { purpose } = input
  const previousKid = keys.currentKey(purpose).kid
  await logAct(broker, input, 'key_rotation_begun', { purpose, kid: previousKid })
  const kid = await keys.rotate(purpose, broker.store.now().nowMs)
  await noteKey(broker, purpose, kid)
  await logAct(broker, input, 'key_rotated', { purpose, kid, previousKid })
  return { kind: 'rotated', kid, previousKid }
}

export type RetireBrokerKeyOutcome =
  | ReasonRefused
  | { readonly kind: 'key_unknown' | 'key_is_current' }
  | { readonly kind: 'retired' }

/** Stops publishing a key that was rotated out, as after a leak: what it signed no longer verifies. */
export async function retireBrokerKey(
  broker: Broker,
  keys: KeyRing,
  input: OperatorAct & { readonly purpose: KeyPurpose; readonly kid: string },
): Promise<RetireBrokerKeyOutcome> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { purpose, kid } = input
  if (keys.currentKey(purpose).kid === kid) return { kind: 'key_is_current' }
  const isPublished = keys.jwks().keys.some((key) => key.cs_purpose === purpose && key.kid === kid)
  if (!isPublished) return { kind: 'key_unknown' }
  await logAct(broker, input, 'key_retired', { purpose, kid })
  return { kind: await keys.retire(purpose, kid, broker.store.now().nowMs) }
}

async function logAct(broker: Broker, by: OperatorAct, outcome: string, core: JsonObject): Promise<void> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    const leaf = seal(
      {
        type: 'operator',
        outcome,
        reason: 'operator',
        core,
        subj: { operator: by.operatorId },
        body: { reason: by.reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
  })
}
