import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseManifest } from '../../src/core/manifest/parse-manifest.ts'
import { parsePublicJwk } from '../../src/core/manifest/public-key.ts'
import { verifyManifestSignature } from '../../src/keys/manifest-signature.ts'
import { sampleSignature, sampleText } from '../support/sample-manifest.ts'

/** What users of guards may have consented to: a change here means signing again, as a new version. */
const DIGEST = 'vcvEleHlrenzQtiDlRzICEcW19B5frsL4xJsLT77aRE'

it('the coding manifest has the digest it was signed with, by the published key of its publisher', async () => {
  const parsed = parseManifest(sampleText('coding.local'))
  if (!parsed.ok) throw new Error('the sample must parse')
  expect(parsed.digest).toBe(DIGEST)
  const file = new URL('../../manifests/publishers/coding.example.jwks.json', import.meta.url)
  const { keys } = JSON.parse(readFileSync(file, 'utf8'))
  const [key] = keys.map(parsePublicJwk)
  const verdict = await verifyManifestSignature(
    Buffer.from(parsed.canonical),
    sampleSignature('coding.local'),
    (kid) => (key.ok && key.jwk.kid === kid ? key.jwk : undefined),
  )
  expect(verdict.ok).toBe(true)
})
