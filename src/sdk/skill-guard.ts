import { SKILL_CLOCK_SKEW_SECONDS_MOST } from '../core/execution/action-token.ts'
import {
  type ActionTokenFault,
  type VerifiedCall,
  verifyActionToken,
} from '../core/execution/verify-action-token.ts'
import { type BrokerKeyDeps, type BrokerKeyOption, openBrokerKeys } from './broker-keys.ts'
import { claimedKeyId } from './claimed-key-id.ts'
import { createMemoryReplayStore, type ReplayStore } from './replay-store.ts'

export interface SkillGuardOptions {
  /** The broker, exactly as it names itself. */
  readonly issuer: string
  /** Base URL of the skill as its manifest spells it; the audience of a call is this plus the path. */
  readonly baseUrl: string
  readonly keys: BrokerKeyOption
  /** Default: in memory, for a skill that is one process. */
  readonly replayStore?: ReplayStore
  /** The log promises must name, when the skill pins one. */
  readonly logOrigin?: string
  readonly clockSkewSeconds?: number
  readonly mergeDelaySecondsMax?: number
  readonly now?: () => number
  readonly fetch?: BrokerKeyDeps['fetch']
}

export interface ReceivedRequest {
  readonly method: string
  /** Path and query, or an absolute URL of which only these count: the host is ours to know, not the caller's. */
  readonly url: string
  readonly authorization: string | undefined
  /** The bytes as received, before any parsing. */
  readonly body: Uint8Array
}

export type SkillGuardFault =
  | ActionTokenFault
  | 'method_not_allowed'
  | 'token_missing'
  | 'replayed'
  | 'keys_unavailable'
  | 'replay_store_unavailable'

export type SkillGuardVerdict =
  | { readonly ok: true; readonly call: VerifiedCall }
  | { readonly ok: false; readonly code: SkillGuardFault; readonly status: 401 | 405 | 503 }

export interface SkillGuard {
  /** Says whether a request is a call the broker permitted, and which. Never throws for what a caller sends. */
  verify(request: ReceivedRequest): Promise<SkillGuardVerdict>
}

/** Tokens longer than any of ours are not even decoded. */
const MAX_AUTHORIZATION_CHARACTERS = 16_384

/**
 * Makes the check a skill puts before its own code: only calls that the broker permitted, for these bytes, at this
 * URL, once, get through (P9). Everything is verified offline with the broker's published keys.
 */
export function createSkillGuard(options: SkillGuardOptions): SkillGuard {
  const now = options.now ?? Date.now
  const skewSeconds = options.clockSkewSeconds ?? 5
  if (skewSeconds < 0 || skewSeconds > SKILL_CLOCK_SKEW_SECONDS_MOST)
    throw new RangeError('clockSkewSeconds must be between 0 and 60')
  const base = new URL(options.baseUrl)
  const findKeys = openBrokerKeys(options.keys, { fetch: options.fetch ?? fetch, now })
  const replayStore = options.replayStore ?? createMemoryReplayStore({ now })

  return {
    async verify(request) {
      if (request.method !== 'POST') return { ok: false, code: 'method_not_allowed', status: 405 }
      const token = bearerToken(request.authorization)
      if (token === undefined) return { ok: false, code: 'token_missing', status: 401 }
      const keys = await findKeys(claimedKeyId(token))
      if (!keys) return { ok: false, code: 'keys_unavailable', status: 503 }

      const verdict = verifyActionToken(token, {
        issuer: options.issuer,
        audience: `${base.origin}${pathAndQuery(request.url)}`,
        body: request.body,
        keys,
        nowMs: now(),
        clockSkewSeconds: skewSeconds,
        mergeDelaySecondsMax: options.mergeDelaySecondsMax ?? 86_400,
        ...(options.logOrigin === undefined ? {} : { logOrigin: options.logOrigin }),
      })
      if (!verdict.ok) return { ok: false, code: verdict.code, status: 401 }
      if (!isUnder(pathAndQuery(request.url), base)) return { ok: false, code: 'wrong_audience', status: 401 }
      return refuseReplay(verdict.call, replayStore)
    },
  }
}

/** Last of all checks, so that a token spoilt in some other way does not use its id up. */
export async function refuseReplay(call: VerifiedCall, store: ReplayStore): Promise<SkillGuardVerdict> {
  try {
    const isNew = await store.remember(call.tokenId, call.expiresAtMs)
    return isNew ? { ok: true, call } : { ok: false, code: 'replayed', status: 401 }
  } catch {
    return { ok: false, code: 'replay_store_unavailable', status: 503 }
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > MAX_AUTHORIZATION_CHARACTERS) return undefined
  return /^Bearer ([A-Za-z0-9_.-]+)$/i.exec(authorization)?.[1]
}

function pathAndQuery(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
}

/** By whole segments: `/api` covers `/api/orders` and not `/apiary`. */
function isUnder(path: string, base: URL): boolean {
  const prefix = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return path.startsWith(prefix)
}
