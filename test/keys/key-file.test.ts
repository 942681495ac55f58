import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { generateBrokerKey } from '../../src/keys/broker-key.ts'
import { KeyFileError, openKeyFolder, retireKey, rotateKey } from '../../src/keys/key-file.ts'
import { KEY_PURPOSES } from '../../src/ports/signer.ts'

const NOW_MS = 1_800_000_000_000
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
  folders.push(parent)
  return join(parent, 'keys')
}

const modeOf = (path: string) => statSync(path).mode & 0o777

function privateFile(folder: string, purpose: string): string {
  const name = readdirSync(folder).find(
    (file) => file.startsWith(`${purpose}.`) && file.endsWith('.private.jwk'),
  )
  return join(folder, name ?? 'none')
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'ok'
  } catch (error) {
    if (error instanceof KeyFileError) return error.code
    throw error
  }
}

describe('openKeyFolder', () => {
  it('makes one key for every purpose, each its own, readable by the owner alone', async () => {
    const folder = newFolder()
    const keys = openKeyFolder(folder, NOW_MS)
    expect([...keys.current.keys()].sort()).toEqual([...KEY_PURPOSES].sort())
    expect(new Set([...keys.current.values()].map((key) => key.x)).size).toBe(KEY_PURPOSES.length)
    expect(modeOf(folder)).toBe(0o700)
    for (const file of readdirSync(folder)) expect(modeOf(join(folder, file))).toBe(0o600)
    for (const key of keys.published) {
      expect(key.kid).toBe(await calculateJwkThumbprint({ kty: key.kty, crv: key.crv, x: key.x }))
    }
  })

  it('finds the same keys again', () => {
    const folder = newFolder()
    const first = openKeyFolder(folder, NOW_MS)
    expect(openKeyFolder(folder, NOW_MS + 1)).toEqual(first)
  })

  it.each([
    ['readable by the group', 0o640],
    ['writable by the group', 0o620],
    ['writable by everybody', 0o602],
    ['readable by everybody', 0o604],
  ])('refuses a private key that is %s, and names it', (_, mode) => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    const path = privateFile(folder, 'log')
    chmodSync(path, mode)
    expect(() => openKeyFolder(folder, NOW_MS)).toThrow(path)
    expect(codeOf(() => openKeyFolder(folder, NOW_MS))).toBe('key_file_open_to_others')
  })

  it.each([0o720, 0o702, 0o777])('refuses a folder others can change (%o)', (mode) => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    chmodSync(folder, mode)
    expect(codeOf(() => openKeyFolder(folder, NOW_MS))).toBe('folder_open_to_others')
  })

  it('refuses links in place of keys', () => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    const path = privateFile(folder, 'access')
    const elsewhere = join(folder, '..', 'elsewhere')
    writeFileSync(elsewhere, readFileSync(path), { mode: 0o600 })
    rmSync(path)
    symlinkSync(elsewhere, path)
    expect(codeOf(() => openKeyFolder(folder, NOW_MS))).toBe('not_a_regular_file')
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, 20)],
    ['for another purpose than its name says', (text: string) => text.replace('"promise"', '"action"')],
    [
      'with another public part',
      (text: string) => text.replace(/"x": "(.)/, (_, first) => `"x": "${first === 'A' ? 'B' : 'A'}`),
    ],
    [
      'with another private part',
      (text: string) => text.replace(/"d": "[^"]+"/, `"d": "${generateBrokerKey('log', 0).d}"`),
    ],
    ['without its private part', (text: string) => text.replace(/ +"d": "[^"]+",\n/, '')],
    ['with a member nobody knows', (text: string) => text.replace('{', '{"extra":1,')],
  ])('refuses a key file %s, without printing it', (_, spoil) => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    const path = privateFile(folder, 'promise')
    const before = readFileSync(path, 'utf8')
    const spoilt = spoil(before)
    expect(spoilt).not.toBe(before)
    writeFileSync(path, spoilt)
    const secret = /"d": "([^"]+)"/.exec(before)?.[1] ?? 'none'
    expect(codeOf(() => openKeyFolder(folder, NOW_MS))).toBe('key_file_broken')
    expect(() => openKeyFolder(folder, NOW_MS)).not.toThrow(secret)
  })

  it('does not make a new key in place of one that was lost', () => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    rotateKey(folder, 'log', NOW_MS + 1)
    rmSync(privateFile(folder, 'log'))
    expect(codeOf(() => openKeyFolder(folder, NOW_MS))).toBe('private_key_missing')
  })

  it('makes no key at all where a log was signed already, and says what to do', () => {
    const folder = newFolder()
    const reopen = () => openKeyFolder(folder, NOW_MS, false)
    expect(codeOf(reopen)).toBe('private_key_missing')
    expect(reopen).toThrow(/restore .* from its backup.*COUNTERSIGN_DATA.*COUNTERSIGN_LOG_ORIGIN/)
    expect(readdirSync(folder)).toEqual([])
    const keys = openKeyFolder(folder, NOW_MS)
    expect(reopen()).toEqual(keys)
    rmSync(privateFile(folder, 'receipt'))
    expect(codeOf(reopen)).toBe('private_key_missing')
    expect(readdirSync(folder)).toHaveLength(KEY_PURPOSES.length - 1)
  })

  it('makes the keys of purposes that came later in a folder that is older', () => {
    const folder = newFolder()
    const before = openKeyFolder(folder, NOW_MS)
    for (const purpose of ['notice', 'status', 'event'] as const) rmSync(privateFile(folder, purpose))
    const after = openKeyFolder(folder, NOW_MS, false)
    expect([...after.current.keys()].sort()).toEqual([...KEY_PURPOSES].sort())
    expect(after.current.get('log')).toEqual(before.current.get('log'))
    expect(after.current.get('notice')?.kid).not.toBe(before.current.get('notice')?.kid)
  })

  it('ignores what a crash left half written', () => {
    const folder = newFolder()
    const keys = openKeyFolder(folder, NOW_MS)
    writeFileSync(`${privateFile(folder, 'log')}.new`, '{', { mode: 0o600 })
    expect(openKeyFolder(folder, NOW_MS)).toEqual(keys)
  })
})

describe('rotateKey', () => {
  it('makes a new key sign and keeps the old one published without its private part', () => {
    const folder = newFolder()
    const before = openKeyFolder(folder, NOW_MS).current.get('action')
    const kid = rotateKey(folder, 'action', NOW_MS)
    const after = openKeyFolder(folder, NOW_MS)
    expect(kid).not.toBe(before?.kid)
    expect(after.current.get('action')?.kid).toBe(kid)
    const old = after.published.find((key) => key.kid === before?.kid)
    expect(old).toBeDefined()
    expect(old?.d).toBeUndefined()
    const contents = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
    expect(contents.join('')).not.toContain(before?.d)
    expect(after.published).toHaveLength(KEY_PURPOSES.length + 1)
  })

  it('makes the new key the current one even by a clock that was set back', () => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    const kid = rotateKey(folder, 'access', NOW_MS - 1_000_000)
    expect(openKeyFolder(folder, NOW_MS).current.get('access')?.kid).toBe(kid)
  })

  it('does not stand in for keys that were lost meanwhile', () => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    rmSync(folder, { recursive: true })
    expect(codeOf(() => rotateKey(folder, 'log', NOW_MS))).toBe('private_key_missing')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is finished at the next start when it was interrupted', () => {
    const folder = newFolder()
    openKeyFolder(folder, NOW_MS)
    const old = privateFile(folder, 'receipt')
    const text = readFileSync(old)
    const kid = rotateKey(folder, 'receipt', NOW_MS + 1)
    writeFileSync(old, text, { mode: 0o600 })
    expect(openKeyFolder(folder, NOW_MS).current.get('receipt')?.kid).toBe(kid)
    expect(readdirSync(folder).filter((file) => /^receipt\..*private/.test(file))).toHaveLength(1)
  })
})

describe('retireKey', () => {
  it('stops publishing a key that was rotated out, and no other', () => {
    const folder = newFolder()
    const old = openKeyFolder(folder, NOW_MS).current.get('log')?.kid ?? ''
    expect(codeOf(() => retireKey(folder, 'log', old, NOW_MS))).toBe('key_is_current')
    rotateKey(folder, 'log', NOW_MS)
    expect(codeOf(() => retireKey(folder, 'action', old, NOW_MS))).toBe('key_unknown')
    retireKey(folder, 'log', old, NOW_MS)
    expect(openKeyFolder(folder, NOW_MS).published).toHaveLength(KEY_PURPOSES.length)
    expect(codeOf(() => retireKey(folder, 'log', old, NOW_MS))).toBe('key_unknown')
  })
})
