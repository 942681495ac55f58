import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { Carrier, Delivery } from '../ports/carriers.ts'
import type { SkillCaller } from '../ports/skill-caller.ts'
import { later } from './web-push-carrier.ts'

export type WebhookConfig = {
  readonly url: string
  readonly caller: Pick<SkillCaller, 'call'>
  /** An Ed25519 key for this and nothing else, and its RFC 7638 thumbprint. */
  readonly key: KeyObject
  readonly kid: string
  readonly nowMs: () => number
}

const SEND_WITHIN_MS = 10_000
const ANSWER_BYTES_MOST = 65_536
const COVERED = ['@method', '@target-uri', 'content-type', 'content-digest'] as const

/**
 * Tells the platform's own app, with an HTTP message signature (RFC 9421, Ed25519) over method, target, content type
 * and the digest of the content (RFC 9530). The id in the body is the same when a message comes again.
 */
export function openWebhook(config: WebhookConfig): Carrier {
  return {
    async carry(_address, delivery) {
      const body = Buffer.from(JSON.stringify(bodyOf(delivery)))
      const reply = await config.caller.call({
        endpoint: config.url,
        method: 'POST',
        body,
        headers: signedHeaders(config, body),
        timeoutMs: SEND_WITHIN_MS,
        maxResponseBytes: ANSWER_BYTES_MOST,
      })
      if (reply.kind !== 'answered') return { kind: 'later' }
      if (reply.status >= 200 && reply.status < 300) return { kind: 'delivered' }
      // The platform's app is the operator's own: whatever it says, it may be mended before the message expires.
      return later(reply.headers.retryAfter, config.nowMs())
    },
  }
}

function bodyOf({ messageId, userId, kind, subjects, openUrl, createdAtMs, expiresAtMs }: Delivery) {
  return { id: messageId, user: userId, kind, subjects, openUrl, createdAtMs, expiresAtMs }
}

function signedHeaders({ key, kid, url, nowMs }: WebhookConfig, body: Buffer): Record<string, string> {
  const headers = {
    'content-type': 'application/json',
    'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
  }
  const values: Record<(typeof COVERED)[number], string> = {
    '@method': 'POST',
    '@target-uri': new URL(url).href,
    ...headers,
  }
  const nonce = randomBytes(16).toString('base64url')
  const created = Math.floor(nowMs() / 1000)
  const params = `(${COVERED.map((name) => `"${name}"`).join(' ')});created=${created};nonce="${nonce}";keyid="${kid}";alg="ed25519";tag="countersign-webhook"`
  const base = [
    ...COVERED.map((name) => `"${name}": ${values[name]}`),
    `"@signature-params": ${params}`,
  ].join('\n')
  return {
    ...headers,
    'signature-input': `sig=${params}`,
    signature: `sig=:${sign(null, Buffer.from(base), key).toString('base64')}:`,
  }
}
