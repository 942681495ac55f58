import { createHmac, createSecretKey } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPseudonyms, openPseudonyms } from '../../src/keys/pseudonyms.ts'

const SECRET = Buffer.alloc(32, 3)
const names = createPseudonyms(createSecretKey(SECRET))

describe('pseudonyms', () => {
  it('are the HMAC of a tag and the names, each behind its length', () => {
    const lp = (text: string) => {
      const bytes = Buffer.from(text)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }
    const input = Buffer.concat(['countersign/v1/recipient', 'usr_1', '张三'].map(lp))
    const expected = createHmac('sha256', SECRET).update(input).digest('base64url')
    expect(names.recipientTag('usr_1', '张三')).toBe(expected)
  })

  it('never share an input, whatever the names are cut into', () => {
    const all = [
      names.pairwiseUser('ab', 'c'),
      names.pairwiseUser('a', 'bc'),
      names.recipientTag('ab', 'c'),
      names.recipientTag('a', 'bc'),
      names.brokerKey('a', 'b', 'c', 1),
      names.brokerKey('a', 'b', 'c1', 1),
      names.brokerKey('a', 'b', 'c', 11),
      names.brokerKey('a', 'bc', '', 1),
      names.brokerKey('ab', '', 'c', 1),
    ]
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('the file of the secret', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-pseudonyms-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is made once and gives the same names ever after', () => {
    const path = join(folder, 'pseudonyms.secret')
    const before = openPseudonyms(path, true).pairwiseUser('u', 'p')
    expect(openPseudonyms(path, false).pairwiseUser('u', 'p')).toBe(before)
    expect(before).not.toContain(readFileSync(path, 'utf8').trim())
  })

  it('is not made anew where names were given already', () => {
    expect(() => openPseudonyms(join(folder, 'gone'), false)).toThrow(/restore it/)
  })

  it('is refused when it is open to others, a link, or not 32 bytes', () => {
    const path = join(folder, 'secret')
    openPseudonyms(path, true)
    chmodSync(path, 0o644)
    expect(() => openPseudonyms(path, true)).toThrow(/open to other users/)
    symlinkSync(path, join(folder, 'link'))
    expect(() => openPseudonyms(join(folder, 'link'), true)).toThrow(/not a link/)
    const short = join(folder, 'short')
    writeFileSync(short, Buffer.alloc(31).toString('base64url'), { mode: 0o600 })
    expect(() => openPseudonyms(short, true)).toThrow(/32 bytes/)
  })
})
