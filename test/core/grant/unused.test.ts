import { describe, expect, it } from 'vitest'
import { unusedEndMs, unusedStep } from '../../../src/core/grant/unused.ts'

const DAY = 86_400_000
const UNUSED = 90 * DAY
const grant = (about = {}) => ({
  changedAtMs: 0,
  lastUsedAtMs: null,
  toldAtMs: null,
  expiresAtMs: 400 * DAY,
  ...about,
})

describe('a grant nobody uses', () => {
  it.each([
    ['nothing yet', grant(), 76 * DAY - 1, { kind: 'wait', untilMs: 76 * DAY }],
    ['told 14 days before', grant(), 76 * DAY, { kind: 'tell', endsAtMs: UNUSED }],
    ['told once', grant({ toldAtMs: 76 * DAY }), 89 * DAY, { kind: 'wait', untilMs: UNUSED }],
    [
      'not ended a millisecond early',
      grant({ toldAtMs: 76 * DAY }),
      UNUSED - 1,
      { kind: 'wait', untilMs: UNUSED },
    ],
    ['ended to the millisecond', grant({ toldAtMs: 76 * DAY }), UNUSED, { kind: 'expire' }],
    ['ended although nobody could be told', grant(), 200 * DAY, { kind: 'expire' }],
    ['used: a new time', grant({ lastUsedAtMs: 80 * DAY }), UNUSED, { kind: 'wait', untilMs: 156 * DAY }],
    [
      'told before it was used, and told again',
      grant({ lastUsedAtMs: 80 * DAY, toldAtMs: 77 * DAY }),
      156 * DAY,
      { kind: 'tell', endsAtMs: 170 * DAY },
    ],
    ['changed by its user', grant({ changedAtMs: 80 * DAY }), UNUSED, { kind: 'wait', untilMs: 156 * DAY }],
    ['ends sooner by itself', grant({ expiresAtMs: UNUSED }), 80 * DAY, { kind: 'wait', untilMs: UNUSED }],
  ])('is %s', (_, given, nowMs, step) => {
    expect(unusedStep(given, UNUSED, nowMs)).toEqual(step)
  })

  it('lives from its last use or change, whichever came later', () => {
    expect(unusedEndMs({ changedAtMs: 5, lastUsedAtMs: 3 }, 10)).toBe(15)
    expect(unusedEndMs({ changedAtMs: 5, lastUsedAtMs: 7 }, 10)).toBe(17)
  })
})
