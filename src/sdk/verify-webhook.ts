import type { VerificationKey } from '../core/execution/compact-jws.ts'
import { type AuthorityEvent, authorityEventShape } from '../core/http-signature/authority-event.ts'
import {
  EVENT_COMPONENTS,
  EVENT_SIGNATURE_SECONDS,
  EVENT_TAG,
  type SignatureFault,
  verifyEventSignature,
} from '../core/http-signature/event-signature.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import { type BrokerKeyDeps, type BrokerKeyOption, openBrokerKeys } from './broker-keys.ts'
import { createMemoryReplayStore, type ReplayStore } from './replay-store.ts'

export interface WebhookVerifierOptions {
  /** The address the broker was told, exactly: what the request was signed for. */
  readonly url: string
  /** The broker's key set, or the URL it is published at (`/.well-known/jwks.json`). */
  readonly keys: BrokerKeyOption
  /** The broker, exactly as it names itself. */
  readonly issuer: string
  /** Default: in memory, for a receiver that is one process. */
  readonly replayStore?: ReplayStore
  readonly clockSkewSeconds?: number
  readonly now?: () => number
  readonly fetch?: BrokerKeyDeps['fetch']
}

export interface ReceivedWebhook {
  readonly method: string
  /** By lower-case name, as node:http and fetch give them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The bytes as received, before any parsing. */
  readonly body: Uint8Array
}

export type WebhookFault =
  | SignatureFault
  | 'replayed'
  | 'other_issuer'
  | 'malformed_event'
  | 'keys_unavailable'
  | 'replay_store_unavailable'

export type WebhookVerdict =
  | {
      readonly ok: true
      readonly event: AuthorityEvent
      /** The body of the answer, with status 200, that tells the broker this event was taken in. */
      readonly confirmation: { readonly confirmed: string }
    }
  | { readonly ok: false; readonly code: WebhookFault; readonly status: 400 | 401 | 503 }

export type VerifyWebhook = (received: ReceivedWebhook) => Promise<WebhookVerdict>

const SKEW_SECONDS = 30
const UNAVAILABLE: ReadonlySet<WebhookFault> = new Set(['keys_unavailable', 'replay_store_unavailable'])

/**
 * Makes the check a receiver of the broker's events puts before its own code: RFC 9421 by the broker's event key, for
 * this address and these bytes, not older than two minutes, and each request once. An event that comes again, because the
 * answer to it was lost, is signed anew and has the same `id`.
 */
export function createWebhookVerifier(options: WebhookVerifierOptions): VerifyWebhook {
  const now = options.now ?? Date.now
  const replays = options.replayStore ?? createMemoryReplayStore({ now })
  const findKeys = openBrokerKeys(options.keys, { fetch: options.fetch ?? fetch, now })
  const targetUri = new URL(options.url).href

  return async (received) => {
    const { headers, body } = received
    const keyid = keyIdIn(headers['signature-input'])
    const keys = await findKeys(keyid)
    if (!keys) return refused('keys_unavailable')
    const verdict = verifyEventSignature({ method: received.method, targetUri, headers }, body, {
      tag: EVENT_TAG,
      components: EVENT_COMPONENTS,
      findKey: (kid) => keys.find((key) => isEventKey(key, kid))?.key,
      nowMs: now(),
      clockSkewSeconds: options.clockSkewSeconds ?? SKEW_SECONDS,
      secondsMost: EVENT_SIGNATURE_SECONDS,
    })
    if (!verdict.ok) return refused(verdict.code)
    const json = parseStrictJsonBytes(Buffer.from(body))
    const event = json.ok ? authorityEventShape.safeParse(json.value) : undefined
    if (!event?.success) return refused('malformed_event')
    if (event.data.issuer !== options.issuer) return refused('other_issuer')
    try {
      // Last: what was refused for another reason must not use up the nonce of a request that is good.
      const isNew = await replays.remember(`${verdict.keyid} ${verdict.nonce}`, verdict.expiresAtMs)
      if (!isNew) return refused('replayed')
    } catch {
      return refused('replay_store_unavailable')
    }
    return { ok: true, event: event.data, confirmation: { confirmed: event.data.id } }
  }
}

function isEventKey({ kid, purpose }: VerificationKey, wanted: string): boolean {
  return kid === wanted && purpose === 'event'
}

/** Only to know whether the key set has to be fetched anew; the signature itself is parsed strictly. */
function keyIdIn(header: string | readonly string[] | undefined): string {
  const text = typeof header === 'string' ? header : (header?.join(', ') ?? '')
  return /;keyid="([^"\\]{1,128})"/.exec(text)?.[1] ?? ''
}

function refused(code: WebhookFault): WebhookVerdict {
  const status = UNAVAILABLE.has(code) ? 503 : code === 'malformed_event' ? 400 : 401
  return { ok: false, code, status }
}
