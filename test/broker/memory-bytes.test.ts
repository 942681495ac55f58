import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { openMemoryContent, openMemoryHead } from '../../src/broker/seal-memory.ts'
import { sealText } from '../../src/broker/seal-text.ts'
import { sweepExpiredMemory } from '../../src/broker/sweep-expired-memory.ts'
import type { MemoryItemRow } from '../../src/ports/memory-store.ts'
import { DAY_MS, latte, type MemoryWorld, memoryWorld } from '../support/memory-world.ts'
import { filesWith, plantedIn } from '../support/planted-bytes.ts'
import { ENGINE, testDatabaseUrl } from '../support/test-engine.ts'

let world: MemoryWorld
beforeEach(async () => {
  world = await memoryWorld()
})
afterEach(() => world.test.close())

/** Where everything lies that a broker of this run writes. */
function folders(): string[] {
  return ENGINE === 'postgres'
    ? [world.test.folder, join(inject('postgres').folder, 'data')]
    : [world.test.folder]
}

/** Brings what the server holds in memory to its files, so that a search there is a search of all there is. */
async function flush(): Promise<void> {
  const url = await testDatabaseUrl(world.test.folder)
  if (url === null) return
  const client = new Client({ connectionString: superuserOf(url) })
  await client.connect()
  await client.query('checkpoint')
  await client.end()
}

function superuserOf(url: string): string {
  const at = new URL(url)
  at.username = 'root_of_tests'
  return at.href
}

const planted = (words: readonly string[]) => folders().flatMap((folder) => plantedIn(folder, words))

async function rowsOf(broker: Broker): Promise<MemoryItemRow[]> {
  return broker.store.read(async (tx) => tx.memoryItems.list(world.alice.userId, { limit: 50, before: null }))
}

/** Every key that is left in the key store. */
async function livingKeys(): Promise<string[]> {
  const db = new Database(join(world.test.folder, 'cells.sqlite'), { readonly: true })
  const ids = db.prepare<[], { id: string }>('SELECT cell_id AS id FROM cells').all()
  db.close()
  return ids.map(({ id }) => id)
}

function wrappedKeyOf(cellId: string): Buffer {
  const db = new Database(join(world.test.folder, 'cells.sqlite'), { readonly: true })
  const row = db
    .prepare<[string], { wrapped: Buffer }>('SELECT wrapped FROM cells WHERE cell_id = ?')
    .get(cellId)
  db.close()
  if (!row) throw new Error('no such cell')
  return row.wrapped
}

describe('the words of an item', () => {
  it('would be found in any form, if they were there', async () => {
    const word = `canary${randomBytes(9).toString('hex')}`
    await world.test.broker.store.transaction(async (tx) =>
      tx.recipients.insert({
        id: 'rcp_1',
        userId: world.alice.userId,
        label: word,
        value: Buffer.from(`x${word}`).toString('base64'),
        createdAtMs: tx.nowMs,
      }),
    )
    await flush()
    expect(planted([word])).not.toEqual([])
    const sealed = `sealed${randomBytes(9).toString('hex')}`
    await sealText(world.test.broker, { userId: world.alice.userId, skillId: '' }, sealed)
    expect(planted([sealed])).toEqual([])
  })

  it('are in no file while it lives, nor after it was recalled, searched for, replaced, and destroyed', async () => {
    const { test } = world
    const mark = randomBytes(9).toString('hex')
    const words = {
      content: `content${mark}`,
      key: `key${mark}`,
      purpose: `purpose${mark}`,
      searched: `tent${mark}`,
    }
    const item = latte({
      key: words.key,
      purpose: `to test ${words.purpose}`,
      content: `It says ${words.content} ${words.searched}`,
      expiresAtMs: test.broker.store.now().nowMs + DAY_MS,
    })
    await world.kept(item)
    await world.kept({ ...item, content: `${item.content} and more` })
    expect(await world.recall({ key: words.key })).toHaveLength(1)
    expect(await world.recall({ words: words.searched })).toHaveLength(1)
    await flush()
    expect(planted(Object.values(words))).toEqual([])

    test.clock.advance(DAY_MS)
    expect(await world.recall({ words: words.searched })).toEqual([])
    await sweepExpiredMemory(test.broker)
    await flush()
    expect(planted(Object.values(words))).toEqual([])
  })

  it('are opened by no key that is left, from no copy of what was sealed', async () => {
    const { test } = world
    const { broker } = test
    await world.kept(latte({ expiresAtMs: broker.store.now().nowMs + DAY_MS }))
    await world.kept(latte({ key: 'second' }))
    const copies = await rowsOf(broker)
    const [second, first] = copies
    if (!first || !second) throw new Error('two were kept')
    const wrapped = wrappedKeyOf(first.cellId)
    expect(filesWith(test.folder, wrapped)).not.toEqual([])

    test.clock.advance(DAY_MS)
    await sweepExpiredMemory(broker)
    const keys = await broker.cells.findAll(await livingKeys())
    expect(keys.size).toBeGreaterThan(0)
    const opening = [...keys].filter(([, key]) => openMemoryHead(key, first) ?? openMemoryContent(key, first))
    expect(opening).toEqual([])
    const other = keys.get(second.cellId)
    expect(other && openMemoryContent(other, second)).toBe(latte().content)
    // Not only unlinked: the bytes of the wrapped key are overwritten, in the file and in its write-ahead log.
    expect(filesWith(test.folder, wrapped)).toEqual([])
  })

  it('cannot be read under another item, another user or in another place', async () => {
    await world.kept()
    const [row] = await rowsOf(world.test.broker)
    const key = row && (await world.test.broker.cells.find(row.cellId))
    if (!row || !key) throw new Error('one was kept')
    expect(openMemoryContent(key, row)).toBe(latte().content)
    for (const changed of [
      { ...row, id: 'mem_other' },
      { ...row, userId: 'usr_other' },
      { ...row, content: row.head },
      { ...row, content: Buffer.concat([row.content.subarray(0, -1), Buffer.from([1])]) },
      { ...row, content: row.content.subarray(0, 20) },
      { ...row, content: Buffer.alloc(0) },
    ])
      expect(openMemoryContent(key, changed)).toBeUndefined()
  })
})
