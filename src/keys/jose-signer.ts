import { type KeyObject, sign } from 'node:crypto'
import { jwsSigningInput } from '../core/execution/compact-jws.ts'
import type { KeyPurpose, PublicBrokerKey, Signer } from '../ports/signer.ts'
import { toPrivateKey, toPublicKey } from './broker-key.ts'
import type { BrokerKeys } from './key-file.ts'

/**
 * Signs JOSE tokens and log notes with the keys of an opened folder.
 *
 * The signature itself is node:crypto's with key objects made once, which is faster than going through WebCrypto for
 * each token; the result is an ordinary RFC 7515 compact JWS. A rotation takes effect when the folder is opened again.
 */
export function createSigner(keys: BrokerKeys): Signer {
  const signing = new Map<KeyPurpose, { key: KeyObject; published: PublicBrokerKey }>()
  for (const [purpose, content] of keys.current) {
    signing.set(purpose, { key: toPrivateKey(content), published: toPublicKey(content) })
  }
  const published = keys.published.map(toPublicKey)

  function loadKey(purpose: KeyPurpose): { key: KeyObject; published: PublicBrokerKey } {
    const found = signing.get(purpose)
    if (!found) throw new Error(`no current key for ${purpose}`)
    return found
  }

  return {
    async sign(purpose, header, payload) {
      const { key, published } = loadKey(purpose)
      const input = jwsSigningInput({ alg: 'EdDSA', kid: published.kid, typ: header.typ }, payload)
      return `${input}.${sign(null, Buffer.from(input, 'ascii'), key).toString('base64url')}`
    },
    async signBytes(purpose, bytes) {
      return sign(null, bytes, loadKey(purpose).key)
    },
    currentKey: (purpose) => loadKey(purpose).published,
    jwks: () => ({ keys: published }),
  }
}
