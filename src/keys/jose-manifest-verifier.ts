import type { PublicJwk } from '../core/manifest/public-key.ts'
import type { ManifestVerifier } from '../ports/manifest-verifier.ts'
import type { FindKey } from './detached-jws.ts'
import { verifyKeyAddition } from './key-addition-signature.ts'
import { verifyKeyRevocation } from './key-revocation-signature.ts'
import { verifyManifestSignature } from './manifest-signature.ts'

/** Verifies publishers' detached JWS with the keys it is handed. */
export function createManifestVerifier(): ManifestVerifier {
  return {
    verifyManifest: (bytes, signature, keys) => verifyManifestSignature(bytes, signature, among(keys)),
    verifyKeyAddition: (addition, signature, keys) => verifyKeyAddition(addition, signature, among(keys)),
    verifyKeyRevocation: (revocation, signature, keys) =>
      verifyKeyRevocation(revocation, signature, among(keys)),
  }
}

function among(keys: readonly PublicJwk[]): FindKey {
  return (kid) => keys.find((key) => key.kid === kid)
}
