import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CellStoreOptions, openCellStore } from '../../src/keys/cell-store.ts'
import { KeyFileError } from '../../src/keys/key-file.ts'
import type { Cell, CellName } from '../../src/ports/cells.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = 1_790_000_000_000
const NAME: CellName = { userId: 'usr_alice', skillId: 'coffee.order', part: 'subj', expiryDay: 20_800 }

function paths(folder = tempFolder()): CellStoreOptions {
  return { file: join(folder, 'cells.db'), kekFile: join(folder, 'kek.json'), nowMs: NOW_MS }
}

function open(options: CellStoreOptions = paths()) {
  const cells = openCellStore(options)
  onTestFinished(() => cells.close())
  return cells
}

const bytesOf = (cell: Cell | undefined) => cell?.key.export().toString('hex')

async function one(cells: ReturnType<typeof open>, name: CellName = NAME): Promise<Cell> {
  const [cell] = await cells.ensure([name])
  if (!cell) throw new Error('no cell')
  return cell
}

/** The rows as they lie in the file, read by another connection. */
function stored(options: CellStoreOptions) {
  const db = new Database(options.file, { readonly: true })
  const rows = db
    .prepare<[], { cell_id: string; lookup: Buffer; wrapped: Buffer }>('SELECT * FROM cells ORDER BY seq')
    .all()
  db.close()
  return rows
}

/** Everything on disk: the file and what SQLite keeps beside it. */
function onDisk(options: CellStoreOptions): Buffer {
  const files = [options.file, `${options.file}-wal`, `${options.file}-shm`]
  return Buffer.concat(files.filter((file) => existsSync(file)).map((file) => readFileSync(file)))
}

function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (error instanceof KeyFileError) return error.code
    throw error
  }
}

describe('the store of cell keys', () => {
  it('makes a cell once and finds it again by name and by id', async () => {
    const cells = open()
    expect(cells.peek(NAME)).toBeUndefined()
    const cell = await one(cells)
    expect(cell.cellId).toMatch(/^cel_[A-Za-z0-9_-]{22}$/)
    expect(cell.key.symmetricKeySize).toBe(32)
    expect(cells.peek({ ...NAME })).toBe(cell)
    expect(await one(cells)).toBe(cell)
    expect(await cells.find(cell.cellId)).toBe(cell.key)
  })

  it.each([
    ['user', { userId: 'usr_bob' }],
    ['skill', { skillId: 'pay.send' }],
    ['part', { part: 'body' }],
    ['expiry day', { expiryDay: 20_801 }],
  ] as const)('keeps cells apart by %s', async (_, changes) => {
    const cells = open()
    const [mine, other] = await cells.ensure([NAME, { ...NAME, ...changes }])
    expect(mine?.cellId).not.toBe(other?.cellId)
    expect(bytesOf(mine)).not.toBe(bytesOf(other))
  })

  it('does not confuse names whose pieces run together', async () => {
    const cells = open()
    const [left, right] = await cells.ensure([
      { ...NAME, skillId: 'a', userId: 'bc' },
      { ...NAME, skillId: 'ab', userId: 'c' },
    ])
    expect(left?.cellId).not.toBe(right?.cellId)
  })

  it('gives 64 that ask at once one and the same cell, in the order of their names', async () => {
    const options = paths()
    const cells = open(options)
    const other = { ...NAME, part: 'core' } as const
    const answers = await Promise.all(Array.from({ length: 64 }, () => cells.ensure([NAME, other, NAME])))
    const [first] = answers
    for (const answer of answers) expect(answer).toEqual(first)
    expect(first?.map((cell) => cell.cellId)).toEqual([
      cells.peek(NAME)?.cellId,
      cells.peek(other)?.cellId,
      cells.peek(NAME)?.cellId,
    ])
    expect(stored(options).length).toBe(2)
  })

  it('answers a new cell only once it is in the file', async () => {
    const options = paths()
    const cells = open(options)
    const answers = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const cell = await one(cells, { ...NAME, expiryDay: i })
        return stored(options).some((row) => row.cell_id === cell.cellId)
      }),
    )
    expect(answers).toEqual([true, true, true, true, true])
  })

  it('finds the same keys after a restart', async () => {
    const options = paths()
    const before = openCellStore(options)
    const cell = await one(before)
    await before.close()
    const after = open(options)
    expect(after.peek(NAME)).toBeUndefined()
    expect((await after.find(cell.cellId))?.equals(cell.key)).toBe(true)
    const again = await one(after)
    expect([again.cellId, bytesOf(again)]).toEqual([cell.cellId, bytesOf(cell)])
  })

  it('finishes what was asked for before it closed, and refuses what comes later', async () => {
    const options = paths()
    const cells = open(options)
    const asked = one(cells)
    await cells.close()
    expect(stored(options).map((row) => row.cell_id)).toEqual([(await asked).cellId])
    await expect(cells.ensure([NAME])).rejects.toThrow('closed')
  })

  it('keeps at most as many cells open as it is told, and reads the others again', async () => {
    const cells = open({ ...paths(), cacheMax: 2 })
    const names = [1, 2, 3].map((expiryDay) => ({ ...NAME, expiryDay }))
    const [first] = await cells.ensure(names)
    expect(names.map((name) => cells.peek(name) !== undefined)).toEqual([false, true, true])
    const again = await one(cells, names[0])
    expect([again.cellId, bytesOf(again)]).toEqual([first?.cellId, bytesOf(first)])
  })

  it('tells nobody who reads the file whose cells it holds, nor any key', async () => {
    const options = paths()
    const cells = open(options)
    const cell = await one(cells)
    const disk = onDisk(options)
    expect(disk.includes(cell.cellId)).toBe(true)
    expect(disk.includes('alice')).toBe(false)
    expect(disk.includes('coffee')).toBe(false)
    expect(disk.includes(cell.key.export())).toBe(false)
  })

  it('is readable by its owner alone', async () => {
    const options = paths()
    const cells = open(options)
    await one(cells)
    for (const file of [options.file, `${options.file}-wal`, `${options.file}-shm`, options.kekFile]) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600)
    }
  })
})

describe('destroying cells', () => {
  it('takes them from memory and from the file at once, and for ever', async () => {
    const options = paths()
    const cells = open(options)
    const cell = await one(cells)
    await cells.destroy([cell.cellId, 'cel_unknown'])
    expect(cells.peek(NAME)).toBeUndefined()
    expect(await cells.find(cell.cellId)).toBeUndefined()
    const made = await one(cells)
    expect(made.cellId).not.toBe(cell.cellId)
    expect(bytesOf(made)).not.toBe(bytesOf(cell))
    await cells.destroy([cell.cellId])
    expect(cells.peek(NAME)).toBe(made)
  })

  it('leaves no wrapped key behind in the file or beside it, also among many', async () => {
    const options = paths()
    const cells = open(options)
    const names = Array.from({ length: 2000 }, (_, expiryDay) => ({ ...NAME, expiryDay }))
    for (let from = 0; from < names.length; from += 100) await cells.ensure(names.slice(from, from + 100))
    const rows = stored(options)
    const gone = rows.filter((_, i) => (i * 7919) % 2000 < 1300)
    const left = rows.filter((row) => !gone.includes(row))
    await cells.destroy(gone.slice(0, 1).map((row) => row.cell_id))
    await cells.destroy(gone.slice(1).map((row) => row.cell_id))
    const disk = onDisk(options)
    expect(gone.filter((row) => disk.includes(row.wrapped)).length).toBe(0)
    expect(left.filter((row) => !disk.includes(row.wrapped)).length).toBe(0)
  })
})

describe('key-encryption keys', () => {
  const closedWith = async (options: CellStoreOptions) => {
    const cells = openCellStore(options)
    const cell = await one(cells)
    await cells.close()
    return cell
  }
  type KekFile = { lookupKeyBase64: string; epochs: Record<string, unknown>[] }
  const readKek = (options: CellStoreOptions): KekFile => JSON.parse(readFileSync(options.kekFile, 'utf8'))
  const writeKek = (options: CellStoreOptions, content: unknown) =>
    writeFileSync(options.kekFile, JSON.stringify(content), { mode: 0o600 })
  const otherKey = Buffer.alloc(32, 9).toString('base64')

  it('of another installation open no cell', async () => {
    const options = paths()
    const cell = await closedWith(options)
    const kek = readKek(options)
    writeKek(options, { ...kek, epochs: [{ ...kek.epochs[0], keyBase64: otherKey }] })
    expect(await open(options).find(cell.cellId)).toBeUndefined()
  })

  it('open a wrapped key for its own cell only', async () => {
    const options = paths()
    const cells = openCellStore(options)
    const [cell, other] = await cells.ensure([NAME, { ...NAME, part: 'core' }])
    await cells.close()
    const db = new Database(options.file)
    db.prepare(
      'UPDATE cells SET wrapped = (SELECT wrapped FROM cells WHERE cell_id = ?) WHERE cell_id = ?',
    ).run(cell?.cellId, other?.cellId)
    db.close()
    const after = open(options)
    expect(await after.find(other?.cellId ?? '')).toBeUndefined()
    expect(await after.find(cell?.cellId ?? '')).toBeDefined()
  })

  it('wrap with the newest living epoch and open with every living one', async () => {
    const options = paths()
    const old = await closedWith(options)
    const kek = readKek(options)
    const second = { epoch: 2, state: 'living', keyBase64: otherKey, createdAtMs: NOW_MS }
    writeKek(options, { ...kek, epochs: [...kek.epochs, second] })
    const cells = openCellStore(options)
    const [found, made] = await cells.ensure([NAME, { ...NAME, part: 'core' }])
    expect(found?.cellId).toBe(old.cellId)
    await cells.close()

    writeKek(options, { ...kek, epochs: [{ epoch: 1, state: 'destroyed', createdAtMs: NOW_MS }, second] })
    const after = open(options)
    expect(await after.find(old.cellId)).toBeUndefined()
    expect(bytesOf({ cellId: '', key: (await after.find(made?.cellId ?? '')) ?? old.key })).toBe(
      bytesOf(made),
    )
    const anew = await one(after)
    expect(anew.cellId).not.toBe(old.cellId)
    expect(await one(after)).toBe(anew)
  })

  it('are not made anew where cells exist: they could open none of them', async () => {
    const options = paths()
    await closedWith(options)
    rmSync(options.kekFile)
    expect(refusal(() => openCellStore(options))).toBe('private_key_missing')
    expect(existsSync(options.kekFile)).toBe(false)
  })

  it.each([
    ['open to others', (file: string) => chmodSync(file, 0o640), 'key_file_open_to_others'],
    ['not JSON', (file: string) => writeFileSync(file, '{'), 'key_file_broken'],
    [
      'a short key',
      (file: string) => rewrite(file, { keyBase64: Buffer.alloc(31).toString('base64') }),
      'key_file_broken',
    ],
    [
      'without a living epoch',
      (file: string) => rewrite(file, { state: 'destroyed', keyBase64: undefined }),
      'private_key_missing',
    ],
  ])('are refused when %s', async (_, spoil, code) => {
    const options = paths()
    await closedWith(options)
    spoil(options.kekFile)
    expect(refusal(() => openCellStore(options))).toBe(code)
  })
})

/** Changes the first epoch of a file of key-encryption keys. */
function rewrite(file: string, changes: Record<string, unknown>): void {
  const kek: { epochs: object[] } = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...kek, epochs: [{ ...kek.epochs[0], ...changes }] }))
}
