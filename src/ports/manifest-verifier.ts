import type { PublicJwk } from '../core/manifest/public-key.ts'

/** A signature that held, and whose key made it; or why it did not. */
export type SignatureVerdict =
  | { readonly ok: true; readonly kid: string }
  | { readonly ok: false; readonly code: string; readonly message: string }

/**
 * Verifies what publishers sign. Keys come from the registry and from nowhere else: a signature that brings its
 * own key is refused.
 */
export interface ManifestVerifier {
  /** @param canonicalBytes RFC 8785 form of the manifest. */
  verifyManifest(
    canonicalBytes: Uint8Array,
    signature: string,
    keys: readonly PublicJwk[],
  ): Promise<SignatureVerdict>
  verifyKeyAddition(
    addition: { readonly publisher: string; readonly newKeyJwk: PublicJwk },
    signature: string,
    keys: readonly PublicJwk[],
  ): Promise<SignatureVerdict>
  verifyKeyRevocation(
    revocation: { readonly publisher: string; readonly kid: string },
    signature: string,
    keys: readonly PublicJwk[],
  ): Promise<SignatureVerdict>
}
