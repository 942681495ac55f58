import { describe, expect, it } from 'vitest'
import { printLogFault } from '../../src/cli/print-log-fault.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { LogFault } from '../../src/core/merkle/log-audit.ts'

function printed(fault: LogFault): string {
  const lines: string[] = []
  const terminal: Terminal = {
    out: (line) => void lines.push(line),
    err: () => {},
    paint: (_style, text) => text,
    exitWith: () => {},
  }
  printLogFault(fault, terminal)
  return lines.join('\n')
}

describe('a fault of a log', () => {
  it('is its code and facts, and what it means', () => {
    expect(printed({ code: 'root_mismatch', treeSize: 7 })).toBe(
      'root_mismatch {"treeSize":7}\n    Entries and tiles agree, and are not what was signed.',
    )
  })

  it.each([
    ['tile/entries/000.p/7 answered 401', true],
    ['tile/entries/000.p/7 answered 403', true],
    ['tile/entries/000.p/7 answered 404', false],
    ['fetch failed', false],
  ])('says that a token is missing only where one was asked for: %s', (detail, asksForToken) => {
    const text = printed({ code: 'unavailable', path: 'tile/entries/000.p/7', detail })
    expect(text.includes('--token')).toBe(asksForToken)
  })
})
