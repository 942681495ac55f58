import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgresRegister } from '../../src/store/checkpoint-register-postgres.ts'
import { openCheckpointRegister, RegisterMisplaced } from '../../src/store/open-checkpoint-register.ts'
import { describeRegister, entry, ORIGIN } from '../contract/register-contract.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'

describeRegister('a register in another PostgreSQL database', async () => {
  const database = await createTestDatabase()
  return {
    open: () => openPostgresRegister(database.url('owner'), ORIGIN),
    remove: () => database.drop(),
  }
})

describe('a register in PostgreSQL', () => {
  let guarded: TestDatabase
  let beside: TestDatabase
  let away: PostgresServer
  beforeAll(async () => {
    guarded = await createTestDatabase()
    beside = await createTestDatabase()
    away = await startPostgres()
  })
  afterAll(async () => {
    await guarded.drop()
    await beside.drop()
    await away.stop()
  })
  const open = (url: string) =>
    openCheckpointRegister({ kind: 'postgres', url }, { origin: ORIGIN, url: guarded.url() })

  it('is refused in the database it guards, by whatever name and role that is reached', async () => {
    for (const url of [
      guarded.url(),
      guarded.url('owner'),
      guarded.url('superuser').replace('127.0.0.1', 'localhost'),
      `${guarded.url('owner')}?options=-csearch_path%3Danother`,
    ]) {
      await expect(open(url)).rejects.toThrow(RegisterMisplaced)
    }
  })

  it('is told apart on the same server, which is lost with it, and on another', async () => {
    expect((await open(beside.url('owner'))).warning).toBe('register_on_same_server')
    expect((await open(away.url('postgres'))).warning).toBeNull()
  })

  it('holds one row a log, so that a new log leaves the old one’s last head where it is', async () => {
    const url = away.url('postgres')
    await openPostgresRegister(url, ORIGIN).advance(undefined, entry(3))
    const next = openPostgresRegister(url, 'broker.example/log/2')
    expect(await next.read()).toBeUndefined()
    await expect(next.advance(undefined, entry(1))).rejects.toThrow(RangeError)
    expect(await openPostgresRegister(url, ORIGIN).read()).toEqual(entry(3))
  })

  it('says that it cannot be reached, without its address', async () => {
    const url = away.url('no_such_database')
    const failing = openPostgresRegister(url, ORIGIN).read()
    await expect(failing).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(failing).rejects.not.toThrow('no_such_database')
  })
})
