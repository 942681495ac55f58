import { describe, expect, it } from 'vitest'
import {
  type AskedRetention,
  type ClassTerms,
  decideRetention,
  readableUntilMs,
  SESSION_MOST_MS,
} from '../../../src/core/memory/retention.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
const terms = (about: Partial<ClassTerms> = {}): ClassTerms => ({
  manifestDays: 180,
  sessionOnly: false,
  grantDays: 30,
  platformDays: 400,
  grantExpiresAtMs: NOW + 60 * DAY,
  ...about,
})
const asked = (about: Partial<AskedRetention> = {}): AskedRetention => ({
  expiresAtMs: null,
  sessionOnly: false,
  sessionEndsAtMs: NOW + SESSION_MOST_MS,
  ...about,
})

describe('how long an item is kept', () => {
  it.each([
    ['the grant, where it is shortest', terms(), asked(), 30 * DAY, 'grant'],
    ['the manifest, where it is shortest', terms({ manifestDays: 7 }), asked(), 7 * DAY, 'manifest'],
    ['the platform, where it is shortest', terms({ platformDays: 1 }), asked(), DAY, 'platform'],
    ['the end of the grant itself', terms({ grantExpiresAtMs: NOW + 5 }), asked(), 5, 'grant_expiry'],
    [
      'what was asked, one millisecond less',
      terms(),
      asked({ expiresAtMs: NOW + 30 * DAY - 1 }),
      30 * DAY - 1,
      'asked',
    ],
    ['exactly what is allowed was asked', terms(), asked({ expiresAtMs: NOW + 30 * DAY }), 30 * DAY, 'asked'],
    [
      'more was asked than is allowed',
      terms(),
      asked({ expiresAtMs: NOW + 30 * DAY + 1 }),
      30 * DAY,
      'grant',
    ],
    [
      'a far time is not for ever',
      terms(),
      asked({ expiresAtMs: Number.MAX_SAFE_INTEGER }),
      30 * DAY,
      'grant',
    ],
    ['of equals, the manifest is named', terms({ manifestDays: 30 }), asked(), 30 * DAY, 'manifest'],
    ['the session', terms(), asked({ sessionOnly: true }), SESSION_MOST_MS, 'session'],
    [
      'a class for the session, whatever its days',
      terms({ sessionOnly: true, manifestDays: 0, grantDays: 0 }),
      asked(),
      SESSION_MOST_MS,
      'session',
    ],
  ] as const)('is said by %s', (_, limits, wanted, keptMs, limitedBy) => {
    const kept = decideRetention(limits, wanted, NOW)
    expect(kept).toMatchObject({ kind: 'kept', expiresAtMs: NOW + keptMs, limitedBy })
  })

  it.each([
    ['a class of no days', terms({ manifestDays: 0 }), asked(), 'class_not_kept'],
    ['a class the grant gives no days', terms({ grantDays: 0 }), asked(), 'class_not_kept'],
    ['a class the grant does not name', terms({ grantDays: undefined }), asked(), 'class_not_kept'],
    [
      'a session class the grant does not name',
      terms({ sessionOnly: true, grantDays: undefined }),
      asked(),
      'class_not_kept',
    ],
    ['days that are no number', terms({ grantDays: Number.NaN }), asked(), 'class_not_kept'],
    ['endless days', terms({ grantDays: Number.POSITIVE_INFINITY }), asked(), 'class_not_kept'],
    ['negative days', terms({ platformDays: -1 }), asked(), 'class_not_kept'],
    ['half a day', terms({ manifestDays: 0.5 }), asked(), 'class_not_kept'],
    ['a grant that ends now', terms({ grantExpiresAtMs: NOW }), asked(), 'class_not_kept'],
    [
      'a grant that never ends by being malformed',
      terms({ grantExpiresAtMs: Number.NaN, grantDays: Number.NaN }),
      asked(),
      'class_not_kept',
    ],
    ['a time that is none', terms(), asked({ expiresAtMs: Number.NaN }), 'expiry_invalid'],
    ['an endless time', terms(), asked({ expiresAtMs: Number.POSITIVE_INFINITY }), 'expiry_invalid'],
    ['half a millisecond', terms(), asked({ expiresAtMs: NOW + 0.5 }), 'expiry_invalid'],
    ['a time before all time', terms(), asked({ expiresAtMs: -1 }), 'expiry_invalid'],
    ['this very instant', terms(), asked({ expiresAtMs: NOW }), 'expiry_passed'],
    ['a session that is over', terms(), asked({ sessionOnly: true, sessionEndsAtMs: NOW }), 'class_not_kept'],
  ] as const)('is nothing for %s', (_, limits, wanted, code) => {
    expect(decideRetention(limits, wanted, NOW)).toEqual({ kind: 'refused', code })
  })
})

describe('until when an item is read', () => {
  const item = { createdAtMs: NOW, expiresAtMs: NOW + 30 * DAY, sessionOnly: false }
  it.each([
    ['as it was kept', item, terms(), NOW + 30 * DAY],
    ['less, once the grant gives less', item, terms({ grantDays: 2 }), NOW + 2 * DAY],
    ['less, once the manifest gives less', item, terms({ manifestDays: 3 }), NOW + 3 * DAY],
    ['no longer, when everybody gives more', item, terms({ grantDays: 90 }), NOW + 30 * DAY],
    ['not beyond its grant', item, terms({ grantExpiresAtMs: NOW + 1 }), NOW + 1],
    ['never, once its class is for the session', item, terms({ sessionOnly: true }), 0],
    ['never, once its class has no days', item, terms({ grantDays: 0 }), 0],
    ['never, once its class is not named', item, terms({ grantDays: undefined }), 0],
  ] as const)('is %s', (_, of, limits, untilMs) => {
    expect(readableUntilMs(of, limits)).toBe(untilMs)
  })
})
