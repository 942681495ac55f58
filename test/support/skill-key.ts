import { createHash, generateKeyPairSync } from 'node:crypto'
import type { ActionTokenClaims } from '../../src/core/execution/action-token.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { SkillCall } from '../../src/ports/skill-caller.ts'
import {
  importSkillKey,
  type SkillSigningKey,
  type SkillStatement,
  signSkillReceipt,
} from '../../src/sdk/sign-skill-receipt.ts'

export type SkillKey = {
  /** To sign whatever else a skill may say. */
  readonly key: SkillSigningKey
  /** The manifest with this key as its only runtime key. */
  inManifest(manifest: Manifest): Manifest
  /** The skill's signed word on a call, or on one that differs from it in what `about` says. */
  receipt(
    call: SkillCall,
    statement: SkillStatement,
    nowMs: number,
    about?: Partial<{ executionId: string; bodyDigest: string }>,
  ): string
}

/** A runtime key of a skill, so that tests can sign receipts in its name. */
export function createSkillKey(): SkillKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)
  const kid = thumbprint.digest('base64url')
  const key: SkillSigningKey = importSkillKey({ ...privateKey.export({ format: 'jwk' }), kid })
  return {
    key,
    inManifest: (manifest) => ({
      ...manifest,
      runtimeKeys: [{ kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', kid }],
    }),
    receipt(call, statement, nowMs, about = {}) {
      const claims = claimsOf(call)
      const subject = {
        executionId: claims.exe,
        bodyDigest: claims.bod,
        skillId: claims.skl,
        action: claims.act,
        ...about,
      }
      return signSkillReceipt(key, subject, statement, nowMs)
    },
  }
}

/** What the action token of a call says, unverified. */
export function claimsOf(call: SkillCall): ActionTokenClaims {
  const payload = call.headers.authorization?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
}
