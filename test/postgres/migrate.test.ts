import { existsSync, readFileSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { examineStore } from '../../src/broker/doctor.ts'
import { MigrateRefused, migrateDatabase, withoutPassword } from '../../src/cli/migrate-database.ts'
import { openPostgresSource } from '../../src/store/backup/postgres-source.ts'
import { TargetNotEmpty } from '../../src/store/backup/sqlite-sink.ts'
import { openSqliteSource } from '../../src/store/backup/sqlite-source.ts'
import { differingTables, digestTables } from '../../src/store/backup/table-digest.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { dataFilesIn, registerFileIn } from '../../src/store/data-files.ts'
import { claimDataFolder } from '../../src/store/data-folder.ts'
import { movedMarkIn, movedTo } from '../../src/store/moved-mark.ts'
import { type CoffeeTest, coffeeSkill, coffeeTest } from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { POSTGRES_MIGRATIONS } from '../support/postgres-setup.ts'
import { publish } from '../support/restored-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

let t: CoffeeTest
let target: TestDatabase

beforeEach(async () => {
  target = await createTestDatabase({ isNew: true })
  t = await coffeeTest({}, { engine: 'sqlite' })
})
afterEach(async () => {
  await t.test.close()
  await target.drop()
})

/** Orders something, asks for something, leaves something in doubt, and ends as a stopped broker does. */
async function live(): Promise<void> {
  t.test.skill.replyAlways(coffeeSkill)
  for (let i = 0; i < 4; i += 1) await t.perform(t.alice.ask('order_and_pay', order(1_000 + i)))
  await t.perform(t.alice.ask('order_and_pay', order(9_999_999)))
  await publish(t.test)
  await t.test.broker.store.close()
}

const input = () => ({
  folder: t.test.folder,
  url: target.url(),
  migrationsFolder: POSTGRES_MIGRATIONS,
  readRegister: (epoch: number) => openCheckpointRegisterFile(registerFileIn(t.test.folder, epoch)).read(),
  nowMs: t.test.clock.nowMs(),
  tell: () => undefined,
})

describe('moving a deployment into PostgreSQL', () => {
  it('brings every row, every counter and the log as they were, and marks the folder', async () => {
    await live()
    const done = await migrateDatabase(input())
    expect(done).toMatchObject({ wasThere: false })
    const [sqlite, postgres] = [
      openSqliteSource(dataFilesIn(t.test.folder).database),
      await openPostgresSource(target.url()),
    ]
    const digests = await digestTables(sqlite)
    expect(differingTables(digests, await digestTables(postgres))).toEqual([])
    expect(digests.find(({ name }) => name === 'log_leaves')?.rows).toBe(done.treeSize)
    expect(done.treeSize).toBeGreaterThan(8)
    await sqlite.close()
    await postgres.close()

    const store = await target.open()
    expect(await store.treeHead()).toEqual({ treeSize: done.treeSize, rootHash: done.rootHash })
    expect((await examineStore(store)).faults).toEqual([])
    await store.close()
    expect(movedTo(t.test.folder)).toBe(withoutPassword(target.url()))
    await expect(migrateDatabase(input())).rejects.toThrow(MigrateRefused)
  })

  it('counts on in PostgreSQL where the folder stood', async () => {
    await live()
    await migrateDatabase(input())
    const store = await target.open()
    const counters = await store.read(async (tx) => tx.counters.list(t.alice.userId))
    expect(counters.reduce((sum, row) => sum + row.captured, 0)).toBe(4_006)
    await store.close()
  })

  it('goes on after it was killed before the folder was marked, and puts nothing there twice', async () => {
    await live()
    await migrateDatabase(input())
    rmSync(movedMarkIn(t.test.folder))
    expect(await migrateDatabase(input())).toMatchObject({ wasThere: true })
    expect(existsSync(movedMarkIn(t.test.folder))).toBe(true)
  })

  it('keeps nothing when it ends in the middle, and can begin anew', async () => {
    await live()
    const dying = {
      ...input(),
      tell: (table: string) => {
        if (table === 'log_leaves') throw new Error('killed')
      },
    }
    await expect(migrateDatabase(dying)).rejects.toThrow('killed')
    const rows = await target.query<{ count: number }>('select count(*)::int as count from users')
    expect(rows).toEqual([{ count: 0 }])
    expect(movedTo(t.test.folder)).toBeUndefined()
    expect(await migrateDatabase(input())).toMatchObject({ wasThere: false })
  })

  it('refuses a database that holds something else, and a folder that is in use', async () => {
    await live()
    await target.query("insert into users (id, time_zone, created_at_ms) values ('usr_other', 'UTC', 1)")
    await expect(migrateDatabase(input())).rejects.toThrow(TargetNotEmpty)
    const claim = claimDataFolder(tempFolder(), 0)
    claim.release()
    const owner = claimDataFolder(t.test.folder, 0)
    await expect(migrateDatabase(input())).rejects.toThrow('in use')
    owner.release()
    expect(existsSync(movedMarkIn(t.test.folder))).toBe(false)
  })

  it('refuses a database that is not sound, before anything is copied', async () => {
    await live()
    const db = new Database(dataFilesIn(t.test.folder).database)
    db.exec('UPDATE counters SET captured = captured - 1')
    db.close()
    await expect(migrateDatabase(input())).rejects.toThrow('counter_differs')
    expect(await target.query('select 1 from users')).toEqual([])
  })

  it('shows no password of the database it moves to', async () => {
    await live()
    const url = target.url().replace('@', ':very-secret@')
    await migrateDatabase({ ...input(), url })
    expect(readFileSync(movedMarkIn(t.test.folder), 'utf8')).not.toContain('very-secret')
  })
})
