import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlatformClock } from '../../src/store/platform-clock.ts'
import { leafOf } from '../contract/sample-rows.ts'
import { openTestStore } from '../support/sqlite-file.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = 1_790_000_000_000
const HOUR_MS = 3_600_000

/** A clock whose two sources a test moves by hand; `lastMs` is the newest time the store recorded. */
function handMovedClock(lastMs = 0) {
  const at = { wallMs: NOW_MS, monotonicMs: 77 }
  const clock = new PlatformClock({ wallMs: () => at.wallMs, monotonicMs: () => at.monotonicMs }, lastMs)
  return {
    clock,
    /** Lets time pass, and steps the wall clock besides. */
    pass(ms: number, stepMs = 0) {
      at.monotonicMs += ms
      at.wallMs += ms + stepMs
      return clock.tick()
    },
  }
}

describe('the platform clock', () => {
  it('follows a wall clock that runs true', () => {
    const { pass } = handMovedClock()
    expect(pass(0)).toEqual({ nowMs: NOW_MS, trusted: true })
    expect(pass(1500)).toEqual({ nowMs: NOW_MS + 1500, trusted: true })
  })

  it('stands still after a step back until the wall clock has caught up, and stays trusted', () => {
    const { pass } = handMovedClock()
    pass(1000)
    expect(pass(0, -HOUR_MS)).toEqual({ nowMs: NOW_MS + 1000, trusted: true })
    expect(pass(HOUR_MS - 1)).toEqual({ nowMs: NOW_MS + 1000, trusted: true })
    expect(pass(2)).toEqual({ nowMs: NOW_MS + 1001, trusted: true })
  })

  it('takes a step ahead of exactly 5 s', () => {
    expect(handMovedClock().pass(0, 5000)).toEqual({ nowMs: NOW_MS + 5000, trusted: true })
  })

  it('neither trusts nor follows a step ahead of more than 5 s, and lets true time pass', () => {
    const { pass } = handMovedClock()
    expect(pass(10, 5001)).toEqual({ nowMs: NOW_MS + 10, trusted: false })
    expect(pass(90)).toEqual({ nowMs: NOW_MS + 100, trusted: false })
  })

  it('does not trust again by itself when the clock comes back', () => {
    const { clock, pass } = handMovedClock()
    pass(0, HOUR_MS)
    expect(pass(100, -HOUR_MS)).toEqual({ nowMs: NOW_MS + 100, trusted: false })
    clock.confirm()
    expect(pass(100)).toEqual({ nowMs: NOW_MS + 200, trusted: true })
  })

  it('follows the wall clock again once somebody confirmed it', () => {
    const { clock, pass } = handMovedClock()
    pass(0, HOUR_MS)
    clock.confirm()
    expect(pass(0)).toEqual({ nowMs: NOW_MS + HOUR_MS, trusted: true })
    expect(pass(0, 5001).trusted).toBe(false)
  })

  it('does not run back when a clock behind the recorded time is confirmed', () => {
    const { clock, pass } = handMovedClock()
    pass(0)
    pass(0, -HOUR_MS)
    clock.confirm()
    expect(pass(10)).toEqual({ nowMs: NOW_MS, trusted: true })
  })

  it('takes up the newest recorded time after a restart with a clock set back', () => {
    const { pass } = handMovedClock(NOW_MS + HOUR_MS)
    expect(pass(10)).toEqual({ nowMs: NOW_MS + HOUR_MS, trusted: true })
    expect(pass(HOUR_MS)).toEqual({ nowMs: NOW_MS + HOUR_MS + 10, trusted: true })
  })

  it('tolerates a slow drift for ever, either way', () => {
    for (const driftPerMinuteMs of [50, -50]) {
      const { pass } = handMovedClock()
      for (let minute = 1; minute <= 10_000; minute++) {
        expect(pass(60_000, driftPerMinuteMs).trusted, `minute ${minute}`).toBe(true)
      }
    }
  })

  it('does not tolerate a drift faster than a thousandth for ever', () => {
    const { pass } = handMovedClock()
    const trusted = Array.from({ length: 1000 }, () => pass(60_000, 120).trusted)
    // Each minute leaves 60 ms that the slew does not take up: after 82 of them, 120 more exceed 5,000.
    expect(trusted.indexOf(false)).toBe(82)
  })

  it('adds up steps that are small enough one by one', () => {
    const { pass } = handMovedClock()
    expect(pass(1000, 4000)).toEqual({ nowMs: NOW_MS + 5000, trusted: true })
    expect(pass(1000, 4000)).toEqual({ nowMs: NOW_MS + 5000, trusted: false })
    // Time goes on when true time has caught up, at its pace.
    expect(pass(4000)).toEqual({ nowMs: NOW_MS + 6001, trusted: false })
  })

  it('does not let steps back make room for steps ahead', () => {
    const { pass } = handMovedClock()
    for (let i = 0; i < 100; i++) {
      pass(1000, 4000)
      pass(1000, -4000)
    }
    expect(pass(0).nowMs).toBeLessThanOrEqual(NOW_MS + 200_000 + 5000)
  })

  it('is never more than 5 s and a thousandth ahead of true time, nor ever runs back', () => {
    const move = fc.record({
      ms: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 100_000 })),
      stepMs: fc.oneof(
        fc.integer({ min: -10, max: 10 }),
        fc.integer({ min: -6000, max: 6000 }),
        fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
      ),
    })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const { pass } = handMovedClock()
        let passedMs = 0
        let lastMs = 0
        for (const { ms, stepMs } of moves) {
          const { nowMs } = pass(ms, stepMs)
          passedMs += ms
          expect(nowMs).toBeGreaterThanOrEqual(lastMs)
          expect(nowMs).toBeLessThanOrEqual(NOW_MS + passedMs * 1.001 + 5000)
          expect(Number.isSafeInteger(nowMs)).toBe(true)
          lastMs = nowMs
        }
      }),
      { seed: 1, numRuns: 2000 },
    )
  })
})

describe('a store that is opened again', () => {
  it('goes on from the time of its newest leaf, however far the clock was set back meanwhile', async () => {
    const file = join(tempFolder(), 'broker.db')
    const before = openTestStore(file, NOW_MS)
    await before.transaction(async (tx) => tx.log.append(leafOf(0), tx.nowMs))
    await before.close()
    const after = openTestStore(file, NOW_MS - HOUR_MS)
    expect(await after.transaction(async (tx) => tx.nowMs)).toBe(NOW_MS)
    expect(await after.read(async (tx) => tx.nowMs)).toBe(NOW_MS)
    await after.close()
  })
})
