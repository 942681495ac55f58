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

  it('begins an epoch on all nodes or on none: a node with an old copy of the key file is waited for', async () => {
    const elsewhere = join(tempFolder(), 'kek.json')
    const a = await open()
    copyFileSync(join(folder, 'kek.json'), elsewhere)
    const b = await open({ kekFile: elsewhere })
    const cell = await one(a)
    expect(await a.rotation.begin(NOW_MS)).toBe(2)
    expect(await a.rotation.activate()).toBe('waits')
    expect((await a.rotation.state()).epoch).toBe(1)
    const name = { ...NAME, userId: 'usr_bob' }
    const made = await one(a, name)
    expect(bytesOf(await one(b, name))).toBe(bytesOf(made))
    copyFileSync(join(folder, 'kek.json'), elsewhere)
    await b.rotation.activate()
    expect(await a.rotation.activate()).toBe('active')
    await finish(b)
    expect((await b.find(cell.cellId))?.export().toString('hex')).toBe(bytesOf(cell))
    expect((await a.find(cell.cellId))?.export().toString('hex')).toBe(bytesOf(cell))
    expect(await a.rotation.retire()).toEqual([1])
    expect(readFileSync(join(folder, 'kek.json'), 'utf8').match(/destroyed/g)?.length).toBe(1)
  })

  it('wraps nothing in an epoch that has given way, whatever a node believes', async () => {
    const [a, b] = [await open({ tellEveryMs: 3_600_000 }), await open({ tellEveryMs: 3_600_000 })]
    await a.rotation.begin(NOW_MS)
    await b.rotation.activate()
    expect(await a.rotation.activate()).toBe('active')
    await finish(a)
    const cell = await one(b, { ...NAME, userId: 'usr_bob' })
    const [unnamed] = await b.make([20_900])
    const rows = await database.query<{ epoch: number }>('select epoch from cells')
    expect(rows.map(({ epoch }) => epoch)).toEqual([2, 2])
    expect(bytesOf({ cellId: '', key: (await a.find(cell.cellId)) ?? cell.key })).toBe(bytesOf(cell))
    expect((await a.findAll([unnamed?.cellId ?? ''])).size).toBe(1)
  })

  it('has one key for an epoch that two nodes begin at once', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => open()))
    const cells = await Promise.all(nodes.map((node, i) => one(node, { ...NAME, userId: `usr_${i}` })))
    await Promise.all(nodes.map((node) => node.rotation.begin(NOW_MS)))
    await Promise.all(nodes.map((node) => node.rotation.activate()))
    for (const node of nodes) expect(await node.rotation.activate()).toBe('active')
    await Promise.all(nodes.map(finish))
    expect((await nodes[0]?.rotation.state())?.older).toEqual([])
    for (const node of nodes)
      for (const cell of cells)
        expect((await node.find(cell.cellId))?.export().toString('hex')).toBe(bytesOf(cell))
    expect(readFileSync(join(folder, 'kek.json'), 'utf8').match(/living/g)?.length).toBe(1)
  })

  it('is refused to a node whose key file is from an epoch before', async () => {
    const a = await open()
    const cell = await one(a)
    const old = join(tempFolder(), 'kek.json')
    copyFileSync(join(folder, 'kek.json'), old)
    await a.rotation.begin(NOW_MS)
    await a.rotation.activate()
    await finish(a)
    await expect(open({ kekFile: old })).rejects.toMatchObject({ code: 'keys_differ' })
    const b = await open()
    expect((await b.find(cell.cellId))?.export().toString('hex')).toBe(bytesOf(cell))
  })

  it('that cannot be reached is an outage, and its address is not shown', async () => {
    const url = 'postgres://keeper:a-password@127.0.0.1:1/keys'
    const failing = open({ url })
    await expect(failing).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(failing).rejects.not.toThrow('a-password')
  })
})

async function finish({ rotation }: Cells): Promise<void> {
  while ((await rotation.rewrap(3)) > 0);
  await rotation.retire()
}
