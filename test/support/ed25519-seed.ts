import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { ED25519, type NoteKey, noteKey } from '../../src/core/merkle/note-key.ts'

/** A note key with its private half, made from a 32-byte seed so that signatures are the same in every run. */
export interface TestSigner {
  readonly key: NoteKey
  readonly sign: (message: Uint8Array) => Buffer
}

/** Makes the signer of a name from a seed (RFC 8032). */
export function signerFromSeed(name: string, seed: Uint8Array, type: number = ED25519): TestSigner {
  const privateKey = privateKeyFromSeed(seed)
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return {
    key: noteKey(name, Buffer.from(x ?? '', 'base64url'), type),
    sign: (message) => sign(null, message, privateKey),
  }
}

function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  // PKCS #8 (RFC 8410 section 7): a fixed header, then the seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
