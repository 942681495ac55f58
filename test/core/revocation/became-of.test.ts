import { describe, expect, it } from 'vitest'
import { becameOf, mayStillChange } from '../../../src/core/revocation/became-of.ts'

describe('what became of an action that was under way', () => {
  it.each([
    ['never sent', 'dispatched', 'overtaken', 'not_available', false, 'blocked', false],
    ['refused by its skill', 'dispatched', 'refused_by_skill', 'refused', false, 'came_to_nothing', false],
    ['never begun', 'in_doubt', 'failed', 'unclear', false, 'came_to_nothing', false],
    ['done before a cancellation came', 'dispatched', 'succeeded', 'refused', false, 'finished', false],
    [
      'done by a skill that cannot cancel',
      'dispatched',
      'succeeded',
      'not_available',
      false,
      'finished',
      false,
    ],
    [
      'done, and the cancellation was taken',
      'dispatched',
      'succeeded',
      'cancelled',
      false,
      'being_undone',
      false,
    ],
    [
      'not settled, and the cancellation was taken',
      'in_doubt',
      'in_doubt',
      'cancelled',
      false,
      'being_undone',
      true,
    ],
    ['not settled, and nobody asked yet', 'dispatched', 'dispatched', null, false, 'unknown', true],
    ['not settled, and the skill said nothing', 'in_doubt', 'in_doubt', 'unclear', false, 'unknown', true],
    [
      'not settled, under a freeze of clean-up calls',
      'in_doubt',
      'in_doubt',
      'frozen',
      false,
      'unknown',
      true,
    ],
    ['a repetition that was stopped', 'running', 'succeeded', 'cancelled', false, 'ended', false],
    ['a repetition that goes on', 'running', 'succeeded', 'refused', true, 'still_running', true],
  ] as const)('%s', (_, statusThen, statusNow, cancel, isRunning, became, open) => {
    expect(becameOf({ statusThen, statusNow, cancel, isRunning })).toBe(became)
    expect(mayStillChange(became, statusNow)).toBe(open)
  })
})
