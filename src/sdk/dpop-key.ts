import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'

/** A key that proves that a token is used by the agent it was given to (RFC 9449). */
export interface DpopKey {
  /** The private half as a JWK, to be kept where the agent keeps secrets. */
  exportPrivate(): JsonWebKey
  /** A proof for one request. @param accessToken the token sent with it; left out at the token endpoint. */
  prove(request: { method: string; url: string; accessToken?: string; nowMs: number }): string
}

/** Makes a new key. Ed25519. */
export function createDpopKey(): DpopKey {
  return keyFrom(generateKeyPairSync('ed25519').privateKey)
}

/** Takes up a kept private JWK, Ed25519 or P-256. @throws TypeError for anything else. */
export function importDpopKey(jwk: JsonWebKey): DpopKey {
  return keyFrom(createPrivateKey({ format: 'jwk', key: jwk }))
}

function keyFrom(key: KeyObject): DpopKey {
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  const isEd25519 = kty === 'OKP' && crv === 'Ed25519'
  if (!isEd25519 && !(kty === 'EC' && crv === 'P-256')) throw new TypeError('a DPoP key is Ed25519 or P-256')
  const jwk = { kty, crv, x, ...(y === undefined ? {} : { y }) }
  const header = encode({ typ: 'dpop+jwt', alg: isEd25519 ? 'EdDSA' : 'ES256', jwk })
  return {
    exportPrivate: () => key.export({ format: 'jwk' }),
    prove({ method, url, accessToken, nowMs }) {
      const { origin, pathname } = new URL(url)
      const claims = {
        jti: randomUUID(),
        htm: method,
        htu: `${origin}${pathname}`,
        iat: Math.floor(nowMs / 1000),
        ...(accessToken === undefined
          ? {}
          : { ath: createHash('sha256').update(accessToken, 'ascii').digest('base64url') }),
      }
      const input = Buffer.from(`${header}.${encode(claims)}`, 'ascii')
      const signature = isEd25519
        ? sign(null, input, key)
        : sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')
}
