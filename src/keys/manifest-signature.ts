import { canonicalManifest } from '../core/manifest/canonical-manifest.ts'
import type { Manifest } from '../core/manifest/manifest.ts'
import type { FindKey, JwsVerdict, PrivateJwk } from './detached-jws.ts'
import { signDetached, verifyDetached } from './detached-jws.ts'

export const MANIFEST_TYP = 'countersign-manifest+jws'

/** Signs a manifest as its publisher: a detached JWS over its RFC 8785 form (RFC 7515 appendix F). */
export function signManifest(manifest: Manifest, privateJwk: PrivateJwk): Promise<string> {
  return signDetached(MANIFEST_TYP, Buffer.from(canonicalManifest(manifest)), privateJwk)
}

/** Verifies a publisher's signature over a manifest's canonical bytes with a key from the registry. */
export function verifyManifestSignature(
  canonicalBytes: Uint8Array,
  jws: string,
  findKey: FindKey,
): Promise<JwsVerdict> {
  return verifyDetached(MANIFEST_TYP, canonicalBytes, jws, findKey)
}
