import { describe, expect, it } from 'vitest'
import { lagOf } from '../../../src/core/log/log-lag.ts'

const MERGE_MS = 30_000

describe('how far the log is behind', () => {
  it.each([
    ['nothing was behind just now', { behindMs: 0, unseenMs: 0 }, { alarms: false, stops: false }],
    [
      'a leaf is as old as a checkpoint may be late',
      { behindMs: 2_000, unseenMs: 0 },
      { alarms: false, stops: false },
    ],
    ['a leaf is older', { behindMs: 2_001, unseenMs: 0 }, { alarms: true, stops: false }],
    [
      'it has become older since the last look',
      { behindMs: 1_900, unseenMs: 101 },
      { alarms: true, stops: false },
    ],
    [
      'half of the promised time has passed',
      { behindMs: 15_000, unseenMs: 0 },
      { alarms: true, stops: false },
    ],
    ['more than half has', { behindMs: 15_000, unseenMs: 1 }, { alarms: true, stops: true }],
    ['nobody has looked for a while', { behindMs: 0, unseenMs: 5_000 }, { alarms: false, stops: false }],
    ['nobody has looked for too long', { behindMs: 0, unseenMs: 5_001 }, { alarms: true, stops: true }],
    ['nobody ever looked', undefined, { alarms: false, stops: true }],
  ] as const)('when %s', (_, sight, expected) => {
    expect(lagOf(sight, MERGE_MS)).toMatchObject(expected)
  })
})
