import { inflateSync } from 'node:zlib'
import { importVerificationKeys, type JwsFault, verifyCompactJws } from '../core/execution/compact-jws.ts'
import { STATUS, STATUS_LIST_TYP, statusAt, statusListClaims } from '../core/status-list/status-list.ts'

export type StatusListTrust = {
  /** The broker's published key set. */
  readonly keys: readonly unknown[]
  /** The address the list was fetched from, as the `status` claim names it. */
  readonly uri: string
  readonly now?: () => number
}

export type GrantStatus = 'valid' | 'invalid' | 'suspended'

export type StatusListVerdict =
  | {
      readonly kind: 'verified'
      /** Not to be gone on with after this. Unix milliseconds. */
      readonly freshUntilMs: number
      /** Undefined beyond the end of the list. Whatever is not known counts as invalid. */
      statusOf(idx: number): GrantStatus | undefined
    }
  | {
      readonly kind: 'refused'
      readonly code: JwsFault | 'invalid_claims' | 'other_list' | 'expired' | 'broken_list'
    }

/** A list of two million statuses; a stream that grows beyond it is refused, not inflated. */
const TOKEN_CHARACTERS_MOST = 2_000_000
const BYTES_MOST = 1_048_576

/** Verifies a status list token of the broker's and reads it. Fetching and keeping it is the caller's business. */
export function readStatusList(token: string, trust: StatusListTrust): StatusListVerdict {
  const signed = verifyCompactJws(token, {
    typ: STATUS_LIST_TYP,
    keys: importVerificationKeys(trust.keys),
    purpose: 'status',
    charactersMost: TOKEN_CHARACTERS_MOST,
  })
  if (!signed.ok) return { kind: 'refused', code: signed.code }
  const parsed = statusListClaims.safeParse(signed.payload)
  if (!parsed.success) return { kind: 'refused', code: 'invalid_claims' }
  const { sub, exp, iat, ttl, status_list: list } = parsed.data
  if (sub !== trust.uri) return { kind: 'refused', code: 'other_list' }
  const nowMs = (trust.now ?? Date.now)()
  if (exp !== undefined && nowMs >= exp * 1000) return { kind: 'refused', code: 'expired' }
  const packed = inflate(list.lst)
  if (!packed) return { kind: 'refused', code: 'broken_list' }
  return {
    kind: 'verified',
    freshUntilMs: Math.min((iat + (ttl ?? 0)) * 1000, (exp ?? Number.MAX_SAFE_INTEGER / 1000) * 1000),
    statusOf: (idx) => nameOf(statusAt(packed, list.bits, idx)),
  }
}

function inflate(lst: string): Buffer | undefined {
  try {
    return inflateSync(Buffer.from(lst, 'base64url'), { maxOutputLength: BYTES_MOST })
  } catch {
    return undefined
  }
}

function nameOf(status: number | undefined): GrantStatus | undefined {
  if (status === undefined) return undefined
  if (status === STATUS.valid) return 'valid'
  return status === STATUS.suspended ? 'suspended' : 'invalid'
}
