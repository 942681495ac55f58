import { describe, expect, it } from 'vitest'
import { claimLease, isHeldBy, type LeaseState, releasedLease } from '../../../src/core/nodes/lease.ts'

const NOW_MS = 1_790_000_000_000
const TTL_MS = 3_000
const MINE = { holder: 'nod_a', fence: 4 }
const lease = (changes: Partial<LeaseState> = {}): LeaseState => ({
  name: 'sequencer',
  holder: 'nod_a',
  fence: 4,
  expiresAtMs: NOW_MS + 1_000,
  ...changes,
})
const claim = (before: LeaseState | undefined, changes = {}, atMs = NOW_MS) =>
  claimLease(
    before,
    { name: 'sequencer', nodeId: 'nod_a', held: MINE, ttlMs: TTL_MS, takesOver: false, ...changes },
    atMs,
  )

describe('a lease', () => {
  it.each([
    ['nobody ever had begins at fence 1', undefined, {}, NOW_MS, { fence: 1, isNew: true }],
    ['that is held is renewed under its fence', lease(), {}, NOW_MS, { fence: 4, isNew: false }],
    ['is renewed until the instant it ends', lease(), {}, NOW_MS + 999, { fence: 4, isNew: false }],
    [
      'that has ended raises its fence, for its holder too',
      lease(),
      {},
      NOW_MS + 1_000,
      { fence: 5, isNew: true },
    ],
    [
      'that somebody else lets run out raises its fence',
      lease({ holder: 'nod_b' }),
      {},
      NOW_MS + 1_000,
      { fence: 5, isNew: true },
    ],
    ['that was given back raises its fence', releasedLease(lease()), {}, NOW_MS, { fence: 5, isNew: true }],
    [
      'of a process that cannot be running any more is taken over at once',
      lease({ holder: 'nod_b' }),
      { held: undefined, takesOver: true },
      NOW_MS,
      { fence: 5, isNew: true },
    ],
  ] as const)('%s', (_, before, changes, atMs, { fence, isNew }) => {
    const claimed = claim(before, changes, atMs)
    if (claimed.kind !== 'held') throw new Error('taken')
    expect(claimed).toMatchObject({ isNew, lease: { holder: 'nod_a', fence } })
    expect(claimed.lease.expiresAtMs).toBe(atMs + TTL_MS)
  })

  it.each([
    ['another node holds', lease({ holder: 'nod_b' })],
    ['another process with the same name took since', lease({ fence: 5 })],
  ])('that %s is not had', (_, before) => {
    expect(claim(before)).toEqual({ kind: 'taken', untilMs: NOW_MS + 1_000 })
  })

  it('never ends earlier by being renewed', () => {
    const claimed = claim(lease({ expiresAtMs: NOW_MS + 60_000 }))
    expect(claimed).toMatchObject({ lease: { expiresAtMs: NOW_MS + 60_000 } })
  })

  it('fences out whoever held it before, and nobody else', () => {
    expect(isHeldBy(lease(), MINE)).toBe(true)
    expect(isHeldBy(lease({ expiresAtMs: 0 }), MINE)).toBe(true)
    expect(isHeldBy(lease({ fence: 5 }), MINE)).toBe(false)
    expect(isHeldBy(lease({ holder: 'nod_b' }), MINE)).toBe(false)
    expect(isHeldBy(undefined, MINE)).toBe(false)
  })
})
