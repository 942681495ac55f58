import { afterEach, beforeEach, expect, it } from 'vitest'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { currentEpoch } from '../../src/broker/current-epoch.ts'
import { runCommand } from '../support/broker-process.ts'
import { type CoffeeTest, coffeeTest } from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { queryTestDatabase, testDatabaseUrl } from '../support/test-engine.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest({}, { sequences: false })
})
afterEach(() => t.test.close())

async function doctor() {
  const data = tempFolder()
  return runCommand(['doctor', '--data', data, '--json'], {
    COUNTERSIGN_DATABASE_URL: (await testDatabaseUrl(t.test.folder)) ?? '',
    COUNTERSIGN_CHECKPOINT_REGISTER: `file://${data}/register.json`,
  })
}

it('examines the database that is configured, and takes a leaf in line for a leaf', async () => {
  expect(await currentEpoch(t.test.broker)).toBe(1)
  const permitted = await authorizeAction(t.test.broker, t.alice.ask('order_and_pay', order(100)))
  expect(permitted.kind).toBe('permit')
  const healthy = await doctor()
  expect(healthy.code, healthy.out).toBe(0)
  expect(JSON.parse(healthy.out)).toMatchObject({ faults: [], checked: { actions: 1, leaves: 0 } })

  await queryTestDatabase(t.test.folder, 'delete from log_queue')
  const robbed = await doctor()
  expect(robbed.code).toBe(1)
  expect(JSON.parse(robbed.out).faults).toMatchObject([{ code: 'permit_without_leaf' }])
})
