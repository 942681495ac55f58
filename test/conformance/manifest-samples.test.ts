import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lintManifest } from '../../src/core/manifest/lint-manifest.ts'
import { parseManifest } from '../../src/core/manifest/parse-manifest.ts'
import { parsePublicJwk } from '../../src/core/manifest/public-key.ts'
import { toolNameOf } from '../../src/core/manifest/tool-name.ts'
import { verifyManifestSignature } from '../../src/keys/manifest-signature.ts'
import { SAMPLE_SKILLS, sampleManifest, sampleSignature, sampleText } from '../support/sample-manifest.ts'

/** What users of the samples may have consented to: a change here means signing again, as a new version. */
const DIGESTS = {
  'coffee.order': '0QQ_k-0UQzm6ci67RogzrglDrPna4RsY0DJyDYD_ryU',
  'pay.transfer': '8dKjN4I1VATaROOY7kOnzsKqhxjIUNlrAZ1dmMENe3I',
  'web.browse': '7FQTiqfg_38wBMc7gSkuT9MMMA1DpocM7SpQRaZ9G-Q',
} as const

describe.each(SAMPLE_SKILLS)('the sample manifest of %s', (skill) => {
  it('has no fault, and only its loopback endpoint is for development', () => {
    expect(lintManifest(sampleManifest(skill), { allowDevelopment: true })).toEqual([])
    expect(lintManifest(sampleManifest(skill)).map((fault) => fault.code)).toEqual(['endpoint_not_https'])
  })

  it('has the digest it was signed with', () => {
    const parsed = parseManifest(sampleText(skill))
    expect(parsed.ok && parsed.digest).toBe(DIGESTS[skill])
  })

  it("is signed by its publisher's published key", async () => {
    const parsed = parseManifest(sampleText(skill))
    if (!parsed.ok) throw new Error('the sample must parse')
    const file = new URL(`../../manifests/publishers/${parsed.manifest.publisher}.jwks.json`, import.meta.url)
    const { publisher, keys } = JSON.parse(readFileSync(file, 'utf8'))
    expect(publisher).toBe(parsed.manifest.publisher)
    const publicKeys = keys
      .map(parsePublicJwk)
      .flatMap((key: ReturnType<typeof parsePublicJwk>) => (key.ok ? [key.jwk] : []))
    expect(publicKeys).toHaveLength(keys.length)
    const verdict = await verifyManifestSignature(
      Buffer.from(parsed.canonical),
      sampleSignature(skill),
      (kid) => publicKeys.find((key: { kid: string }) => key.kid === kid),
    )
    expect(verdict.ok).toBe(true)
  })

  it('holds no private key', () => {
    expect(sampleText(skill)).not.toMatch(/"d"\s*:/)
  })
})

it('gives every action of the samples a tool name of its own', () => {
  const names = SAMPLE_SKILLS.flatMap((skill) =>
    sampleManifest(skill).actions.map((action) => toolNameOf(skill, action.name)),
  )
  expect(new Set(names).size).toBe(names.length)
})
