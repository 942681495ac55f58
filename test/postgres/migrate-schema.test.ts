import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { OWNER } from '../support/postgres-setup.ts'

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase({ isNew: true })
})
afterEach(() => database.drop())

function migrateSchema(env: Record<string, string>): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const all = { PATH: process.env.PATH ?? '', ...env }
    execFile(process.execPath, [CLI, 'migrate-schema'], { env: all }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}
const urls = () => ({
  COUNTERSIGN_DATABASE_OWNER_URL: database.url('owner'),
  COUNTERSIGN_DATABASE_URL: database.url(),
})

describe('countersign migrate-schema', () => {
  it('makes an empty database one that is served from, and says when there is nothing to do', async () => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await database.query(`ALTER SCHEMA public OWNER TO ${OWNER}`)
    const first = await migrateSchema(urls())
    expect([first.code, first.out]).toEqual([
      0,
      expect.stringMatching(/^migrated: \d+ migrations; countersign may/),
    ])
    const again = await migrateSchema(urls())
    expect([again.code, again.out]).toEqual([0, expect.stringMatching(/is of this version already/)])
    await (await database.open()).close()
  })

  it('refuses one role for both, and a newer schema', async () => {
    const one = await migrateSchema({ ...urls(), COUNTERSIGN_DATABASE_URL: database.url('owner') })
    expect([one.code, one.err]).toEqual([1, expect.stringContaining('use two roles')])
    await database.query(`INSERT INTO schema_migrations VALUES (99, 'newer')`)
    const newer = await migrateSchema(urls())
    expect([newer.code, newer.err]).toEqual([1, expect.stringContaining('made by another version')])
  })

  it('says which setting is missing or leads nowhere, and shows no password', async () => {
    const { COUNTERSIGN_DATABASE_URL } = urls()
    expect(await migrateSchema({ COUNTERSIGN_DATABASE_URL })).toMatchObject({
      code: 2,
      err: expect.stringContaining('COUNTERSIGN_DATABASE_OWNER_URL'),
    })
    const nowhere = await migrateSchema({
      COUNTERSIGN_DATABASE_URL,
      COUNTERSIGN_DATABASE_OWNER_URL: 'postgres://owner:hush-hush@127.0.0.1:1/nowhere',
    })
    expect([nowhere.code, nowhere.err]).toEqual([2, 'the database does not answer\n'])
  })
})
