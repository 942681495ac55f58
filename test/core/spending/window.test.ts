import { describe, expect, it } from 'vitest'
import type { Counter, CounterSpec } from '../../../src/core/spending/counter.ts'
import { inWindow } from '../../../src/core/spending/counter.ts'
import {
  applySlide,
  decisionTime,
  dueSlide,
  initialRange,
  newCounter,
  restart,
  rollPeriod,
} from '../../../src/core/spending/window.ts'

const NOW_MS = Date.parse('2025-06-10T12:00:00Z')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const at = (iso: string) => Date.parse(iso)
const ANY = { agentLineage: null, skill: null, action: null }
const amountOver = (window: CounterSpec['window']): CounterSpec => ({
  scope: ANY,
  measure: 'amount',
  currency: 'CNY',
  window,
})
const ROLLING = newCounter(
  amountOver({ kind: 'rolling', ms: DAY_MS }),
  { held: 100, captured: 50 },
  NOW_MS,
  'UTC',
)
const calendar = (period: 'day' | 'week' | 'month', nowMs: number, zone: string): Counter =>
  newCounter(amountOver({ kind: 'calendar', period }), { held: 100, captured: 50 }, nowMs, zone)

describe('a new counter', () => {
  it.each([
    ['rolling', { kind: 'rolling', ms: DAY_MS }, NOW_MS - DAY_MS],
    ['calendar', { kind: 'calendar', period: 'month' }, at('2025-06-01T00:00Z') - 1],
    ['lifetime', { kind: 'lifetime' }, -1],
  ] as const)('with a %s window starts from the legs already in it', (_, window, fromMs) => {
    expect(initialRange(window, NOW_MS, 'UTC')).toEqual({ fromMs, toMs: NOW_MS })
    const counter = newCounter(amountOver(window), { held: 1, captured: 2 }, NOW_MS, 'UTC')
    expect(counter).toMatchObject({ tailMs: fromMs, held: 1, captured: 2, ceiling: 3 })
    expect(inWindow(counter, fromMs)).toBe(false)
    expect(inWindow(counter, fromMs + 1)).toBe(true)
    expect(inWindow(counter, NOW_MS)).toBe(true)
  })
})

describe('a rolling window', () => {
  it.each([
    ['a clock that stepped back', -1, null],
    ['the same instant', 0, null],
    ['a millisecond later', 1, NOW_MS - DAY_MS + 1],
    ['a day later', DAY_MS, NOW_MS],
  ])('at %s lets go of what is a whole window old', (_, afterMs, toMs) => {
    const due = dueSlide(ROLLING, NOW_MS + afterMs)
    expect(due).toEqual(toMs === null ? null : { fromMs: NOW_MS - DAY_MS, toMs })
  })

  it('counts a leg until exactly its length has passed', () => {
    const legAtMs = NOW_MS
    const before = dueSlide(ROLLING, legAtMs + DAY_MS - 1)
    const after = dueSlide(ROLLING, legAtMs + DAY_MS)
    expect(before && before.toMs >= legAtMs).toBe(false)
    expect(after && after.toMs >= legAtMs).toBe(true)
  })

  it('takes out what left once', () => {
    const slid = applySlide(ROLLING, { held: 60, captured: 50 }, NOW_MS)
    expect(slid).toMatchObject({ held: 40, captured: 0, tailMs: NOW_MS })
    expect(applySlide(slid, { held: 60, captured: 50 }, NOW_MS)).toBe(slid)
    expect(dueSlide(slid, NOW_MS + DAY_MS)).toBeNull()
  })

  it('is not a calendar window, nor the reverse', () => {
    expect(rollPeriod(ROLLING, NOW_MS + 400 * DAY_MS, 'Asia/Tokyo')).toBe(ROLLING)
    expect(dueSlide(calendar('day', NOW_MS, 'UTC'), NOW_MS + 400 * DAY_MS)).toBeNull()
  })
})

describe('a calendar window', () => {
  const june = calendar('month', NOW_MS, 'UTC')

  it.each([
    ['a clock that stepped back into May', '2025-05-20T00:00Z', 150, '2025-07-01T00:00Z'],
    ['its last millisecond', '2025-06-30T23:59:59.999Z', 150, '2025-07-01T00:00Z'],
    ['its end', '2025-07-01T00:00Z', 0, '2025-08-01T00:00Z'],
    ['months later', '2025-11-20T00:00Z', 0, '2025-12-01T00:00Z'],
  ])('at %s', (_, nowIso, used, endIso) => {
    const rolled = rollPeriod(june, at(nowIso), 'UTC')
    expect(rolled.held + rolled.captured).toBe(used)
    expect(rolled.periodEndMs).toBe(at(endIso))
    expect(rolled === june).toBe(used > 0)
  })

  it('asks no calendar while it is inside its period', () => {
    // A zone that does not exist would throw if it were looked at.
    const row = { ...june, zone: 'Nowhere/None' }
    expect(rollPeriod(row, NOW_MS + 1, 'Nowhere/None')).toBe(row)
  })

  it.each([
    ['west', 'Asia/Tokyo', 'America/Los_Angeles', '2025-08-01T07:00Z'],
    ['east', 'America/Los_Angeles', 'Asia/Tokyo', '2025-08-01T07:00Z'],
    ['nowhere', 'Asia/Kolkata', 'Asia/Calcutta', '2025-07-31T18:30Z'],
    ['across the date line', 'Pacific/Kiritimati', 'Etc/GMT+12', '2025-08-01T12:00Z'],
  ])('ends where both zones have seen its month end after moving %s', (_, from, to, endIso) => {
    const july = calendar('month', at('2025-07-15T00:00Z'), from)
    const moved = rollPeriod(july, at('2025-07-20T00:00Z'), to)
    expect(moved).toMatchObject({ held: 100, captured: 50, periodEndMs: at(endIso) })
    expect(rollPeriod(moved, at(endIso) - 1, to).held).toBe(100)
    expect(rollPeriod(moved, at(endIso) - 1, from).held).toBe(100)

    const august = rollPeriod(moved, at(endIso), to)
    expect(august).toMatchObject({ held: 0, captured: 0, zone: to, tailMs: august.periodStartMs - 1 })
    expect(august.periodStartMs).toBeGreaterThanOrEqual(at(endIso))
    expect(rollPeriod(august, august.periodEndMs, to).periodStartMs).toBe(august.periodEndMs)
  })

  it('starts no second month by moving back and forth, nor by moving after its end went by unseen', () => {
    const july = calendar('month', at('2025-07-15T00:00Z'), 'Asia/Tokyo')
    const afterTokyosEndMs = at('2025-07-31T15:00Z') + HOUR_MS
    const inLosAngeles = rollPeriod(july, afterTokyosEndMs, 'America/Los_Angeles')
    expect(inLosAngeles.held).toBe(100)
    const backAgain = rollPeriod(inLosAngeles, afterTokyosEndMs + 1, 'Asia/Tokyo')
    expect(backAgain.held).toBe(100)
    expect(backAgain.periodEndMs).toBe(at('2025-08-01T07:00Z'))
  })

  it('starts no second day by moving west at noon', () => {
    const firstOfJuly = calendar('day', at('2025-07-01T03:00Z'), 'Asia/Tokyo')
    const moved = rollPeriod(firstOfJuly, at('2025-07-01T03:00Z'), 'America/Los_Angeles')
    expect(moved.periodEndMs).toBe(at('2025-07-02T07:00Z'))
  })

  it('gives a user who keeps crossing the date line at most one window a day', () => {
    const zones = [
      'Pacific/Kiritimati',
      'Etc/GMT+12',
      'Asia/Tokyo',
      'America/New_York',
      'UTC',
      'Pacific/Apia',
    ]
    let counter = calendar('day', NOW_MS, 'UTC')
    let fresh = 0
    for (let step = 0; step < 24 * 30 * 4; step++) {
      const next = rollPeriod(counter, NOW_MS + step * (HOUR_MS / 4), zones[step % zones.length] ?? 'UTC')
      if (next.periodStartMs !== counter.periodStartMs) {
        fresh += 1
        expect(next.periodStartMs).toBeGreaterThanOrEqual(counter.periodEndMs)
      }
      counter = next
    }
    expect(fresh).toBeLessThanOrEqual(30)
    expect(fresh).toBeGreaterThanOrEqual(14)
  })
})

describe('time', () => {
  const unasked: Counter = { ...ROLLING, measure: 'unasked' }

  it('is never before what a counter has seen', () => {
    expect(decisionTime([], NOW_MS)).toBe(NOW_MS)
    expect(decisionTime([ROLLING], NOW_MS - 5000)).toBe(NOW_MS)
    expect(decisionTime([calendar('month', NOW_MS, 'UTC')], 5)).toBe(at('2025-06-01T00:00Z'))
    expect(decisionTime([ROLLING], NOW_MS + 7)).toBe(NOW_MS + 7)
  })

  it('leaves the instant of a yes, so that the next leg is on one side of it', () => {
    const anew = restart(unasked, NOW_MS)
    expect(anew).toMatchObject({ held: 0, captured: 0, tailMs: NOW_MS })
    expect(decisionTime([anew], NOW_MS)).toBe(NOW_MS + 1)
    expect(inWindow(anew, NOW_MS)).toBe(false)
    expect(inWindow(anew, NOW_MS + 1)).toBe(true)
  })

  it('does not step back at a yes from before the tail', () => {
    const anew = restart(unasked, NOW_MS)
    expect(restart(anew, NOW_MS - 1)).toBe(anew)
  })
})
