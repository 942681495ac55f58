const DAY_MS = 86_400_000
/** How long a session lasts at the most, in milliseconds (DESIGN section 3). */
export const SESSION_MOST_MS = 12 * 3_600_000

/** Who set the time at which an item ends. */
export const LIMITED_BY = ['asked', 'manifest', 'grant', 'grant_expiry', 'platform', 'session'] as const
export type LimitedBy = (typeof LIMITED_BY)[number]

/** What manifest, grant and platform say of one memory class, now. */
export type ClassTerms = {
  /** Days the manifest allows. */
  readonly manifestDays: number
  /** Whether the manifest allows it for the session only. */
  readonly sessionOnly: boolean
  /** Days the grant allows; undefined where it does not name the class. */
  readonly grantDays: number | undefined
  readonly platformDays: number
  /** Memory does not outlive the authority it was kept under. Unix milliseconds. */
  readonly grantExpiresAtMs: number
}

export type AskedRetention = {
  /** Until when the agent wants it kept; null for as long as is allowed. Unix milliseconds. */
  readonly expiresAtMs: number | null
  readonly sessionOnly: boolean
  /** When the session ends that it is kept in. Unix milliseconds. */
  readonly sessionEndsAtMs: number
}

export type Retention =
  | {
      readonly kind: 'kept'
      readonly expiresAtMs: number
      readonly limitedBy: LimitedBy
      readonly sessionOnly: boolean
    }
  /** `class_not_kept`: manifest, grant or platform give it no time at all. */
  | { readonly kind: 'refused'; readonly code: 'class_not_kept' | 'expiry_invalid' | 'expiry_passed' }

/**
 * Until when an item may be kept: the shortest of what was asked and what manifest, grant and platform allow wins, and
 * the answer says which. Nothing malformed and nothing left out ever means for ever.
 */
export function decideRetention(terms: ClassTerms, asked: AskedRetention, nowMs: number): Retention {
  const { expiresAtMs: wanted } = asked
  if (wanted !== null && (!Number.isSafeInteger(wanted) || wanted < 0))
    return { kind: 'refused', code: 'expiry_invalid' }
  const ends = classEnds(terms, nowMs, asked.sessionOnly ? asked.sessionEndsAtMs : null)
  if (ends === undefined) return { kind: 'refused', code: 'class_not_kept' }
  if (terms.sessionOnly) ends.push(['session', asked.sessionEndsAtMs])
  if (wanted !== null && wanted <= nowMs) return { kind: 'refused', code: 'expiry_passed' }
  // First of those that end at the same time: who asked for no more than allowed was limited by nobody.
  let [limitedBy, expiresAtMs]: End =
    wanted === null ? ['platform', Number.MAX_SAFE_INTEGER] : ['asked', wanted]
  for (const [by, endMs] of ends) {
    if (endMs < expiresAtMs) [limitedBy, expiresAtMs] = [by, endMs]
  }
  if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs <= nowMs)
    return { kind: 'refused', code: 'class_not_kept' }
  return { kind: 'kept', expiresAtMs, limitedBy, sessionOnly: terms.sessionOnly || asked.sessionOnly }
}

/**
 * Until when an item that was kept may be read under the terms as they are now; they may have become narrower since.
 * Unix milliseconds; the item cannot be read from that instant on.
 */
export function readableUntilMs(
  item: { readonly createdAtMs: number; readonly expiresAtMs: number; readonly sessionOnly: boolean },
  terms: ClassTerms,
): number {
  const ends = classEnds(terms, item.createdAtMs, null)
  // Kept across sessions once, and only for the session by now.
  if (ends === undefined || (terms.sessionOnly && !item.sessionOnly)) return 0
  return Math.min(item.expiresAtMs, ...ends.map(([, endMs]) => endMs))
}

type End = [LimitedBy, number]

/** Who lets a class end when; undefined where somebody gives it no time. A session-only class has no days to count. */
function classEnds(terms: ClassTerms, fromMs: number, sessionEndsAtMs: number | null): End[] | undefined {
  const { manifestDays, grantDays, platformDays, sessionOnly, grantExpiresAtMs } = terms
  if (grantDays === undefined) return undefined
  const days: readonly [LimitedBy, number][] = sessionOnly
    ? []
    : [
        ['manifest', manifestDays],
        ['grant', grantDays],
        ['platform', platformDays],
      ]
  // What is no whole number of days is none.
  if (days.some(([, count]) => !Number.isSafeInteger(count) || count <= 0)) return undefined
  const ends = days.map(([by, count]): End => [by, fromMs + count * DAY_MS])
  ends.push(['grant_expiry', grantExpiresAtMs])
  if (sessionEndsAtMs !== null) ends.push(['session', sessionEndsAtMs])
  return ends
}
