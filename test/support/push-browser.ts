import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

/** What a browser does of Web Push: it subscribes, and opens what only it can open (RFC 8291, RFC 8188). */
export type PushBrowser = {
  readonly p256dh: string
  readonly auth: string
  /** The subscription as a page posts it. */
  subscription(endpoint: string): string
  open(body: Buffer): unknown
}

export function createPushBrowser(): PushBrowser {
  const ecdh = createECDH('prime256v1')
  const publicKey = ecdh.generateKeys()
  const authSecret = randomBytes(16)
  const keys = { p256dh: publicKey.toString('base64url'), auth: authSecret.toString('base64url') }
  return {
    ...keys,
    subscription: (endpoint) => JSON.stringify({ endpoint, keys }),
    open(body) {
      const salt = body.subarray(0, 16)
      const keyLength = body.readUInt8(20)
      const sender = body.subarray(21, 21 + keyLength)
      const sealed = body.subarray(21 + keyLength)
      const info = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, sender])
      const ikm = hkdfSync('sha256', ecdh.computeSecret(sender), authSecret, info, 32)
      const key = Buffer.from(hkdfSync('sha256', Buffer.from(ikm), salt, 'Content-Encoding: aes128gcm\0', 16))
      const nonce = Buffer.from(hkdfSync('sha256', Buffer.from(ikm), salt, 'Content-Encoding: nonce\0', 12))
      const decipher = createDecipheriv('aes-128-gcm', key, nonce)
      decipher.setAuthTag(sealed.subarray(-16))
      const record = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
      const end = record.lastIndexOf(2)
      return JSON.parse(record.subarray(0, end).toString('utf8'))
    },
  }
}
