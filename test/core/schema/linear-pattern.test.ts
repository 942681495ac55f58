import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/core/schema/linear-pattern.ts'

function test(source: string, text: string): boolean {
  const pattern = compilePattern(source)
  if ('fault' in pattern) throw new Error(pattern.fault)
  return pattern.test(text)
}

/** How many bytes of the text are read by the engine that runs our patterns. */
function readsOf(source: string, length: number): number {
  let reads = 0
  const bytes = [...Buffer.from(`${'a'.repeat(length)}!`)]
  const counted = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1
      return Reflect.get(target, key)
    },
  })
  RE2JS.compile(source).test(counted)
  return reads
}

describe('compilePattern', () => {
  it('keeps each pattern under its own source, so that none stands for another', () => {
    const digits = compilePattern('^[0-9]+$')
    const letters = compilePattern('^[a-z]+$')
    expect(digits).not.toBe(letters)
    expect(test('^[0-9]+$', '12')).toBe(true)
    expect(test('^[a-z]+$', '12')).toBe(false)
    expect(test('^[0-9]+$', 'ab')).toBe(false)
  })

  it('matches anywhere unless anchored, and $ only at the very end', () => {
    expect(test('b', 'abc')).toBe(true)
    expect(test('^[A-Z]{3}$', 'USD')).toBe(true)
    expect(test('^[A-Z]{3}$', 'USD\n')).toBe(false)
    expect(test('^[A-Z]{3}$', 'USDX')).toBe(false)
    expect(test('^.$', '😀')).toBe(true)
  })

  it.each(['^(a+)+$', '^(a|aa)+$', '(a*)*b', '^(a?){50}a{50}$'])(
    'reads the text for %s a number of times that grows only linearly',
    (source) => {
      const short = readsOf(source, 2000)
      const long = readsOf(source, 8000)
      expect(short).toBeGreaterThan(0)
      expect(long / short).toBeLessThan(4.5)
    },
  )

  it('answers on the text that takes a backtracking engine longer than the age of the universe', () => {
    expect(test('^(a+)+$', `${'a'.repeat(8000)}!`)).toBe(false)
    expect(test('^(a+)+$', 'a'.repeat(8000))).toBe(true)
  })
})
