import { manifestShape } from '../core/manifest/manifest.ts'
import { type PublicJwkFault, parsePublicJwk } from '../core/manifest/public-key.ts'
import { addKey } from '../core/manifest/publisher-keys.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { toKeyRow } from './publisher-key-set.ts'

export type RegisterPublisherInput = OperatorAct & {
  readonly publisherId: string
  /** The publisher's first public key, as it sent it. */
  readonly jwk: unknown
}

export type RegisterPublisherOutcome =
  | ReasonRefused
  | { readonly kind: 'publisher_id_refused' }
  | { readonly kind: 'key_refused'; readonly fault: PublicJwkFault }
  | { readonly kind: 'already_registered' }
  | { readonly kind: 'registered'; readonly publisherId: string; readonly kid: string }

/** Lets a publisher in with its first key. Who it is has been checked by the operator, by other means. */
export async function registerPublisher(
  broker: Broker,
  input: RegisterPublisherInput,
): Promise<RegisterPublisherOutcome> {
  const { publisherId, operatorId, reason } = input
  const refused = refuseReason(input)
  if (refused) return refused
  if (!manifestShape.shape.publisher.safeParse(publisherId).success) return { kind: 'publisher_id_refused' }
  const parsed = parsePublicJwk(input.jwk)
  if (!parsed.ok) return { kind: 'key_refused', fault: parsed.fault }

  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    if (await tx.publishers.find(publisherId)) return { kind: 'already_registered' }
    const added = addKey({ publisher: publisherId, keys: [] }, parsed.jwk, { kind: 'operator', operatorId })
    const key = added.kind === 'added' ? added.keySet.keys[0] : undefined
    if (!key) throw new Error('an empty key set refused a key')
    await tx.publishers.insert({ id: publisherId, createdAtMs: tx.nowMs })
    await tx.publishers.insertKey(toKeyRow(publisherId, key, tx.nowMs))
    const leaf = seal(
      {
        type: 'publisher',
        outcome: 'registered',
        reason: 'operator',
        core: { publisher: publisherId, kid: key.kid },
        subj: { operator: operatorId },
        body: { reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'registered', publisherId, kid: key.kid }
  })
}
