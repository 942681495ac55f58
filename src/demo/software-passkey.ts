import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { z } from 'zod'

/** What an authenticator or a browser in somebody else's hands might do. */
export type Tricks = {
  readonly origin?: string
  readonly rpId?: string
  readonly counter?: number
  /** Without it the authenticator did not verify the person. */
  readonly userVerified?: boolean
  readonly challenge?: string
}

export type SoftwareAuthenticator = {
  readonly credentialId: string
  /** Answers creation options as a browser would post it. */
  create(options: { challenge: string; rp: { id?: string | undefined } }, tricks?: Tricks): string
  /** Answers request options. */
  get(options: { challenge: string; rpId?: string | undefined }, tricks?: Tricks): string
  /** All there is to it, to go on with later. A secret. */
  save(): string
}

const savedShape = z.strictObject({ id: z.base64url(), key: z.string(), counter: z.int().nonnegative() })

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const ATTESTED = 0x40

/**
 * An ES256 authenticator in memory with one discoverable credential; it counts its signatures.
 *
 * @param saved what an earlier one left, to go on as that one.
 */
export function createAuthenticator(origin: string, saved?: string): SoftwareAuthenticator {
  const before = saved === undefined ? undefined : savedShape.parse(JSON.parse(saved))
  const privateKey = before
    ? createPrivateKey(before.key)
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const publicKey = createPublicKey(privateKey)
  const id = before ? Buffer.from(before.id, 'base64url') : randomBytes(16)
  let counter = before?.counter ?? 0
  const credentialId = id.toString('base64url')

  function clientData(type: string, challenge: string, tricks: Tricks): Buffer {
    const data = { type, challenge: tricks.challenge ?? challenge, origin: tricks.origin ?? origin }
    return Buffer.from(JSON.stringify({ ...data, crossOrigin: false }))
  }

  function authenticatorData(
    rpId: string,
    flags: number,
    tricks: Tricks,
    attested = Buffer.alloc(0),
  ): Buffer {
    const head = Buffer.alloc(5)
    head.writeUInt8(flags | USER_PRESENT | (tricks.userVerified === false ? 0 : USER_VERIFIED), 0)
    head.writeUInt32BE(tricks.counter ?? counter, 1)
    return Buffer.concat([
      createHash('sha256')
        .update(tricks.rpId ?? rpId)
        .digest(),
      head,
      attested,
    ])
  }

  const common = { id: credentialId, rawId: credentialId, type: 'public-key', clientExtensionResults: {} }
  return {
    credentialId,
    save() {
      const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      return JSON.stringify({ id: credentialId, key, counter })
    },
    create(options, tricks = {}) {
      const idLength = Buffer.alloc(2)
      idLength.writeUInt16BE(id.length)
      const attested = Buffer.concat([Buffer.alloc(16), idLength, id, coseKey(publicKey)])
      const authData = authenticatorData(options.rp.id ?? '', ATTESTED, tricks, attested)
      const attestation = map([
        [text('fmt'), text('none')],
        [text('attStmt'), map([])],
        [text('authData'), bytes(authData)],
      ])
      return JSON.stringify({
        ...common,
        response: {
          clientDataJSON: clientData('webauthn.create', options.challenge, tricks).toString('base64url'),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
      })
    },
    get(options, tricks = {}) {
      counter += 1
      const client = clientData('webauthn.get', options.challenge, tricks)
      const authData = authenticatorData(options.rpId ?? '', 0, tricks)
      const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()])
      return JSON.stringify({
        ...common,
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: sign('sha256', signed, privateKey).toString('base64url'),
        },
      })
    },
  }
}

/** COSE_Key of an ES256 key (RFC 9053 section 7.1): kty EC2, alg ES256, crv P-256, x, y. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return map([
    [integer(1), integer(2)],
    [integer(3), integer(-7)],
    [integer(-1), integer(1)],
    [integer(-2), bytes(Buffer.from(x, 'base64url'))],
    [integer(-3), bytes(Buffer.from(y, 'base64url'))],
  ])
}

/** CBOR (RFC 8949), as much of it as an authenticator needs. */
function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff])
}

function integer(value: number): Buffer {
  return value < 0 ? head(1, -1 - value) : head(0, value)
}

function bytes(value: Buffer): Buffer {
  return Buffer.concat([head(2, value.length), value])
}

function text(value: string): Buffer {
  return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
}

function map(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([head(5, entries.length), ...entries.flat()])
}
