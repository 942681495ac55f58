import { canonicalJson, digestOf } from '../canonical-json.ts'
import type { Manifest } from './manifest.ts'
import { plainJson } from './manifest-change.ts'

/** The RFC 8785 text of a manifest: what a publisher signs and what the digest is taken of. */
export function canonicalManifest(manifest: Manifest): string {
  return canonicalJson(plainJson(manifest))
}

/** The base64url SHA-256 of the canonical text; one version of a skill has one digest. */
export function manifestDigest(manifest: Manifest): string {
  return digestOf(plainJson(manifest))
}
