import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DoctorReport, examineStore } from '../../src/broker/doctor.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { openPostgresView } from '../../src/store/open-postgres-view.ts'
import { openSqliteView } from '../../src/store/open-sqlite-reader.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { POSTGRES_MIGRATIONS } from '../support/postgres-setup.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE, queryTestDatabase, testDatabaseUrl } from '../support/test-engine.ts'

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'), {
    budgets: [
      { measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 100_000 },
      { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 3_600_000 }, limit: 50_000 },
      { measure: 'count', window: { kind: 'calendar', period: 'day' }, limit: 50 },
    ],
  })
  const buy = () => performAction(test.broker, alice.ask('order_and_pay', order(100)))
  test.skill.replyNext(answered({ order_id: 'O-1', charged_amount: 90, currency: 'CNY' }))
  await buy()
  test.skill.replyNext(broken('cut'))
  await buy()
})
afterEach(() => test.close())

/** The database as it is at this moment, whichever engine it is on. */
async function openView(of: TestBroker, nowMs = of.clock.nowMs()) {
  const url = await testDatabaseUrl(of.folder)
  return url === null
    ? openSqliteView(join(of.folder, 'broker.sqlite'), nowMs)
    : openPostgresView({ url, migrationsFolder: POSTGRES_MIGRATIONS, nowMs })
}

async function examine(): Promise<DoctorReport> {
  const view = await openView(test)
  try {
    return await examineStore(view, await openCheckpointRegisterFile(join(test.folder, 'reg.json')).read())
  } finally {
    await view.close()
  }
}
const publish = () =>
  openCheckpointPublisher(test.broker, openCheckpointRegisterFile(join(test.folder, 'reg.json'))).publishNow()

/** Changes the database behind the broker's back, as a person with every right would. */
async function tamper(statement: string): Promise<void> {
  if (ENGINE === 'postgres') {
    await queryTestDatabase(
      test.folder,
      `ALTER TABLE log_leaves DISABLE TRIGGER USER; ALTER TABLE log_nodes DISABLE TRIGGER USER; ${statement}`,
    )
    return
  }
  const db = new Database(join(test.folder, 'broker.sqlite'))
  for (const name of [
    'log_leaves_no_update',
    'log_leaves_no_delete',
    'log_nodes_no_update',
    'log_nodes_next_only',
  ])
    db.exec(`DROP TRIGGER IF EXISTS ${name}`)
  db.exec(statement)
  db.close()
}
const codes = async () => [...new Set((await examine()).faults.map((fault) => fault.code))]

const ZEROS = ENGINE === 'postgres' ? `decode(repeat('00', 32), 'hex')` : 'zeroblob(32)'
const ONE_BYTE_MORE = ENGINE === 'postgres' ? `leaf || '\\x20'::bytea` : `cast(leaf || x'20' AS blob)`

describe('examineStore', () => {
  it('finds nothing wrong, and lists what is in doubt', async () => {
    await appendLeaves(test.broker, 600)
    await publish()
    const report = await examine()
    expect(report.faults).toEqual([])
    expect(report.unsettled).toMatchObject([{ skillId: 'coffee.order', status: 'in_doubt' }])
    expect(report.checked).toEqual({ users: 1, counters: 3, actions: 2, leaves: 604 })
  })

  it('finds nothing wrong with an empty store', async () => {
    const empty = await createTestBroker()
    const view = await openView(empty, 0)
    expect((await examineStore(view)).faults).toEqual([])
    await view.close()
    await empty.close()
  })

  it.each([
    [
      'a counter that forgot a capture',
      `UPDATE counters SET captured = 0 WHERE counter_id LIKE '%|lifetime'`,
    ],
    ['a counter that forgot a hold', `UPDATE counters SET held = 0 WHERE counter_id LIKE '%|r3600000'`],
    ['a count too low', `UPDATE counters SET captured = 0 WHERE counter_id LIKE '%|count|%'`],
    [
      'an action whose amount was lowered',
      `UPDATE actions SET captured_minor = 1 WHERE status = 'succeeded'`,
    ],
    ['an action that was taken out', `DELETE FROM actions WHERE status = 'succeeded'`],
  ])('finds %s', async (_, statement) => {
    await tamper(statement)
    expect(await codes()).toContain('counter_differs')
  })

  it.each([
    [
      'a permit without a leaf',
      `UPDATE actions SET event_id = NULL WHERE status = 'in_doubt'`,
      'permit_without_leaf',
    ],
    ['a permit of a leaf that is not there', `UPDATE actions SET event_id = 'evt_x'`, 'permit_without_leaf'],
    [
      'an end without a leaf',
      `UPDATE actions SET settle_event_id = NULL WHERE status = 'succeeded'`,
      'outcome_without_leaf',
    ],
    [
      'an action that names another leaf',
      `UPDATE actions SET leaf_hash = ${ZEROS} WHERE status = 'in_doubt'`,
      'leaf_of_action_differs',
    ],
    ['an unknown status', `UPDATE actions SET status = 'fine' WHERE status = 'in_doubt'`, 'unknown_status'],
    [
      'a changed leaf',
      `UPDATE log_leaves SET leaf = ${ONE_BYTE_MORE} WHERE leaf_index = 0`,
      'leaf_hash_differs',
    ],
    [
      'a node without leaves',
      `INSERT INTO log_nodes (level, node_index, hash) VALUES (8, 0, ${ZEROS})`,
      'node_surplus',
    ],
  ])('finds %s', async (_, statement, code) => {
    await tamper(statement)
    expect(await codes()).toContain(code)
  })

  it('finds a changed node of the tree', async () => {
    await appendLeaves(test.broker, 300)
    await tamper(`UPDATE log_nodes SET hash = ${ZEROS}`)
    expect(await codes()).toEqual(['node_differs'])
  })

  it('finds a rewritten history whose hashes agree with one another', async () => {
    await publish()
    await tamper(`DELETE FROM log_leaves WHERE leaf_index = (SELECT max(leaf_index) FROM log_leaves)`)
    expect(await codes()).toEqual(expect.arrayContaining(['checkpoint_differs', 'register_differs']))
  })

  it('looks at one moment while the broker goes on writing', async () => {
    const view = await openView(test)
    const before = await view.read(async (tx) => tx.log.leaves(0, 100))
    await appendLeaves(test.broker, 10)
    expect(await view.read(async (tx) => tx.log.leaves(0, 100))).toHaveLength(before.length)
    expect((await examineStore(view)).faults).toEqual([])
    await view.close()
  })

  it('cannot write', async () => {
    const view = await openView(test, 0)
    await expect(view.read(async (tx) => tx.incidents.close('inc_x', 1))).rejects.toThrow(/readonly/)
    await view.close()
    expect(() => openSqliteView(join(test.folder, 'none.sqlite'), 0)).toThrow()
  })
})
