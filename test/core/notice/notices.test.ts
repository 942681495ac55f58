import { describe, expect, it } from 'vitest'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import { needsNewConsent } from '../../../src/core/manifest/manifest-diff.ts'
import { keptUntilMs, tellAtMs } from '../../../src/core/notice/duty.ts'
import { noticeRetryMs } from '../../../src/core/notice/notice-retry.ts'
import { EXECUTIONS_MOST, scopesOf } from '../../../src/core/notice/notice-scope.ts'
import { noticeClaims } from '../../../src/core/notice/notice-token.ts'
import { type Edit, sampleManifest } from '../../support/sample-manifest.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MEMORY = sampleManifest('coffee.order').memory

describe('how long a skill may keep what a call writes', () => {
  it.each([
    ['what the grant gives', 'order_history', { order_history: 7 }, 7 * DAY_MS],
    ['not at all for zero days', 'payment_token', { payment_token: 0 }, 0],
    ['not at all where the grant says nothing', 'order_history', {}, 0],
    ['as long as a session can last', 'location', { location: 0 }, 12 * HOUR_MS],
    ['not at all for a session the grant does not speak of', 'location', {}, 0],
    ['not at all for a name every object has', 'constructor', {}, 0],
  ] as const)('is %s', (_name, memoryClass, days, most) => {
    expect(keptUntilMs(MEMORY, [memoryClass], days, 1_000)).toEqual({ [memoryClass]: 1_000 + most })
  })

  it('is told at the end of its hour, never before', () => {
    for (const until of [0, 1, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 123_456_789]) {
      const at = tellAtMs(until)
      expect(at % HOUR_MS).toBe(0)
      expect(at).toBeGreaterThan(until)
      expect(at - until).toBeLessThanOrEqual(HOUR_MS)
    }
  })
})

describe('what a notice asks for', () => {
  const duty = (actionId: string, untilMs = 0, memoryClass = 'order_history') => ({
    actionId,
    untilMs,
    memoryClass,
  })
  it('is everything where nothing is left out, and the executions otherwise', () => {
    const two = [duty('a'), duty('b', 0, 'location')]
    expect(scopesOf('revoked', two, 2)[0]?.scope).toEqual({ classes: 'all' })
    expect(scopesOf('revoked', two, 3)[0]?.scope).toEqual({
      classes: ['location', 'order_history'],
      executions: ['a', 'b'],
    })
    expect(scopesOf('revoked', [], 3)).toEqual([])
  })

  it('loses no execution and names none twice, however many there are', () => {
    const many = Array.from({ length: 2 * EXECUTIONS_MOST + 1 }, (_, i) => [
      duty(`a${i}`),
      duty(`a${i}`, 0, 'location'),
    ]).flat()
    const scopes = scopesOf('erased', many, many.length + 1)
    expect(scopes.map(({ scope }) => scope.executions?.length)).toEqual([EXECUTIONS_MOST, EXECUTIONS_MOST, 1])
    expect(scopes.flatMap(({ duties }) => duties)).toHaveLength(many.length)
  })

  it.each(['expired', 'revoked', 'erased'] as const)(
    'fits a notice, of however many classes: %s',
    (reason) => {
      const many = Array.from({ length: 70 }, (_, i) => duty(`a${i % 3}`, i, `class_${i}`))
      const scopes = scopesOf(reason, many, many.length + 1)
      for (const { scope, duties } of scopes) {
        expect(noticeClaims.shape.cls.safeParse(scope.classes).success).toBe(true)
        expect(new Set(duties.map(({ memoryClass }) => memoryClass))).toEqual(new Set(scope.classes))
      }
      expect(scopes.flatMap(({ duties }) => duties).toSorted((a, b) => a.untilMs - b.untilMs)).toEqual(many)
    },
  )

  it('that has expired is up to the latest deadline among them', () => {
    expect(scopesOf('expired', [duty('a', 5), duty('b', 9)], 9)[0]?.scope).toEqual({
      classes: ['order_history'],
      untilMs: 9,
    })
  })
})

it('is asked for again twice as late each time, up to a day, and never all at once', () => {
  expect([1, 2, 3].map((attempts) => noticeRetryMs(attempts, 0))).toEqual([15_000, 30_000, 60_000])
  expect(noticeRetryMs(1, 0.999)).toBeLessThanOrEqual(30_000)
  expect(noticeRetryMs(200, 0.999)).toBeLessThanOrEqual(DAY_MS)
  expect(noticeRetryMs(200, 0)).toBe(DAY_MS / 2)
})

describe('a manifest that says where deletion notices go', () => {
  const codes = (...edits: readonly Edit[]) =>
    lintManifest(sampleManifest('coffee.order', ...edits), { allowDevelopment: true }).map(
      ({ code, severity }) => `${severity} ${code}`,
    )

  it('has no fault; one that does not, and remembers something, is said to be only its promise', () => {
    expect(codes()).toEqual([])
    expect(codes(['/deletion', undefined])).toEqual(['warning deletion_not_declared'])
  })

  it.each([
    ['to the path of an action', [['/deletion/path', '/menu']], 'error deletion_path_taken'],
    ['without a key to sign the answer with', [['/runtimeKeys', []]], 'error acknowledgement_unsigned'],
  ] as [string, Edit[], string][])('%s is refused', (_name, edits, code) => {
    expect(codes(...edits)).toContain(code)
  })

  it.each([
    ['relative', 'deletions'],
    ['a URL', 'https://evil.example/'],
    ['with a query', '/deletions?to=x'],
    ['up the tree', '/..//x'],
  ])('has no path that is %s', (_name, path) => {
    expect(() => sampleManifest('coffee.order', ['/deletion/path', path])).toThrow()
  })

  it.each([59, 2_592_001, 1.5])('promises no %d seconds', (seconds) => {
    expect(() => sampleManifest('coffee.order', ['/deletion/withinSeconds', seconds])).toThrow()
  })
})

describe('a newer version', () => {
  const asks = (edits: readonly Edit[], action = 'order_and_pay', before: readonly Edit[] = []) =>
    needsNewConsent(
      sampleManifest('coffee.order', ...before),
      sampleManifest('coffee.order', ...edits),
      action,
    ).map(({ code }) => code)

  it('that can no longer be told, or takes longer, asks for a new yes to what remembers', () => {
    expect(asks([['/deletion', undefined]])).toEqual(['deletion_removed'])
    expect(asks([['/deletion/withinSeconds', 86_401]])).toEqual(['deletion_slower'])
    expect(asks([['/deletion/path', '/elsewhere']])).toEqual(['endpoint_changed'])
    expect(asks([['/deletion', undefined]], 'get_menu')).toEqual([])
  })

  it('that can be told from now on, or is quicker, asks for nothing', () => {
    expect(asks([], 'order_and_pay', [['/deletion', undefined]])).toEqual([])
    expect(asks([['/deletion/withinSeconds', 60]])).toEqual([])
  })
})
