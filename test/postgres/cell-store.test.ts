import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPostgresCellStore, type PostgresCellOptions } from '../../src/keys/postgres-cell-store.ts'
import type { Cell, CellName, Cells } from '../../src/ports/cells.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = 1_790_000_000_000
const NAME: CellName = { userId: 'usr_alice', skillId: 'coffee.order', part: 'subj', expiryDay: 20_800 }

let database: TestDatabase
let folder: string
let opened: Cells[]
beforeEach(async () => {
  database = await createTestDatabase()
  folder = tempFolder()
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((cells) => cells.close()))
  await database.drop()
})

async function open(changes: Partial<PostgresCellOptions> = {}): Promise<Cells> {
  const cells = await openPostgresCellStore({
    url: database.url('owner'),
    kekFile: join(folder, 'kek.json'),
    nowMs: () => NOW_MS,
    mayCreate: true,
    ...changes,
  })
  opened.push(cells)
  return cells
}

const bytesOf = (cell: Cell | undefined) => cell?.key.export().toString('hex')

async function one(cells: Cells, name: CellName = NAME): Promise<Cell> {
  const [cell] = await cells.ensure([name])
  if (!cell) throw new Error('no cell')
  return cell
}

describe('a key store that several nodes share', () => {
  it('gives every node the same cell for the same name, and the key of a cell by its id', async () => {
    const [a, b] = [await open(), await open()]
    const [mine, theirs] = [await one(a), await one(b)]
    expect([theirs.cellId, bytesOf(theirs)]).toEqual([mine.cellId, bytesOf(mine)])
    expect((await b.find(mine.cellId))?.export().toString('hex')).toBe(bytesOf(mine))
    expect(bytesOf(await one(a, { ...NAME, part: 'body' }))).not.toBe(bytesOf(mine))
    expect(bytesOf(a.peek(NAME))).toBe(bytesOf(mine))
  })

  it('makes one cell where many nodes want it in the same moment', async () => {
    const nodes = await Promise.all(Array.from({ length: 5 }, () => open()))
    const names = Array.from({ length: 20 }, (_, i) => ({ ...NAME, userId: `usr_${i}` }))
    const made = await Promise.all(nodes.map((node) => node.ensure(names)))
    for (const cells of made) expect(cells.map(bytesOf)).toEqual(made[0]?.map(bytesOf))
    const [{ count } = { count: '' }] = await database.query<{ count: string }>('select count(*) from cells')
    expect(count).toBe('20')
  })

  it('opens nothing any more once another node destroyed it', async () => {
    const [a, b] = [await open(), await open()]
    const cell = await one(a)
    expect(await b.has(NAME)).toBe(true)
    await b.destroy([cell.cellId, 'cel_unknown'])
    expect(await a.find(cell.cellId)).toBeUndefined()
    expect(await a.has(NAME)).toBe(false)
    await b.destroy([cell.cellId])
    expect((await one(b)).cellId).not.toBe(cell.cellId)
  })

  it('lets a node seal under a cell that another destroyed for ten seconds at most', async () => {
    const time = { nowMs: 0 }
    const [a, b] = [await open({ monotonicMs: () => time.nowMs }), await open()]
    const cell = await one(a)
    await b.destroy([cell.cellId])
    time.nowMs = 9_999
    expect(a.peek(NAME)?.cellId).toBe(cell.cellId)
    time.nowMs = 10_000
    expect(a.peek(NAME)).toBeUndefined()
    expect((await one(a)).cellId).not.toBe(cell.cellId)
  })

  it('counts what was erased, not what had expired anyway, and is the same store on every node', async () => {
    const [a, b] = [await open(), await open()]
    const today = Math.floor(NOW_MS / 86_400_000)
    const [kept, expired] = [
      await one(a, { ...NAME, expiryDay: today }),
      await one(a, { ...NAME, expiryDay: today - 1 }),
    ]
    const before = await a.mark()
    await a.destroy([expired.cellId])
    expect(await b.mark()).toEqual(before)
    await a.destroy([kept.cellId])
    expect(await b.mark()).toEqual({ id: before.id, generation: before.generation + 1 })
  })

  it('is refused to a node with other keys, and the keys stay what they are', async () => {
    const a = await open()
    const cell = await one(a)
    const elsewhere = join(tempFolder(), 'kek.json')
    await expect(open({ kekFile: elsewhere, mayCreate: false })).rejects.toMatchObject({
      code: 'private_key_missing',
    })
    const other = JSON.parse(readFileSync(join(folder, 'kek.json'), 'utf8'))
    other.epochs[0].keyBase64 = Buffer.alloc(32, 1).toString('base64')
    writeFileSync(elsewhere, JSON.stringify(other), { mode: 0o600 })
    await expect(open({ kekFile: elsewhere })).rejects.toMatchObject({ code: 'keys_differ' })
    copyFileSync(join(folder, 'kek.json'), elsewhere)
    const b = await open({ kekFile: elsewhere })
    expect(bytesOf(await one(b))).toBe(bytesOf(cell))
  })

  it('is refused where it is empty and the database is not', async () => {
    await expect(open({ mayCreate: false })).rejects.toMatchObject({ code: 'private_key_missing' })
  })

  it('reads its key file again for a cell of a newer epoch, and never takes such a cell for destroyed', async () => {
    const kekFile = join(folder, 'kek.json')
    const a = await open()
    await one(a)
    const old = readFileSync(kekFile, 'utf8')
    const content = JSON.parse(old)
    content.epochs.push({
      epoch: 2,
      state: 'living',
      keyBase64: Buffer.alloc(32, 2).toString('base64'),
      createdAtMs: NOW_MS,
    })
    const newer = join(folder, 'newer.json')
    writeFileSync(newer, JSON.stringify(content), { mode: 0o600 })
    const b = await open({ kekFile: newer })
    const name = { ...NAME, userId: 'usr_bob' }
    const cell = await one(b, name)
    await expect(one(a, name)).rejects.toMatchObject({ code: 'keys_differ' })
    await expect(a.find(cell.cellId)).rejects.toMatchObject({ code: 'keys_differ' })
    writeFileSync(kekFile, JSON.stringify(content), { mode: 0o600 })
    expect(bytesOf(await one(a, name))).toBe(bytesOf(cell))
  })

  it('that cannot be reached is an outage, and its address is not shown', async () => {
    const url = 'postgres://keeper:a-password@127.0.0.1:1/keys'
    const failing = open({ url })
    await expect(failing).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(failing).rejects.not.toThrow('a-password')
  })
})
