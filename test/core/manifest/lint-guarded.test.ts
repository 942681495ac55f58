import { describe, expect, it } from 'vitest'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import { diffManifests } from '../../../src/core/manifest/manifest-diff.ts'
import { actionAt, type Edit, sampleManifest } from '../../support/sample-manifest.ts'

const READ = actionAt('coding.local', 'read_file')
const codesOf = (...edits: Edit[]) =>
  lintManifest(sampleManifest('coding.local', ...edits)).map(({ pointer, code }) => [pointer, code])
const KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '9gSQBHvhHI-TNpKoj2QU6vO6Eh5hOXSNbgOJgNq1tOA',
  alg: 'EdDSA',
  kid: '-0CaKk_cf_JJskxomYiNtmE69RgMKIDaoaImmhKCgYk',
}

describe('the manifest of what a guard enforces', () => {
  it('is good as it is, without an address', () => {
    expect(codesOf()).toEqual([])
  })

  it.each<[string, Edit, string, string]>([
    ['spends', [`${READ}/effects`, ['read', 'spend']], `${READ}/effects`, 'guarded_spend'],
    ['has a path', [`${READ}/path`, '/read'], `${READ}/path`, 'guarded_never_called'],
    ['honours keys', [`${READ}/honoursKeys`, true], `${READ}/honoursKeys`, 'guarded_never_called'],
    [
      'undoes',
      [`${READ}/undo`, { action: 'plan', arguments: {}, withinSeconds: 60 }],
      `${READ}/undo`,
      'guarded_never_called',
    ],
    ['has keys for receipts', ['/runtimeKeys', [KEY]], '/runtimeKeys', 'guarded_never_called'],
    ['verifies calls', ['/verifiesCalls', true], '/verifiesCalls', 'guarded_never_called'],
    [
      'has a secret filled in',
      [`${READ}/input/properties/part/x-kind`, 'secret'],
      `${READ}/input/properties/part`,
      'guarded_never_called',
    ],
  ])('is refused where an action %s', (_, edit, pointer, code) => {
    expect(codesOf(edit)).toContainEqual([pointer, code])
  })

  it('needs a new consent where it turns into a skill that is called', () => {
    const next = sampleManifest('coding.local', [
      '/endpoint',
      { transport: 'http', baseUrl: 'https://a.example' },
    ])
    const changes = diffManifests(sampleManifest('coding.local'), next).perAction.read_file
    expect(changes?.map(({ code }) => code)).toContain('endpoint_changed')
  })
})
