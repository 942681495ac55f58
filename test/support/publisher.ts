import { approveManifest } from '../../src/broker/approve-manifest.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { registerPublisher } from '../../src/broker/register-publisher.ts'
import { type SubmitManifestOutcome, submitManifest } from '../../src/broker/submit-manifest.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { PrivateJwk } from '../../src/keys/detached-jws.ts'
import { signManifest } from '../../src/keys/manifest-signature.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'

export const OPERATOR = { operatorId: 'op_ada', reason: 'checked by hand' } as const

/** Registers a publisher with a fresh key, as an operator does. */
export async function newPublisher(broker: Broker, publisherId: string): Promise<PrivateJwk> {
  const key = await generatePublisherKey()
  const outcome = await registerPublisher(broker, { publisherId, jwk: publicHalfOf(key), ...OPERATOR })
  if (outcome.kind !== 'registered') throw new Error(outcome.kind)
  return key
}

/** Signs and submits a manifest over the same path a publisher takes. */
export async function submit(
  broker: Broker,
  manifest: Manifest,
  key: PrivateJwk,
): Promise<SubmitManifestOutcome> {
  const value: JsonValue = JSON.parse(JSON.stringify(manifest))
  return submitManifest(broker, { manifest: value, signature: await signManifest(manifest, key) })
}

/** Submits and approves; returns the digest. @throws Error if either is refused. */
export async function publish(broker: Broker, manifest: Manifest, key: PrivateJwk): Promise<string> {
  const submitted = await submit(broker, manifest, key)
  if (submitted.kind !== 'submitted') throw new Error(JSON.stringify(submitted))
  const approved = await approveManifest(broker, { digest: submitted.digest, ...OPERATOR })
  if (approved.kind !== 'approved') throw new Error(JSON.stringify(approved))
  return submitted.digest
}
