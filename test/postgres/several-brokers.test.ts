import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { type RunningBroker, StartRefused, startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { parseVkey } from '../../src/core/merkle/note-key.ts'
import { httpLogSource } from '../../src/sdk/http-log-source.ts'
import { verifyPromise } from '../../src/sdk/verify-promise.ts'
import { COFFEE, paid } from '../support/coffee-test.ts'
import { createFakeSkill, type FakeSkill } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { tempFolder } from '../support/temp-folder.ts'

let database: TestDatabase
let beside: TestDatabase
let secrets: string
let running: RunningBroker[]
let skill: FakeSkill
beforeEach(async () => {
  database = await createTestDatabase()
  beside = await createTestDatabase()
  secrets = tempFolder()
  running = []
  skill = createFakeSkill()
  skill.replyAlways(paid(100))
})
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop({ withinMs: 0 })))
  await database.drop()
  await beside.drop()
})

function configOf(changes: Record<string, string> = {}) {
  const read = readConfig({
    COUNTERSIGN_DATA: tempFolder(),
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    COUNTERSIGN_LOG_ORIGIN: 'broker.example/log',
    COUNTERSIGN_DATABASE_URL: database.url(),
    COUNTERSIGN_KEY_STORE_URL: beside.url('owner'),
    COUNTERSIGN_CHECKPOINT_REGISTER: beside.url('owner'),
    COUNTERSIGN_SECRETS: secrets,
    COUNTERSIGN_KEK_FILE: join(secrets, 'kek.json'),
    ...changes,
  })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  return read.config
}

async function start(changes: Record<string, string> = {}): Promise<RunningBroker> {
  const broker = await startBroker(configOf(changes))
  running.push(broker)
  // What is called is not what this is about.
  broker.broker.skills = skill
  broker.broker.secrets = { find: () => 'tok' }
  return broker
}

const refusal = (changes: Record<string, string>) =>
  startBroker(configOf(changes)).then(
    () => {
      throw new Error('it started')
    },
    (error: unknown) => error,
  )

describe('brokers on one PostgreSQL database', () => {
  it('serve one platform: what one decided the other replays, one signs, and every promise is kept', async () => {
    const [a, b] = [await start(), await start()]
    const alice = await grantAll(a.broker, COFFEE)
    const asked = [a, b, a, b].map(({ broker }) => ({
      broker,
      asked: alice.ask('order_and_pay', order(100)),
    }))
    const performed = await Promise.all(asked.map((one) => performAction(one.broker, one.asked)))
    expect(performed.map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'done'])
    const [first] = asked
    if (!first) throw new Error('nothing')
    expect(await performAction(b.broker, first.asked)).toMatchObject({ kind: 'done', replayed: true })
    expect(skill.calls).toHaveLength(4)

    const promises = performed.flatMap((one) => one.promises)
    expect(promises).toHaveLength(8)
    const vkey = await (await fetch(`${b.url}/log/vkey`)).text()
    const logKey = parseVkey(vkey.trim())
    if (!logKey) throw new Error('no key')
    for (const [i, promise] of promises.entries()) {
      const by = i % 2 === 0 ? a : b
      const trust = { logKey, keys: b.keys.jwks().keys, issuer: by.broker.settings.issuer }
      await expect
        .poll(
          async () => {
            const issuer = JSON.parse(Buffer.from(promise.split('.')[1] ?? '', 'base64url').toString()).iss
            return (await verifyPromise(promise, httpLogSource(`${b.url}/log`), { ...trust, issuer })).kind
          },
          { timeout: 10_000 },
        )
        .toBe('kept')
    }
    for (const { url } of [a, b]) expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  it('go on when the one that sequences ends without a word', async () => {
    const [a, b] = [await start(), await start()]
    const alice = await grantAll(a.broker, COFFEE)
    await performAction(a.broker, alice.ask('order_and_pay', order(100)))
    // Nothing of it ends in order: its lease runs out.
    await database.query(
      `update leases set holder = 'nod_gone', expires_at_ms = expires_at_ms + 1000 where holder = $1`,
      [a.broker.nodeId],
    )
    await performAction(b.broker, alice.ask('order_and_pay', order(100)))
    await expect.poll(() => queued(), { timeout: 20_000 }).toBe(0)
    const size = (await b.broker.store.treeHead()).treeSize
    await expect
      .poll(() => b.publisher.newest()?.treeSize ?? 0, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(size)
  })

  it('take up a key that another rotated, without a restart', async () => {
    const [a, b] = [await start(), await start()]
    const kid = await a.keys.rotate('promise', Date.now())
    await expect.poll(() => b.keys.currentKey('promise').kid, { timeout: 5_000 }).toBe(kid)
    expect(b.keys.jwks().keys.filter((key) => key.cs_purpose === 'promise')).toHaveLength(2)
  })

  it('refuse one with other secrets, and one that would have a key store or register of its own', async () => {
    await start()
    const others = tempFolder()
    cpSync(secrets, others, { recursive: true })
    const { rotateKey } = await import('../../src/keys/key-file.ts')
    const strange = tempFolder()
    cpSync(join(secrets, 'kek.json'), join(strange, 'kek.json'))
    expect(await refusal({ COUNTERSIGN_SECRETS: strange })).toMatchObject({ code: 'private_key_missing' })
    // A copy from before a rotation lacks the key the platform goes on with.
    rotateKey(join(secrets, 'keys'), 'log', Date.now())
    await start()
    expect(await refusal({ COUNTERSIGN_SECRETS: others })).toBeInstanceOf(StartRefused)
    expect(await refusal({ COUNTERSIGN_CHECKPOINT_REGISTER: database.url('owner') })).toBeInstanceOf(
      StartRefused,
    )
    expect(await refusal({ COUNTERSIGN_KEY_STORE_URL: database.url('owner') })).toBeInstanceOf(StartRefused)
    const empty = await createTestDatabase()
    try {
      expect(await refusal({ COUNTERSIGN_CHECKPOINT_REGISTER: empty.url('owner') })).toBeInstanceOf(
        StartRefused,
      )
      expect(await refusal({ COUNTERSIGN_KEY_STORE_URL: empty.url('owner') })).toMatchObject({
        code: 'private_key_missing',
      })
    } finally {
      await empty.drop()
    }
  })
})

async function queued(): Promise<number> {
  const [row] = await database.query<{ count: string }>('select count(*) from log_queue')
  return Number(row?.count)
}
