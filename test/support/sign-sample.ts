import { canonicalManifest, manifestDigest } from '../../src/core/manifest/canonical-manifest.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { PublicJwk } from '../../src/core/manifest/public-key.ts'
import type { PrivateJwk } from '../../src/keys/detached-jws.ts'
import { signManifest } from '../../src/keys/manifest-signature.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'

export interface SignedSample {
  readonly manifest: Manifest
  /** RFC 8785 text. */
  readonly canonical: string
  readonly digest: string
  readonly jws: string
  /** To be registered as a living key of the manifest's publisher. */
  readonly publisherJwk: PublicJwk
  readonly publisherPrivateJwk: PrivateJwk
}

export interface SigningOptions {
  /** Where the sample skill listens, when its port was chosen at start. */
  readonly baseUrl?: string
  /** The keys the running sample skill signs its receipts with. */
  readonly runtimeKeys?: readonly PublicJwk[]
  /** Another key of the same publisher; a fresh one otherwise. */
  readonly privateJwk?: PrivateJwk
}

/** Signs any manifest, with its endpoint and runtime keys replaced where a test runs the skill itself. */
export async function signSample(sample: Manifest, options: SigningOptions = {}): Promise<SignedSample> {
  const publisherPrivateJwk = options.privateJwk ?? (await generatePublisherKey())
  const manifest: Manifest = {
    ...sample,
    endpoint:
      options.baseUrl === undefined ? sample.endpoint : { transport: 'http', baseUrl: options.baseUrl },
    runtimeKeys: [...(options.runtimeKeys ?? sample.runtimeKeys)],
  }
  return {
    manifest,
    canonical: canonicalManifest(manifest),
    digest: manifestDigest(manifest),
    jws: await signManifest(manifest, publisherPrivateJwk),
    publisherJwk: publicHalfOf(publisherPrivateJwk),
    publisherPrivateJwk,
  }
}
