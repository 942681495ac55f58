import { describe, expect, it } from 'vitest'
import { periodAt } from '../../../src/core/spending/calendar.ts'
import { dateAt, isTimeZone, startOfDate } from '../../../src/core/spending/time-zone.ts'

const HOUR_MS = 3_600_000
const hours = (fromMs: number, toMs: number) => (toMs - fromMs) / HOUR_MS
const at = (iso: string) => Date.parse(iso)

describe('a calendar period', () => {
  it.each([
    ['a plain day in Shanghai', 'Asia/Shanghai', 'day', '2025-06-10T03:00Z', '2025-06-09T16:00Z', 24],
    [
      'the 23 hour day when Berlin moves forward',
      'Europe/Berlin',
      'day',
      '2025-03-30T12:00Z',
      '2025-03-29T23:00Z',
      23,
    ],
    [
      'the 25 hour day when Berlin moves back',
      'Europe/Berlin',
      'day',
      '2025-10-26T12:00Z',
      '2025-10-25T22:00Z',
      25,
    ],
    [
      'the half hour of Lord Howe',
      'Australia/Lord_Howe',
      'day',
      '2025-10-05T01:00Z',
      '2025-10-04T13:30Z',
      23.5,
    ],
    [
      'a day that starts at 01:00 in Cairo',
      'Africa/Cairo',
      'day',
      '2025-04-25T09:00Z',
      '2025-04-24T22:00Z',
      23,
    ],
    [
      'a day whose first half hour Toronto skipped',
      'America/Toronto',
      'day',
      '1919-03-31T12:00Z',
      '1919-03-31T04:30Z',
      23.5,
    ],
    ['a day 14 hours ahead', 'Pacific/Kiritimati', 'day', '2025-06-09T10:00Z', '2025-06-09T10:00Z', 24],
    ['a day 12 hours behind', 'Etc/GMT+12', 'day', '2025-06-10T11:59:59.999Z', '2025-06-09T12:00Z', 24],
    [
      'the day before the one Apia skipped',
      'Pacific/Apia',
      'day',
      '2011-12-30T09:59:59.999Z',
      '2011-12-29T10:00Z',
      24,
    ],
    [
      'the day after the one Apia skipped',
      'Pacific/Apia',
      'day',
      '2011-12-30T10:00Z',
      '2011-12-30T10:00Z',
      24,
    ],
    [
      'the week that lost a day in Apia',
      'Pacific/Apia',
      'week',
      '2011-12-31T00:00Z',
      '2011-12-26T10:00Z',
      144,
    ],
    [
      'the month that lost a day in Apia',
      'Pacific/Apia',
      'month',
      '2011-12-31T00:00Z',
      '2011-12-01T10:00Z',
      30 * 24,
    ],
    ['an ISO week on its Sunday', 'UTC', 'week', '2025-06-15T23:59:59.999Z', '2025-06-09T00:00Z', 168],
    ['an ISO week on its Monday', 'UTC', 'week', '2025-06-16T00:00Z', '2025-06-16T00:00Z', 168],
    ['a week over a new year', 'UTC', 'week', '2026-01-01T00:00Z', '2025-12-29T00:00Z', 168],
    ['February of a leap year', 'UTC', 'month', '2024-02-29T23:59Z', '2024-02-01T00:00Z', 29 * 24],
    ['February of a common year', 'UTC', 'month', '2025-02-28T23:59Z', '2025-02-01T00:00Z', 28 * 24],
    ['March with a lost hour', 'America/New_York', 'month', '2025-03-31T12:00Z', '2025-03-01T05:00Z', 743],
    ['December', 'Asia/Kolkata', 'month', '2025-12-31T18:29:59.999Z', '2025-11-30T18:30Z', 744],
  ] as const)('%s', (_, zone, period, nowIso, startIso, lengthHours) => {
    const found = periodAt(at(nowIso), zone, period)
    expect(new Date(found.startMs).toISOString()).toBe(new Date(at(startIso)).toISOString())
    expect(hours(found.startMs, found.endMs)).toBe(lengthHours)
  })

  it('stays in the month that has begun when clocks go back over its first midnight', () => {
    // St John's, 2009-11-01: at 00:01 the clocks went back to 23:01 of October 31.
    const firstMidnightMs = at('2009-11-01T02:30:00Z')
    const shownAgainMs = at('2009-11-01T03:00:00Z')
    expect(new Date(dateAt(shownAgainMs, 'America/St_Johns')).toISOString()).toBe('2009-10-31T00:00:00.000Z')
    expect(periodAt(firstMidnightMs - 1, 'America/St_Johns', 'month').endMs).toBe(firstMidnightMs)
    expect(periodAt(shownAgainMs, 'America/St_Johns', 'month').startMs).toBe(firstMidnightMs)
  })

  it.each([
    ['Pacific/Apia', '2011-12-20T00:00Z', 20],
    ['America/St_Johns', '2009-10-25T00:00Z', 14],
    ['America/Sao_Paulo', '2018-10-30T00:00Z', 10],
    ['Asia/Beirut', '2023-03-20T00:00Z', 14],
    ['America/Havana', '2025-03-05T00:00Z', 8],
    ['Australia/Lord_Howe', '2025-04-01T00:00Z', 10],
    ['Pacific/Kiritimati', '1994-12-25T00:00Z', 14],
    ['Pacific/Kwajalein', '1993-08-15T00:00Z', 14],
    ['Asia/Kathmandu', '1985-12-28T00:00Z', 8],
  ])('in %s begins where a search minute by minute first shows its date', (zone, fromIso, days) => {
    const shown = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
    let latest = shown.format(at(fromIso))
    let startMs = 0
    for (let atMs = at(fromIso); atMs < at(fromIso) + days * 24 * HOUR_MS; atMs += 60_000) {
      const date = shown.format(atMs)
      if (date > latest) {
        if (startMs > 0) expect(periodAt(startMs, zone, 'day').endMs).toBe(atMs)
        expect(startOfDate(Date.parse(date), zone)).toBe(atMs)
        latest = date
        startMs = atMs
      } else if (startMs > 0 && atMs % (7 * 60_000) === 0) {
        expect(periodAt(atMs, zone, 'day').startMs).toBe(startMs)
      }
    }
    expect(startMs).toBeGreaterThan(0)
  })

  it('follows the one before without gap or overlap for years', () => {
    for (const zone of ['Europe/Berlin', 'Asia/Shanghai', 'America/Sao_Paulo', 'Australia/Lord_Howe']) {
      for (const period of ['day', 'week', 'month'] as const) {
        let { startMs, endMs } = periodAt(at('2017-01-01T00:00Z'), zone, period)
        while (startMs < at('2019-06-01T00:00Z')) {
          const next = periodAt(endMs, zone, period)
          expect(next.startMs).toBe(endMs)
          expect(periodAt(endMs - 1, zone, period).startMs).toBe(startMs)
          startMs = next.startMs
          endMs = next.endMs
        }
      }
    }
  })
})

describe('a time zone', () => {
  it.each([
    ['Asia/Shanghai', true],
    ['UTC', true],
    ['US/Pacific', true],
    ['Mars/Olympus', false],
    ['+08:00', false],
    ['', false],
  ])('%s is a name: %s', (zone, known) => {
    expect(isTimeZone(zone)).toBe(known)
  })
})
