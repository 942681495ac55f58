import { randomBytes } from 'node:crypto'
import { contentDigest } from '../core/http-signature/content-digest.ts'
import {
  EVENT_COMPONENTS,
  EVENT_SIGNATURE_SECONDS,
  EVENT_TAG,
  signatureHeaders,
  signatureInput,
} from '../core/http-signature/event-signature.ts'
import { signatureBase } from '../core/http-signature/signature-base.ts'
import { eventsUrlOf } from '../core/manifest/events.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { EventDeliveryRow } from '../ports/revocation-rows.ts'
import type { SkillReply } from '../ports/skill-caller.ts'
import type { Broker } from './broker.ts'

/** How long one node has to deliver an event before another may think it is gone, in milliseconds. */
const LEASE_MS = 60_000
const TIMEOUT_MS = 10_000
const MOST_RESPONSE_BYTES = 16_384
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 3_600_000
/** Not tried any more after this: the status list says the same, and every call is refused anyway. In milliseconds. */
const GIVE_UP_MS = 3 * 86_400_000
const AT_ONCE = 16

/**
 * Delivers what is due, each event at least once and always under its own id: what becomes of an attempt is kept after it
 * was made, so a crash between the two makes it again.
 *
 * @returns how many were taken up.
 */
export async function deliverDueEvents(broker: Broker): Promise<number> {
  const due = await broker.store.read(async (tx) => tx.eventDeliveries.due(tx.nowMs, AT_ONCE))
  await Promise.all(
    due.map((row) =>
      deliverOne(broker, row).catch((error: unknown) => {
        // One that cannot be delivered must not hold up the others; it is taken up again when its lease ends.
        broker.logger.error('event_not_delivered', { error: error instanceof Error ? error.name : 'unknown' })
      }),
    ),
  )
  return due.length
}

/** Removes what nobody is told of, or shown, any more. */
export async function sweepEvents(broker: Broker): Promise<void> {
  await broker.store.transaction(async (tx) => tx.eventDeliveries.removeExpired(tx.nowMs))
}

async function deliverOne(broker: Broker, seen: EventDeliveryRow): Promise<void> {
  const row = await broker.store.transaction(async (tx) =>
    tx.eventDeliveries.claim(seen, tx.nowMs + LEASE_MS),
  )
  if (!row) return
  const url = await addressOf(broker, row)
  const said: Said = url === undefined ? NOWHERE : saidBy(row, await send(broker, url, row.payload))
  await broker.store.transaction(async (tx) => {
    const isLast = said.status === 'waiting' && tx.nowMs >= row.createdAtMs + GIVE_UP_MS
    await tx.eventDeliveries.settle({
      id: row.id,
      status: isLast ? 'given_up' : said.status,
      nextAtMs: tx.nowMs + retryAfterMs(row.attempts),
      answeredAtMs: said.status === 'confirmed' || said.status === 'answered' ? tx.nowMs : null,
      fault: said.fault,
    })
  })
}

/** Where the receiver is told today: an address is looked up for each attempt, so that a new one is used at once. */
function addressOf(broker: Broker, row: EventDeliveryRow): Promise<string | undefined> {
  return broker.store.read(async (tx) => {
    if (row.receiverKind === 'agent') return (await tx.agentCallbacks.find(row.receiverId))?.url
    const digest = (await tx.skills.find(row.receiverId))?.currentDigest ?? null
    return digest === null ? undefined : eventsUrlOf((await broker.manifests.load(tx, digest)).manifest)
  })
}

async function send(broker: Broker, url: string, payload: string): Promise<SkillReply> {
  const body = Buffer.from(payload)
  const headers = { 'content-type': 'application/json', 'content-digest': contentDigest(body) }
  const created = Math.floor(broker.store.now().nowMs / 1000)
  const input = signatureInput(EVENT_COMPONENTS, {
    created,
    expires: created + EVENT_SIGNATURE_SECONDS,
    nonce: randomBytes(16).toString('base64url'),
    keyid: broker.signer.currentKey('event').kid,
    tag: EVENT_TAG,
  })
  const base = signatureBase({ method: 'POST', targetUri: url, headers }, input)
  if (base === undefined) return { kind: 'not_sent', code: 'bad_endpoint' }
  const signature = await broker.signer.signBytes('event', Buffer.from(base))
  return broker.skills.call({
    endpoint: url,
    method: 'POST',
    body,
    headers: { ...headers, ...signatureHeaders(input, signature) },
    timeoutMs: TIMEOUT_MS,
    maxResponseBytes: MOST_RESPONSE_BYTES,
  })
}

type Said = {
  readonly status: 'waiting' | 'confirmed' | 'answered' | 'given_up'
  readonly fault: string | null
}

const NOWHERE: Said = { status: 'waiting', fault: 'no_address' }

/** Only whoever names the event has taken it in; a server that says yes to everything has not. */
function saidBy(row: EventDeliveryRow, reply: SkillReply): Said {
  if (reply.kind !== 'answered')
    return { status: 'waiting', fault: reply.kind === 'tool_error' ? 'protocol_error' : reply.code }
  if (reply.status === 410) return { status: 'given_up', fault: 'status_410' }
  if (reply.status < 200 || reply.status > 299) return { status: 'waiting', fault: `status_${reply.status}` }
  const json = parseStrictJsonBytes(reply.body)
  const value = json.ok ? json.value : null
  const isConfirmed =
    typeof value === 'object' && value !== null && 'confirmed' in value && value.confirmed === row.id
  return isConfirmed ? { status: 'confirmed', fault: null } : { status: 'answered', fault: 'no_confirmation' }
}

/** @param attempts made so far, 1 or more. */
function retryAfterMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_RETRY_MS)
}
