import webPush from 'web-push'
import { z } from 'zod'
import type { Carried, PushCarrier } from '../ports/carriers.ts'
import type { SkillCaller, SkillReply } from '../ports/skill-caller.ts'
import { textOf, wordsFor } from './message-text.ts'

export type WebPushConfig = {
  /** Calls out through the egress guard: who subscribes chooses the address that is called. */
  readonly caller: Pick<SkillCaller, 'call'>
  readonly vapid: { readonly publicKey: string; readonly privateKey: string }
  /** Whom a push service turns to: an https URL or a mailto address (RFC 8292 section 2.1). */
  readonly contact: string
  readonly nowMs: () => number
}

const SEND_WITHIN_MS = 10_000
const ANSWER_BYTES_MOST = 65_536
const TTL_SECONDS_MOST = 86_400

const subscriptionShape = z.strictObject({
  endpoint: z.string(),
  keys: z.strictObject({ p256dh: z.string(), auth: z.string() }),
})

/** Sends Web Push messages (RFC 8030), encrypted for the browser alone (RFC 8291) and signed with VAPID (RFC 8292). */
export function openWebPush(config: WebPushConfig): PushCarrier {
  async function send(address: string, payload: object, ttlSeconds: number, topic: string): Promise<Carried> {
    const subscription = subscriptionShape.safeParse(JSON.parse(address))
    if (!subscription.success) return { kind: 'gone' }
    const request = prepare(config, subscription.data, JSON.stringify(payload), ttlSeconds, topic)
    // What cannot be encrypted for is no subscription.
    if (request === undefined) return { kind: 'gone' }
    return carriedBy(await config.caller.call(request), config.nowMs())
  }
  return {
    publicKey: config.vapid.publicKey,
    carry(address, delivery) {
      const { title, body } = textOf(delivery)
      const ttlSeconds = Math.floor((delivery.expiresAtMs - config.nowMs()) / 1000)
      const payload = { id: delivery.messageId, title, body, url: delivery.openUrl }
      return send(address, payload, ttlSeconds, delivery.messageId.slice(-32))
    },
    greet(address, locale) {
      const { greetTitle, greetBody } = wordsFor(locale)
      return send(
        address,
        { id: 'greeting', title: greetTitle, body: greetBody, url: '/security' },
        60,
        'greeting',
      )
    },
  }
}

function prepare(
  { vapid, contact }: WebPushConfig,
  subscription: z.infer<typeof subscriptionShape>,
  payload: string,
  ttlSeconds: number,
  topic: string,
) {
  try {
    const made = webPush.generateRequestDetails(subscription, payload, {
      vapidDetails: { subject: contact, ...vapid },
      TTL: Math.min(TTL_SECONDS_MOST, Math.max(1, ttlSeconds)),
      urgency: 'high',
      contentEncoding: 'aes128gcm',
      topic,
    })
    const { 'Content-Length': _, ...headers } = made.headers as Record<string, string | number>
    return {
      endpoint: made.endpoint,
      method: 'POST' as const,
      body: made.body,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      timeoutMs: SEND_WITHIN_MS,
      maxResponseBytes: ANSWER_BYTES_MOST,
    }
  } catch {
    return undefined
  }
}

/** RFC 8030 section 7.3: 404 says that a subscription has expired, 410 that it is gone. */
function carriedBy(reply: SkillReply, nowMs: number): Carried {
  if (reply.kind === 'tool_error') return { kind: 'refused' }
  if (reply.kind === 'broken') return reply.code === 'redirect' ? { kind: 'refused' } : { kind: 'later' }
  if (reply.kind === 'not_sent')
    return reply.code === 'blocked_address' || reply.code === 'bad_endpoint'
      ? { kind: 'gone' }
      : { kind: 'later' }
  if (reply.status >= 200 && reply.status < 300) return { kind: 'delivered' }
  if (reply.status === 404 || reply.status === 410) return { kind: 'gone' }
  if (reply.status === 429 || reply.status >= 500) return later(reply.headers.retryAfter, nowMs)
  return { kind: 'refused' }
}

/** RFC 9110 section 10.2.3, in seconds; a date, or nothing, leaves it to the broker's own pace. */
export function later(retryAfter: string | undefined, nowMs: number): Carried {
  const seconds = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined
  return seconds === undefined ? { kind: 'later' } : { kind: 'later', afterMs: nowMs + seconds * 1000 }
}
