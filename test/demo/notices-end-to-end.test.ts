import { afterEach, beforeEach, expect, it } from 'vitest'
import { deliverDueNotices } from '../../src/broker/deliver-notices.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { type RunningSkill, startSkill } from '../../src/demo/skills/start-skill.ts'
import type { SkillNoticeRow } from '../../src/ports/notice-rows.ts'
import type { SkillCaller } from '../../src/ports/skill-caller.ts'
import { openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const DAY_MS = 86_400_000
const NEAR = { lat_e3: 30_259, lng_e3: 120_131 }
let test: TestBroker
let skill: RunningSkill
let caller: SkillCaller
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  skill = await startSkill({
    name: 'coffee.order',
    broker: { issuer: test.broker.settings.issuer, keys: test.signer.jwks() },
    now: () => test.clock.nowMs(),
  })
  caller = openHttpSkillCaller({ devOrigins: [skill.baseUrl] })
  test.broker.skills = caller
  const until = { expiresAtMs: test.clock.nowMs() + 30 * DAY_MS }
  alice = await grantAll(test.broker, skill.manifest, { retentionDays: { location: 0 }, ...until })
})
afterEach(async () => {
  await caller.close()
  await skill.stop()
  await test.close()
})

const search = () => performAction(test.broker, alice.ask('search_stores', NEAR))
const deliver = () => deliverDueNotices(test.broker, () => 0.5)
const revoke = () => {
  const { userId } = alice
  return revokeAuthority(test.broker, { userId, scope: { kind: 'everything' } }, async () => [])
}

async function notice(): Promise<SkillNoticeRow | undefined> {
  const { userId } = alice
  const [row] = await test.broker.store.read(async (tx) =>
    tx.skillNotices.list(userId, { limit: 1, before: null }),
  )
  return row
}

it('a sample skill that was called over HTTP is told over HTTP, and what it signs ends the matter', async () => {
  expect((await search()).kind).toBe('done')
  await revoke()
  await deliver()
  expect(await notice()).toMatchObject({ status: 'deleted', reason: 'revoked', attempts: 1, fault: null })
})

it.each([
  ['answers without a signature', 'unsigned', 'unsigned'],
  ['fails', 'fail', 'status_500'],
  ['puts it off', 'later', 'accepted'],
] as const)(
  'one that %s is overdue, and is well again when it does as it is told',
  async (_name, switched, fault) => {
    await search()
    skill.set({ notices: switched })
    await revoke()
    await deliver()
    expect(await notice()).toMatchObject({ status: 'open', fault, overdueAtMs: null })
    test.clock.advance(DAY_MS)
    await deliver()
    expect(await notice()).toMatchObject({ status: 'open', suspends: true })
    skill.set({})
    test.clock.advance(DAY_MS)
    await deliver()
    expect(await notice()).toMatchObject({ status: 'deleted', suspends: false })
  },
)

it('one that is gone stays to be asked, and why is kept', async () => {
  await search()
  await skill.stop()
  await revoke()
  await deliver()
  expect(await notice()).toMatchObject({ status: 'open', fault: 'connect_failed' })
})
