import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { thumbprintOf } from '../core/manifest/public-key.ts'
import { KeyFileError } from './key-file.ts'
import { writeSecretFile } from './write-secret-file.ts'

/** The keys that sign what reaches people: a VAPID key for browsers, an Ed25519 key for the platform's own app. */
export type ReachKeys = {
  /** Raw P-256 halves in base64url, as RFC 8292 wants them. */
  readonly vapid: { readonly publicKey: string; readonly privateKey: string }
  readonly webhook: { readonly key: KeyObject; readonly kid: string; readonly publicJwk: WebhookJwk }
}
export type WebhookJwk = {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'EdDSA'
}

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const fileShape = z.strictObject({
  vapid: z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: coordinate,
  }),
  webhook: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, d: coordinate }),
})

/**
 * Opens the private file of these keys, and makes it at the first start. With other keys every browser has to
 * subscribe again, and the platform's app has to fetch the new public key.
 *
 * @throws KeyFileError when the file is broken or open to other users.
 */
export function openReachKeys(path: string): ReachKeys {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) writeSecretFile(path, `${JSON.stringify(newKeys())}\n`)
  else if (!found.isFile())
    throw new KeyFileError('not_a_regular_file', `${path} must be a regular file, not a link`)
  else if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new KeyFileError('key_file_open_to_others', `${path} is open to other users: run chmod 600 ${path}`)

  const parsed = fileShape.safeParse(jsonIn(path))
  if (!parsed.success)
    throw new KeyFileError('key_file_broken', `${path} must hold the keys it was made with`)
  const { vapid, webhook } = parsed.data
  const key = createPrivateKey({ key: webhook, format: 'jwk' })
  const half = {
    kty: 'OKP',
    crv: 'Ed25519',
    x: createPublicKey(key).export({ format: 'jwk' }).x ?? '',
  } as const
  const kid = thumbprintOf(half)
  const publicPoint = Buffer.concat([
    Buffer.of(4),
    Buffer.from(vapid.x, 'base64url'),
    Buffer.from(vapid.y, 'base64url'),
  ])
  return {
    vapid: { publicKey: publicPoint.toString('base64url'), privateKey: vapid.d },
    webhook: { key, kid, publicJwk: { ...half, kid, use: 'sig', alg: 'EdDSA' } },
  }
}

function newKeys() {
  const vapid = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const webhook = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { vapid, webhook }
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
