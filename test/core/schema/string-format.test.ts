import { describe, expect, it } from 'vitest'
import { hasFormat } from '../../../src/core/schema/string-format.ts'

describe('hasFormat', () => {
  it.each([
    ['uri', 'https://shop.example/a?b=c#d', true],
    ['uri', 'mailto:ann@mail.example', true],
    ['uri', 'urn:isbn:0451450523', true],
    ['uri', 'http://[::1]:8080/', true],
    ['uri', '/relative', false],
    ['uri', 'https://', false],
    ['uri', ' https://shop.example', false],
    ['uri', 'https://shop.example/\na', false],
    ['uri', 'https:\\\\shop.example', false],
    ['uri', 'https://shop.example/%zz', false],
    ['uri', 'https://ѕhop.example/', false],
    ['email', 'ann.lee+x@mail.example', true],
    ['email', 'ann@localhost', false],
    ['email', 'ann@@mail.example', false],
    ['email', '"ann lee"@mail.example', false],
    ['email', 'ann@mail.example.', false],
    ['email', '.ann@mail.example', false],
    ['email', 'ann@-mail.example', false],
    ['email', '@mail.example', false],
    ['email', 'Ann <ann@mail.example>', false],
    ['date', '2024-02-29', true],
    ['date', '2000-02-29', true],
    ['date', '2026-02-29', false],
    ['date', '1900-02-29', false],
    ['date', '2026-13-01', false],
    ['date', '2026-00-10', false],
    ['date', '2026-04-31', false],
    ['date', '2026-04-00', false],
    ['date', '2026-4-1', false],
    ['date-time', '2026-11-23T09:30:00Z', true],
    ['date-time', '2026-11-23T09:30:00.123+08:00', true],
    ['date-time', '2026-11-23T09:30:00', false],
    ['date-time', '2026-11-23 09:30:00Z', false],
    ['date-time', '2026-11-23T24:00:00Z', false],
    ['date-time', '2026-02-30T09:30:00Z', false],
    ['date-time', '2026-11-23T09:30:00+0800', false],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', true],
    ['uuid', '123e4567e89b12d3a456426614174000', false],
    ['uuid', '{123e4567-e89b-12d3-a456-426614174000}', false],
  ] as const)('%s: %j is %s', (format, text, expected) => {
    expect(hasFormat(text, format)).toBe(expected)
  })
})
