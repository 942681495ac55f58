import { describe, expect, it } from 'vitest'
import { isSameLink } from '../../../src/core/manifest/links.ts'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import type { Manifest, ManifestLink } from '../../../src/core/manifest/manifest.ts'
import { sampleManifest } from '../../support/sample-manifest.ts'

const LINK: ManifestLink = {
  id: 'wallet',
  means: 'payment',
  title: { en: 'Your wallet', zh: '您的钱包' },
  issuer: 'https://login.pay.example',
  authorizationEndpoint: 'https://login.pay.example/authorize',
  tokenEndpoint: 'https://login.pay.example/token',
  scopes: ['pay'],
  fills: ['/from_account'],
}
const withLinks = (...links: Partial<ManifestLink>[]): Manifest => ({
  ...sampleManifest('pay.transfer'),
  links: links.map((link) => ({ ...LINK, ...link })),
})
const codes = (manifest: Manifest, allowDevelopment = false) =>
  lintManifest(manifest, { allowDevelopment })
    .filter(({ pointer }) => pointer.startsWith('/links'))
    .map(({ pointer, code }) => `${pointer} ${code}`)

describe('a link of a manifest', () => {
  it('passes when it names public endpoints and a field of kind account', () => {
    expect(codes(withLinks({}))).toEqual([])
  })

  it.each([
    'http://login.pay.example/token',
    'https://127.0.0.1/token',
    'https://localhost/token',
    'https://user@login.pay.example/token',
    'https://login.pay.example/token#x',
    'javascript:alert(1)',
    'token',
  ])('is refused with the endpoint %s', (tokenEndpoint) => {
    expect(codes(withLinks({ tokenEndpoint }))).toContain('/links/0/tokenEndpoint link_url_not_public')
  })

  it('may be on loopback while a skill is built', () => {
    const local = { tokenEndpoint: 'http://127.0.0.1:4001/token' }
    expect(codes(withLinks(local), true)).toEqual([])
    expect(codes(withLinks(local))).not.toEqual([])
  })

  it('fills what is of kind account, each field once', () => {
    expect(codes(withLinks({ fills: ['/amount'] }))).toEqual(['/links/0/fills/0 link_fills_nothing'])
    expect(codes(withLinks({}, { id: 'other' }))).toEqual(['/links link_fills_twice'])
    expect(codes(withLinks({}, {}))).toContain('/links link_twice')
  })
})

describe('whether a link is still the one a user was shown', () => {
  const before = withLinks({})
  it.each<[string, Manifest, boolean]>([
    ['it is', before, true],
    ['with another title', withLinks({ title: { en: 'Wallet', zh: '钱包' } }), true],
    ['with another token endpoint', withLinks({ tokenEndpoint: 'https://evil.example/token' }), false],
    ['with another issuer', withLinks({ issuer: 'https://evil.example' }), false],
    ['with more scopes', withLinks({ scopes: ['pay', 'admin'] }), false],
    ['filling another field', withLinks({ fills: ['/other'] }), false],
    ['gone', { ...before, links: [] }, false],
    [
      'at another place',
      { ...before, endpoint: { transport: 'http', baseUrl: 'https://evil.example' } },
      false,
    ],
    ['of another publisher', { ...before, publisher: 'evil.example' }, false],
  ])('%s', (_, now, same) => {
    expect(isSameLink(before, now, 'wallet')).toBe(same)
  })
})
