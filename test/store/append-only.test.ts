import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database, { type Database as Connection } from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { leafOf, NOW_MS } from '../contract/sample-rows.ts'
import { openTestStore } from '../support/sqlite-file.ts'
import { tempFolder } from '../support/temp-folder.ts'

const HASH = `x'${'ab'.repeat(32)}'`
const SHORT = `x'${'ab'.repeat(31)}'`
const LONG = `x'${'ab'.repeat(33)}'`
const TEXT = `'${'a'.repeat(32)}'`

const LEAF = 'log_leaves (leaf_index, event_id, leaf, leaf_hash, at_ms)'
const NODE = 'log_nodes (level, node_index, hash)'
const CHECKPOINT = 'log_checkpoints (tree_size, root_hash, note, at_ms)'

/** Everything somebody with the file and a plain connection may try. The log has 256 leaves, a node, a checkpoint. */
const ATTEMPTS = [
  ['changing a leaf', `UPDATE log_leaves SET leaf = x'00' WHERE leaf_index = 5`],
  ['changing all leaves', `UPDATE log_leaves SET at_ms = 0`],
  ['moving a leaf over another', `UPDATE OR REPLACE log_leaves SET leaf_index = 5 WHERE leaf_index = 6`],
  ['deleting a leaf', `DELETE FROM log_leaves WHERE leaf_index = 255`],
  ['deleting all leaves', `DELETE FROM log_leaves`],
  ['replacing a leaf', `INSERT OR REPLACE INTO ${LEAF} VALUES (5, 'evt_x', x'00', ${HASH}, 0)`],
  ['replacing a leaf with REPLACE', `REPLACE INTO ${LEAF} VALUES (255, 'evt_x', x'00', ${HASH}, 0)`],
  ['ignoring into a leaf', `INSERT OR IGNORE INTO ${LEAF} VALUES (5, 'evt_x', x'00', ${HASH}, 0)`],
  [
    'upserting a leaf',
    `INSERT INTO ${LEAF} VALUES (5, 'evt_x', x'00', ${HASH}, 0)
     ON CONFLICT (leaf_index) DO UPDATE SET leaf = excluded.leaf`,
  ],
  [
    'upserting a leaf by its event, at the right place',
    `INSERT INTO ${LEAF} VALUES (256, 'evt_5', x'00', ${HASH}, 0)
     ON CONFLICT (event_id) DO UPDATE SET leaf = excluded.leaf`,
  ],
  ['leaving a gap', `INSERT INTO ${LEAF} VALUES (257, 'evt_x', x'00', ${HASH}, 0)`],
  ['a leaf before the first', `INSERT INTO ${LEAF} VALUES (-1, 'evt_x', x'00', ${HASH}, 0)`],
  ['a leaf without an index', `INSERT INTO ${LEAF} VALUES (NULL, 'evt_x', x'00', ${HASH}, 0)`],
  [
    'two leaves at one place',
    `INSERT INTO ${LEAF} VALUES (256, 'a', x'00', ${HASH}, 0), (256, 'b', x'00', ${HASH}, 0)`,
  ],
  ['a second leaf of an event', `INSERT INTO ${LEAF} VALUES (256, 'evt_5', x'00', ${HASH}, 0)`],
  ['a short leaf hash', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', x'00', ${SHORT}, 0)`],
  ['a long leaf hash', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', x'00', ${LONG}, 0)`],
  ['a leaf hash of text', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', x'00', ${TEXT}, 0)`],
  ['no leaf hash', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', x'00', NULL, 0)`],
  ['an empty leaf', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', x'', ${HASH}, 0)`],
  [
    'a leaf no entry bundle can hold',
    `INSERT INTO ${LEAF} VALUES (256, 'evt_x', zeroblob(65536), ${HASH}, 0)`,
  ],
  ['a leaf of text', `INSERT INTO ${LEAF} VALUES (256, 'evt_x', 'text', ${HASH}, 0)`],
  ['changing a node', `UPDATE log_nodes SET hash = ${HASH}`],
  ['deleting a node', `DELETE FROM log_nodes`],
  ['replacing a node', `INSERT OR REPLACE INTO ${NODE} VALUES (8, 0, ${HASH})`],
  [
    'upserting a node',
    `INSERT INTO ${NODE} VALUES (8, 0, ${HASH}) ON CONFLICT DO UPDATE SET hash = excluded.hash`,
  ],
  ['leaving a gap between nodes', `INSERT INTO ${NODE} VALUES (8, 2, ${HASH})`],
  ['a first node that is not the first', `INSERT INTO ${NODE} VALUES (16, 1, ${HASH})`],
  ['a short node hash', `INSERT INTO ${NODE} VALUES (8, 1, ${SHORT})`],
  ['a node hash of text', `INSERT INTO ${NODE} VALUES (8, 1, ${TEXT})`],
  ['changing a checkpoint', `UPDATE log_checkpoints SET note = 'other'`],
  ['moving a checkpoint', `UPDATE OR REPLACE log_checkpoints SET tree_size = 7`],
  ['deleting a checkpoint', `DELETE FROM log_checkpoints`],
  ['replacing a checkpoint', `INSERT OR REPLACE INTO ${CHECKPOINT} VALUES (256, ${HASH}, 'n', 0)`],
  [
    'upserting a checkpoint',
    `INSERT INTO ${CHECKPOINT} VALUES (256, ${HASH}, 'n', 0) ON CONFLICT DO UPDATE SET note = excluded.note`,
  ],
  ['a checkpoint that does not grow', `INSERT INTO ${CHECKPOINT} VALUES (255, ${HASH}, 'n', 0)`],
  ['a checkpoint of no size', `INSERT INTO ${CHECKPOINT} VALUES (NULL, ${HASH}, 'n', 0)`],
  ['a short root', `INSERT INTO ${CHECKPOINT} VALUES (257, ${SHORT}, 'n', 0)`],
  ['a long root', `INSERT INTO ${CHECKPOINT} VALUES (257, ${LONG}, 'n', 0)`],
  ['a root of text', `INSERT INTO ${CHECKPOINT} VALUES (257, ${TEXT}, 'n', 0)`],
] as const

describe.each([
  ['off, as it is by default', 'OFF'],
  ['on, as the store sets it', 'ON'],
])('the log tables, with recursive triggers %s', (_, recursive) => {
  let db: Connection
  let made: string
  const all = () =>
    ['log_leaves', 'log_nodes', 'log_checkpoints'].map((table) => db.prepare(`SELECT * FROM ${table}`).all())

  beforeAll(async () => {
    made = join(mkdtempSync(join(tmpdir(), 'countersign-')), 'broker.db')
    const store = openTestStore(made, NOW_MS)
    await store.transaction(async (tx) => {
      for (let i = 0; i < 256; i++) await tx.log.append(leafOf(i), NOW_MS)
      await tx.log.saveCheckpoint({ treeSize: 256, rootHash: Buffer.alloc(32, 1), note: 'n', atMs: NOW_MS })
    })
    await store.close()
  })
  afterAll(() => rmSync(dirname(made), { recursive: true, force: true }))

  beforeEach(() => {
    // A copy for each attempt: one that succeeds must not help or hide the next.
    const file = join(tempFolder(), 'broker.db')
    copyFileSync(made, file)
    db = new Database(file)
    if (recursive === 'ON') db.pragma('recursive_triggers = ON')
  })
  afterEach(() => void db.close())

  it.each(ATTEMPTS)('refuse %s', (_, sql) => {
    const before = all()
    expect(() => db.exec(sql)).toThrow()
    expect(all()).toEqual(before)
  })

  it('take the next leaf, node and checkpoint, so that the refusals above mean something', () => {
    db.exec(
      `INSERT INTO ${LEAF} VALUES (256, 'evt_x', zeroblob(65535), ${HASH}, 0), (257, 'evt_y', x'00', ${HASH}, 0)`,
    )
    db.exec(`INSERT INTO ${NODE} VALUES (8, 1, ${HASH}), (16, 0, ${HASH})`)
    db.exec(`INSERT INTO ${CHECKPOINT} VALUES (257, ${HASH}, 'n', 0)`)
    expect(all().map((rows) => rows.length)).toEqual([258, 3, 2])
  })
})

describe('a connection for readers', () => {
  it('writes nothing at all', async () => {
    const store = openTestStore(join(tempFolder(), 'broker.db'), NOW_MS)
    const user = { id: 'usr_1', timeZone: 'UTC', createdAtMs: NOW_MS }
    await expect(store.read(async (tx) => tx.users.save(user))).rejects.toMatchObject({
      code: 'SQLITE_READONLY',
    })
    expect(await store.read(async (tx) => tx.users.find('usr_1'))).toBeUndefined()
    await store.close()
  })
})
