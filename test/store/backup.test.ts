import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RestoreRefused, restoreDatabase } from '../../src/cli/restore-database.ts'
import { RESTORE_RULES } from '../../src/core/restore-rules.ts'
import { readEpochKeys } from '../../src/keys/kek-file.ts'
import { openKeyStoreView } from '../../src/keys/key-store-view.ts'
import { type Manifest, manifestText, readManifest } from '../../src/store/backup/manifest.ts'
import { openSqliteSource } from '../../src/store/backup/sqlite-source.ts'
import { TABLE_LAYOUTS } from '../../src/store/backup/table-layout.ts'
import { writeBackup } from '../../src/store/backup/write-backup.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { dataFilesIn, registerFileIn } from '../../src/store/data-files.ts'
import { fileDigest } from '../support/backup-digest.ts'
import { type CoffeeTest, coffeeSkill, coffeeTest } from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { backUp, publish, takeKeysAlong } from '../support/restored-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

let t: CoffeeTest
let folder: string
let from: string

beforeEach(async () => {
  t = await coffeeTest({}, { engine: 'sqlite' })
  t.test.skill.replyAlways(coffeeSkill)
  folder = tempFolder()
  for (let i = 0; i < 3; i += 1) await t.perform(t.alice.ask('order_and_pay', order(1_000 + i)))
  await publish(t.test)
  from = await backUp(t.test, join(folder, 'backup'))
})
afterEach(() => t.test.close())

const target = (into: string) => ({
  folder: into,
  databaseUrl: null,
  registerOf: async (epoch: number) => openCheckpointRegisterFile(registerFileIn(into, epoch)),
  openKeys: async () => openKeyStoreView(dataFilesIn(into).cells),
  openEpochs: () => (existsSync(join(into, 'kek.json')) ? readEpochKeys(join(into, 'kek.json')) : undefined),
  firstOrigin: 'broker.example/log',
})

async function restore(into = join(folder, 'into')): Promise<string> {
  await t.test.broker.cells.close()
  takeKeysAlong(t.test.folder, into)
  const input = { from, ...target(into), freezes: false, origin: undefined, nowMs: t.test.clock.nowMs() }
  await restoreDatabase({ ...input, tell: () => undefined })
  return into
}

const tableIn = (name: string) => join(from, `${name}.ndjson.gz`)
const linesOf = (name: string) =>
  gunzipSync(readFileSync(tableIn(name)))
    .toString('utf8')
    .split('\n')
    .slice(0, -1)

/** Writes a table anew, with a manifest that agrees: damage that no digest shows. */
function replaceLines(name: string, lines: readonly string[]): void {
  writeFileSync(tableIn(name), gzipSync(lines.map((line) => `${line}\n`).join('')))
  const manifest = readManifest(from)
  const tables = manifest.tables.map((table) =>
    table.name === name ? { ...table, ...fileDigest(tableIn(name)), rows: lines.length } : table,
  )
  writeFileSync(join(from, 'manifest.json'), manifestText({ ...manifest, tables }))
}

function changeManifest(change: (manifest: Manifest) => object): void {
  const manifest = readManifest(from)
  writeFileSync(join(from, 'manifest.json'), manifestText({ ...manifest, ...change(manifest) }))
}

describe('a backup', () => {
  it('says what it holds, and is for its owner alone', async () => {
    const manifest = readManifest(from)
    const { treeSize, rootHash } = await t.test.broker.store.treeHead()
    expect(manifest.log).toMatchObject({
      origin: 'broker.example/log',
      epoch: 1,
      treeSize,
      rootHash: rootHash.toString('base64'),
    })
    expect(manifest.tables.map(({ name }) => name)).toEqual(TABLE_LAYOUTS.map(({ name }) => name))
    expect(manifest.tables.find(({ name }) => name === 'log_leaves')?.rows).toBe(treeSize)
    expect(statSync(from).mode & 0o777).toBe(0o700)
    for (const { name } of manifest.tables) expect(statSync(tableIn(name)).mode & 0o777).toBe(0o600)
  })

  it('holds no key', () => {
    for (const { name } of TABLE_LAYOUTS) expect(name).not.toMatch(/cell|kek/)
    expect(existsSync(join(from, 'cells.sqlite'))).toBe(false)
  })

  it('never overwrites what is there, and leaves nothing behind when it fails', async () => {
    const bytes = readFileSync(join(from, 'manifest.json'))
    await expect(backUp(t.test, from)).rejects.toThrow('never overwrites')
    expect(readFileSync(join(from, 'manifest.json'))).toEqual(bytes)
    const source = openSqliteSource(dataFilesIn(t.test.folder).database)
    const failing = {
      ...source,
      async *rows() {
        yield [] as const
        throw new Error('the disk is gone')
      },
    }
    const epochKeys = readEpochKeys(join(t.test.folder, 'kek.json'))
    const facts = { takenAtMs: 0, keyStore: null, epochKeys }
    await expect(writeBackup(failing, join(folder, 'other'), facts)).rejects.toThrow('the disk is gone')
    expect(existsSync(join(folder, 'other'))).toBe(false)
    expect(existsSync(join(folder, 'other.partial'))).toBe(false)
    await source.close()
  })

  it('is of one moment, whatever is decided meanwhile', async () => {
    let running = true
    const load = (async () => {
      for (let i = 0; running; i += 1) await t.perform(t.alice.ask('order_and_pay', order(100 + i)))
    })()
    from = await backUp(t.test, join(folder, 'under-load'))
    from = await backUp(t.test, join(folder, 'under-load-too'))
    running = false
    await load
    const manifest = readManifest(from)
    const rows = (name: string) => manifest.tables.find((table) => table.name === name)?.rows ?? 0
    expect(rows('log_leaves')).toBe(manifest.log.treeSize)
    await t.test.broker.cells.close()
    const into = await restore()
    expect(existsSync(dataFilesIn(into).database)).toBe(true)
  })
})

describe('a restore', () => {
  it('refuses a folder that holds a database, and leaves it as it is', async () => {
    const into = await restore()
    const bytes = readFileSync(dataFilesIn(into).database)
    await expect(restore(into)).rejects.toThrow('empty folder only')
    expect(readFileSync(dataFilesIn(into).database)).toEqual(bytes)
  })

  it('knows what becomes of every table', () => {
    expect(Object.keys(RESTORE_RULES).sort()).toEqual(TABLE_LAYOUTS.map(({ name }) => name).sort())
  })

  it('takes no key store of another deployment, none that is missing, and none from before an erasure', async () => {
    const into = join(folder, 'into')
    const input = {
      from,
      ...target(into),
      freezes: false,
      origin: undefined,
      nowMs: t.test.clock.nowMs(),
      tell: () => undefined,
    }
    await expect(restoreDatabase(input)).rejects.toThrow(RestoreRefused)
    changeManifest(({ keyStore }) => ({ keyStore: { id: keyStore?.id ?? '', generation: 1 } }))
    await expect(restore(into)).rejects.toThrow('never put back to an older state')
    changeManifest(() => ({ keyStore: { id: 'kst_other', generation: 0 } }))
    await expect(restore(into)).rejects.toThrow('another deployment')
    expect(existsSync(dataFilesIn(into).database)).toBe(false)
  })

  const FAULTS: [string, () => void][] = [
    [
      'a flipped byte',
      () => {
        const bytes = readFileSync(tableIn('grants'))
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
        writeFileSync(tableIn('grants'), bytes)
      },
    ],
    [
      'a flipped byte in the manifest',
      () => {
        const path = join(from, 'manifest.json')
        writeFileSync(path, readFileSync(path, 'utf8').replace('"epoch": 1', '"epoch": 2'))
      },
    ],
    ['a missing table', () => rmSync(tableIn('counters'))],
    [
      'a table that the manifest does not name',
      () => changeManifest(({ tables }) => ({ tables: tables.slice(1) })),
    ],
    ['tables in another order', () => changeManifest(({ tables }) => ({ tables: tables.toReversed() }))],
    [
      'a file that is cut off',
      () => writeFileSync(tableIn('actions'), readFileSync(tableIn('actions')).subarray(0, -20)),
    ],
    ['the file of another table', () => copyFileSync(tableIn('users'), tableIn('agents'))],
    ['no manifest', () => rmSync(join(from, 'manifest.json'))],
    ['the tables of another version', () => changeManifest(() => ({ schema: 'A'.repeat(43) }))],
    [
      'leaves in another order',
      () => {
        const [first = '', second = '', ...rest] = linesOf('log_leaves')
        replaceLines('log_leaves', [second, first, ...rest])
      },
    ],
    ['a leaf too few', () => replaceLines('log_leaves', linesOf('log_leaves').slice(0, -1))],
    [
      'a leaf with other bytes',
      () => {
        replaceLines(
          'log_leaves',
          linesOf('log_leaves').map((line, i) => {
            const row = JSON.parse(line)
            if (i === 1) row[2] = Buffer.from('{"v":1}').toString('base64')
            return JSON.stringify(row)
          }),
        )
      },
    ],
    [
      'a root that nobody signed',
      () => changeManifest(({ log }) => ({ log: { ...log, rootHash: Buffer.alloc(32).toString('base64') } })),
    ],
    [
      'a row with a column too many',
      () =>
        replaceLines(
          'users',
          linesOf('users').map((line) => line.replace(']', ',1]')),
        ),
    ],
    [
      'text in place of a number',
      () =>
        replaceLines(
          'users',
          linesOf('users').map((line) => line.replace(/\d+\]$/, '"soon"]')),
        ),
    ],
  ]

  it.each(FAULTS)('refuses %s, and leaves nothing behind', async (_, damage) => {
    damage()
    const into = join(folder, 'into')
    await expect(restore(into)).rejects.toThrow(
      /damaged|not as it was written|missing|lacks tables|another version|manifest|no row|holds something else|other columns/,
    )
    expect(existsSync(dataFilesIn(into).database)).toBe(false)
    expect(existsSync(`${dataFilesIn(into).database}.restoring`)).toBe(false)
  })

  it('refuses a log that is not the one the register knows', async () => {
    const into = join(folder, 'into')
    await t.test.broker.cells.close()
    takeKeysAlong(t.test.folder, into)
    const entry = {
      origin: 'broker.example/log',
      treeSize: 1,
      rootHash: Buffer.alloc(32, 1).toString('base64'),
    }
    writeFileSync(join(into, 'checkpoint-register.json'), JSON.stringify(entry))
    await expect(restore(into)).rejects.toThrow('another root')
    writeFileSync(
      join(into, 'checkpoint-register.json'),
      JSON.stringify({ ...entry, origin: 'other.example/log' }),
    )
    await expect(restore(into)).rejects.toThrow(RestoreRefused)
    expect(existsSync(dataFilesIn(into).database)).toBe(false)
  })

  it('goes again after one that was killed in the middle', async () => {
    const into = join(folder, 'into')
    takeKeysAlong(t.test.folder, into)
    writeFileSync(`${dataFilesIn(into).database}.restoring`, 'half a database')
    await restore(into)
    expect(existsSync(`${dataFilesIn(into).database}.restoring`)).toBe(false)
  })
})
