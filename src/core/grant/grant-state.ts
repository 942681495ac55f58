import type { GrantStatus, GrantTerms } from './terms.ts'

/** What a grant is at an instant; only `active` permits anything. */
export type GrantState = GrantStatus | 'expired'
export type GrantEvent = 'pause' | 'resume' | 'revoke' | 'use_up' | 'replace' | 'renew' | 'confirm'

/** No consent outlives this without another yes. */
export const GRANT_DAYS_MOST = 400
export const DAY_MS = 86_400_000

const LIVING: ReadonlySet<GrantStatus> = new Set(['active', 'suspended', 'paused'])

/**
 * Returns the state at `nowMs`. A grant has expired from the instant itself; one that was ended otherwise
 * stays what it was.
 */
export function stateOf(grant: { status: GrantStatus; expiresAtMs: number }, nowMs: number): GrantState {
  const isLiving = LIVING.has(grant.status)
  return isLiving && nowMs >= grant.expiresAtMs ? 'expired' : grant.status
}

/**
 * What may happen to a grant in each state, and what it is then. Expiry is no event: it is read off the
 * clock. An ended grant never comes back, except that an expired one can be renewed by its user.
 */
export const TRANSITIONS: Readonly<
  Record<GrantState, Readonly<Partial<Record<GrantEvent, Exclude<GrantState, 'expired'>>>>>
> = {
  active: {
    pause: 'paused',
    revoke: 'revoked',
    use_up: 'used_up',
    replace: 'replaced',
    renew: 'active',
  },
  suspended: { confirm: 'active', revoke: 'revoked', replace: 'replaced', renew: 'active' },
  paused: { resume: 'active', revoke: 'revoked', replace: 'replaced', renew: 'paused' },
  expired: { revoke: 'revoked', replace: 'replaced', renew: 'active' },
  revoked: {},
  used_up: {},
  replaced: {},
}

/** Returns the status after an event, or undefined if the event cannot happen in this state. */
export function statusAfter(state: GrantState, event: GrantEvent): GrantStatus | undefined {
  return TRANSITIONS[state][event]
}

export type Renewal =
  | { readonly ok: true; readonly terms: GrantTerms }
  | {
      readonly ok: false
      readonly code: 'grant_ended' | 'expiry_passed' | 'expiry_not_later' | 'expiry_too_far'
    }

/**
 * Returns the same terms with a later expiry, which only the user may give. A grant that was revoked, used
 * up or replaced is not renewed: that takes a new consent.
 */
export function renewedTerms(
  terms: GrantTerms,
  state: GrantState,
  expiresAtMs: number,
  nowMs: number,
): Renewal {
  if (!statusAfter(state, 'renew')) return { ok: false, code: 'grant_ended' }
  if (expiresAtMs <= nowMs) return { ok: false, code: 'expiry_passed' }
  if (expiresAtMs <= terms.expiresAtMs) return { ok: false, code: 'expiry_not_later' }
  if (expiresAtMs > nowMs + GRANT_DAYS_MOST * DAY_MS) return { ok: false, code: 'expiry_too_far' }
  return { ok: true, terms: { ...terms, expiresAtMs } }
}
