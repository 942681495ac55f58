import { existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openCellStore } from '../../src/keys/cell-store.ts'
import { openKekFile } from '../../src/keys/kek-file.ts'
import { replaceSecretFile, writeSecretFile } from '../../src/keys/write-secret-file.ts'
import type { CellName, Cells } from '../../src/ports/cells.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = 1_790_000_000_000
const NAME: CellName = { userId: 'usr_alice', skillId: 'coffee.order', part: 'subj', expiryDay: 20_800 }
const names = (count: number) => Array.from({ length: count }, (_, expiryDay) => ({ ...NAME, expiryDay }))

function placed(folder = tempFolder()) {
  return { file: join(folder, 'cells.sqlite'), kekFile: join(folder, 'kek.json'), nowMs: NOW_MS }
}

function open(options = placed()): Cells {
  const cells = openCellStore(options)
  onTestFinished(() => cells.close())
  return cells
}

/** Every step to the end, a few cells at a time. */
async function rotate({ rotation }: Cells): Promise<void> {
  await rotation.begin(NOW_MS + 1)
  expect(await rotation.activate()).toBe('active')
  while ((await rotation.rewrap(7)) > 0);
  await rotation.retire()
}

const keysIn = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/"keyBase64": "(.{44})"/g)].map((m) => m[1] ?? '')

describe('a new epoch', () => {
  it('wraps every live key anew and destroys the old one: a copy from before opens nothing', async () => {
    const options = placed()
    const cells = open(options)
    const made = await cells.ensure(names(30))
    const [old = ''] = keysIn(options.kekFile)
    const copy = readFileSync(options.file)
    const log = readFileSync(`${options.file}-wal`)
    await rotate(cells)
    expect(await cells.rotation.state()).toEqual({
      epoch: 2,
      begunAtMs: NOW_MS + 1,
      newest: 2,
      older: [],
      remaining: 0,
    })
    expect(readFileSync(options.kekFile, 'utf8')).not.toContain(old)
    expect(existsSync(`${options.kekFile}.old`) || existsSync(`${options.kekFile}.new`)).toBe(false)
    await cells.close()
    const after = open(options)
    for (const { cellId, key } of made) expect((await after.find(cellId))?.equals(key)).toBe(true)
    const stolen = placed()
    writeFileSync(stolen.file, copy)
    writeFileSync(`${stolen.file}-wal`, log)
    const backup = open({ ...stolen, kekFile: options.kekFile })
    for (const { cellId } of made) expect(await backup.find(cellId)).toBeUndefined()
  })

  it('keeps the key of an epoch while it wraps a single cell', async () => {
    const options = placed()
    const cells = open(options)
    await cells.ensure(names(3))
    await cells.rotation.begin(NOW_MS)
    await cells.rotation.rewrap(2)
    expect(await cells.rotation.retire()).toEqual([])
    expect(await cells.rotation.state()).toMatchObject({ epoch: 2, older: [1], remaining: 1 })
    expect(await cells.rotation.rewrap(2)).toBe(1)
    expect(await cells.rotation.retire()).toEqual([1])
  })

  it('goes on after a restart wherever it was, and loses no cell', async () => {
    const options = placed()
    const [first] = await open(options).ensure([NAME])
    const steps = ['begin', 'activate', 'rewrap', 'retire'] as const
    for (const upTo of steps) {
      const cells = openCellStore(options)
      for (const step of steps.slice(0, steps.indexOf(upTo) + 1)) {
        if (step === 'begin' && (await cells.rotation.state()).older.length > 0) continue
        await (step === 'begin'
          ? cells.rotation.begin(NOW_MS)
          : step === 'rewrap'
            ? cells.rotation.rewrap(10)
            : cells.rotation[step]())
      }
      await cells.close()
    }
    const cells = open(options)
    expect((await cells.rotation.state()).older).toEqual([])
    expect(
      (await cells.find(first?.cellId ?? ''))?.equals(
        first?.key ??
          (() => {
            throw new Error('no cell')
          })(),
      ),
    ).toBe(true)
  })

  it('changes nothing where the key file is that of another store', async () => {
    const options = placed()
    const before = openCellStore(options)
    const [cell] = await before.ensure([NAME])
    await before.close()
    const right = readFileSync(options.kekFile, 'utf8')
    const content = JSON.parse(right)
    content.epochs[0].keyBase64 = Buffer.alloc(32, 9).toString('base64')
    writeFileSync(options.kekFile, JSON.stringify(content))
    const wrong = openCellStore(options)
    await wrong.rotation.begin(NOW_MS)
    await expect(wrong.rotation.rewrap(10)).rejects.toThrow('open none')
    expect(await wrong.rotation.retire()).toEqual([])
    await wrong.close()
    writeFileSync(options.kekFile, right)
    expect((await open(options).find(cell?.cellId ?? ''))?.equals(cell?.key ?? wrongKey())).toBe(true)
  })

  it('can be kept by somebody else than a file', async () => {
    const options = placed()
    const file = openKekFile(join(tempFolder(), 'elsewhere.json'), true, NOW_MS)
    const asked: string[] = []
    const service = {
      ...file,
      begin: (epoch: number, nowMs: number) => {
        asked.push(`begin ${epoch}`)
        return file.begin(epoch, nowMs)
      },
      destroy: (epochs: readonly number[]) => {
        asked.push(`destroy ${epochs}`)
        return file.destroy(epochs)
      },
    }
    const cells = openCellStore({ ...options, openKeks: () => service })
    onTestFinished(() => cells.close())
    const [cell] = await cells.ensure([NAME])
    await rotate(cells)
    expect(asked).toEqual(['begin 2', 'destroy 1'])
    expect((await cells.find(cell?.cellId ?? ''))?.equals(cell?.key ?? wrongKey())).toBe(true)
    expect(existsSync(options.kekFile)).toBe(false)
  })
})

function wrongKey(): never {
  throw new Error('no cell')
}

describe('the file of the keys', () => {
  it.each([
    ['before the new one was whole', (path: string) => writeFileSync(`${path}.new`, 'half of a secr')],
    ['before the new one took its place', (path: string) => linkSync(path, `${path}.old`)],
    ['before the old one was overwritten', (path: string) => writeFileSync(`${path}.old`, 'an old secret')],
  ])('a crash %s leaves it whole, and nothing beside it after the next change', (_, crash) => {
    const path = join(tempFolder(), 'kek.json')
    writeSecretFile(path, 'the secret')
    crash(path)
    expect(readFileSync(path, 'utf8')).toBe('the secret')
    replaceSecretFile(path, 'the next secret')
    expect(readFileSync(path, 'utf8')).toBe('the next secret')
    expect(existsSync(`${path}.old`) || existsSync(`${path}.new`)).toBe(false)
  })

  it('overwrites the bytes of the one it replaces', () => {
    const path = join(tempFolder(), 'kek.json')
    writeSecretFile(path, 'the secret')
    const seen = join(tempFolder(), 'the same bytes')
    linkSync(path, seen)
    replaceSecretFile(path, 'the next secret')
    expect(readFileSync(seen).equals(Buffer.alloc('the secret'.length))).toBe(true)
  })

  it('begins an epoch once, and never gives one that was destroyed another key', async () => {
    const path = join(tempFolder(), 'kek.json')
    const keks = openKekFile(path, true, NOW_MS)
    const second = (await keks.begin(2, NOW_MS)).living.get(2)
    expect((await keks.begin(2, NOW_MS)).living.get(2)?.equals(second ?? wrongKey())).toBe(true)
    await keks.begin(3, NOW_MS)
    await keks.destroy([1, 2])
    expect([...(await keks.begin(2, NOW_MS)).living.keys()]).toEqual([3])
    expect(keysIn(path).length).toBe(1)
  })
})
