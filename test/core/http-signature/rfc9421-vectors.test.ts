import { createHash, createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contentDigest, isDigestOf } from '../../../src/core/http-signature/content-digest.ts'
import { type SignedMessage, signatureBase } from '../../../src/core/http-signature/signature-base.ts'
import { type InnerList, parseDictionary } from '../../../src/core/http-signature/structured-fields.ts'

const BODY = Buffer.from('{"hello": "world"}')
const DIGEST =
  'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:'

/** RFC 9421 appendix B.2, the test request. */
const REQUEST: SignedMessage = {
  method: 'POST',
  targetUri: 'https://example.com/foo?param=Value&Pet=dog',
  headers: {
    host: 'example.com',
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-digest': DIGEST,
    'content-length': '18',
  },
}

/** RFC 9421 appendix B.2, the test response. */
const RESPONSE: SignedMessage = {
  ...REQUEST,
  status: 200,
  headers: {
    date: 'Tue, 20 Apr 2021 02:07:56 GMT',
    'content-type': 'application/json',
    'content-digest':
      'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    'content-length': '23',
  },
}

function inputOf(header: string): InnerList {
  const [member] = [...(parseDictionary(header)?.values() ?? [])]
  if (!member || !Array.isArray(member.value)) throw new Error('no signature input')
  return member as InnerList
}

describe('the test vectors of RFC 9421 appendix B.2', () => {
  it('B.2.4: the base of a response, whose ECDSA signature verifies', () => {
    const base = signatureBase(
      RESPONSE,
      inputOf(
        'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
      ),
    )
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: 'qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA',
        y: 'Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0',
      },
    })
    const signature = Buffer.from(
      'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
      'base64',
    )
    expect(verify('sha256', Buffer.from(base ?? ''), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(
      true,
    )
  })

  it('B.2.5: the base of a request, whose HMAC is the printed one', () => {
    const base = signatureBase(
      REQUEST,
      inputOf('sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'),
    )
    const secret = Buffer.from(
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
      'base64',
    )
    expect(
      createHmac('sha256', secret)
        .update(base ?? '')
        .digest('base64'),
    ).toBe('pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=')
  })

  it('B.2.6: the base of a request, and its Ed25519 signature to the byte', () => {
    const base = signatureBase(
      REQUEST,
      inputOf(
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      ),
    )
    expect(base).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      ].join('\n'),
    )
    const key = createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
        x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
      },
    })
    expect(sign(null, Buffer.from(base ?? ''), key).toString('base64')).toBe(
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
    )
  })
})

describe('the digest of a content (RFC 9530)', () => {
  it('is the one RFC 9421 prints for its test request', () => {
    expect(isDigestOf(DIGEST, BODY)).toBe(true)
    expect(createHash('sha512').update(BODY).digest('base64')).toBe(DIGEST.slice(9, -1))
  })

  it.each([
    ['another body', DIGEST, '{"hello": "World"}'],
    ['one wrong digest beside a right one', `${DIGEST}, sha-256=:AAAA:`, BODY.toString()],
    ['only algorithms nobody knows', 'md5=:AAAA:', BODY.toString()],
    ['a digest that is no byte sequence', 'sha-256="AAAA"', BODY.toString()],
    ['a member given twice', `${DIGEST}, ${DIGEST}`, BODY.toString()],
    ['nothing', '', BODY.toString()],
  ])('is refused for %s', (_, header, body) => {
    expect(isDigestOf(header, Buffer.from(body))).toBe(false)
  })

  it('is made by SHA-256', () => {
    expect(contentDigest(BODY)).toBe('sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:')
  })
})
