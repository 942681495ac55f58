import { describe, expect, it } from 'vitest'
import {
  type Attempt,
  type AttemptState,
  nextAttempt,
  SAME_WITHIN_MS,
} from '../../../src/core/execution/next-attempt.ts'

const NOW_MS = 1_800_000_000_000

function attempt(state: AttemptState, agoMs: number | null = null): Attempt {
  return { number: 4, state, settledAtMs: agoMs === null ? null : NOW_MS - agoMs }
}

describe('which attempt a call without a key belongs to', () => {
  it('is the first when nothing was asked before, whatever the caller says', () => {
    expect(nextAttempt(null, { isReadOnly: false, again: null, nowMs: NOW_MS })).toBe(0)
    expect(nextAttempt(null, { isReadOnly: true, again: 7, nowMs: NOW_MS })).toBe(0)
  })

  it.each([
    ['a question that waits for a person', attempt('asked'), false, null, 4],
    ['a question that waits, though the caller wants another', attempt('asked'), false, 5, 4],
    ['a call that is out or in doubt', attempt('unsettled'), false, null, 4],
    ['a call in doubt, though the caller wants another', attempt('unsettled'), false, 5, 4],
    ['a read that is out', attempt('unsettled'), true, null, 4],
    ['a refusal', attempt('refused'), false, null, 5],
    ['a refusal, with a number that was good for it', attempt('refused'), false, 4, 5],
    ['a call that never left', attempt('not_sent', 1), false, null, 5],
    ['a settled action, at once', attempt('settled', 0), false, null, 4],
    ['a settled action, just within the time', attempt('settled', SAME_WITHIN_MS - 1), false, null, 4],
    ['a settled action, when the time is up', attempt('settled', SAME_WITHIN_MS), false, null, 5],
    ['a settled action, when the caller names the next number', attempt('settled', 1), false, 5, 5],
    ['a settled action, when the caller repeats the number it had', attempt('settled', 1), false, 4, 4],
    ['a settled action, when the caller guesses a number ahead', attempt('settled', 1), false, 6, 4],
    ['a settled action, when the caller names a negative number', attempt('settled', 1), false, -1, 4],
    ['a settled action without a time', attempt('settled'), false, null, 4],
    ['a settled action of a clock that stepped back', attempt('settled', -60_000), false, null, 4],
    ['a settled read', attempt('settled', 1), true, null, 5],
  ] as const)('after %s', (_, newest, isReadOnly, again, number) => {
    expect(nextAttempt(newest, { isReadOnly, again, nowMs: NOW_MS })).toBe(number)
  })
})
