import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import {
  type QueuedNotice,
  queueSkillNotice,
  type WantedNotice,
} from '../../src/broker/queue-skill-notice.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { NoticeScope } from '../../src/core/notice/notice-scope.ts'
import type { SkillDutyRow, SkillNoticeRow } from '../../src/ports/notice-rows.ts'
import { COFFEE, type CoffeeTest, coffeeSkill, coffeeTest, expectKind } from '../support/coffee-test.ts'
import { DELETING } from '../support/deletion-skill.ts'
import { notSent } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { claimsOf } from '../support/skill-key.ts'
import { NOW_MS } from '../support/test-broker.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const { deletion: _, ...SILENT }: Manifest = COFFEE
const FIND = { lat_e3: 31_230, lng_e3: 121_470 }

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest({ retentionDays: { order_history: 90, payment_token: 0, location: 0 } })
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const duties = (): Promise<SkillDutyRow[]> =>
  t.test.broker.store.read(async (tx) => tx.skillDuties.list(t.alice.userId, null))
const notices = (): Promise<SkillNoticeRow[]> =>
  t.test.broker.store.read(async (tx) => tx.skillNotices.list(t.alice.userId, { limit: 100, before: null }))
const scopeOf = (row: SkillNoticeRow | undefined): NoticeScope => JSON.parse(row?.scope ?? '{}')

async function queue(scope: WantedNotice['scope'], reason: WantedNotice['reason'] = 'revoked') {
  const { userId } = t.alice
  const seal = await sealerFor(t.test.broker, { userId, skillId: '' })
  return t.test.broker.store.transaction<QueuedNotice[]>(
    (tx) => queueSkillNotice(t.test.broker, tx, seal, { userId, scope, reason }),
    { userId },
  )
}

describe('what a skill may remember', () => {
  it('is noted with the permit, class by class, with the very deadlines the skill is told', async () => {
    const done = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
    const noted = await duties()
    expect(noted.map(({ memoryClass, untilMs }) => [memoryClass, untilMs])).toEqual([
      ['order_history', NOW_MS + 90 * DAY_MS],
      ['payment_token', NOW_MS],
    ])
    expect(noted.map(({ actionId, agentId, grantId }) => [actionId, agentId, grantId])).toEqual(
      Array(2).fill([done.view.row.id, t.alice.agent.id, t.alice.grant.id]),
    )
    const [call] = t.test.skill.calls
    const claims = call && claimsOf(call)
    expect(claims?.sub).toBe(noted[0]?.pairwiseId)
    expect(claims?.ret).toEqual(
      Object.fromEntries(noted.map(({ memoryClass, untilMs }) => [memoryClass, untilMs / 1000])),
    )
  })

  it('is nothing where nothing was sent, or nothing is remembered', async () => {
    t.test.skill.replyAlways(notSent())
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    t.test.skill.replyAlways(coffeeSkill)
    await t.perform(t.alice.ask('get_menu', { store_id: 'LK-0571-022' }))
    expect(await duties()).toEqual([])
  })

  it('of a session ends when a session must have ended', async () => {
    await t.perform(t.alice.ask('search_stores', FIND))
    const kept = await duties()
    expect(kept.map(({ memoryClass, untilMs }) => [memoryClass, untilMs])).toEqual([
      ['location', NOW_MS + 12 * HOUR_MS],
    ])
  })
})

describe('a notice that is queued', () => {
  beforeEach(async () => {
    t.alice = await grantAll(
      t.test.broker,
      t.key.inManifest({ ...DELETING, version: DELETING.version + 1 }),
      { retentionDays: { order_history: 90 } },
      { userId: t.alice.userId, agent: t.alice.agent },
    )
  })

  it('asks for all that a skill may have kept, once', async () => {
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    const [queued, ...others] = await queue({ kind: 'everything' })
    expect(others).toEqual([])
    expect(queued).toMatchObject({ skillId: 'coffee.order', status: 'open', dueAtMs: NOW_MS + DAY_MS })
    const [row] = await notices()
    expect(scopeOf(row)).toEqual({ classes: 'all' })
    expect(row).toMatchObject({ id: queued?.id, reason: 'revoked', grantId: t.alice.grant.id, attempts: 0 })
    expect(await queue({ kind: 'everything' })).toEqual([])
    expect((await t.test.lastLeaf('notice')).outcome).toBe('queued')
  })

  it('names the executions where others stay', async () => {
    const mine = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
    const other = await grantAll(
      t.test.broker,
      t.key.inManifest({ ...DELETING, version: 9 }),
      {},
      {
        userId: t.alice.userId,
      },
    )
    await t.perform(other.ask('order_and_pay', order(100)))
    const [queued] = await queue({ kind: 'agent', id: t.alice.agent.id })
    const [row] = await notices()
    expect(row?.id).toBe(queued?.id)
    expect(scopeOf(row)).toEqual({
      classes: ['order_history', 'payment_token'],
      executions: [mine.view.row.id],
    })
    expect((await duties()).filter(({ noticeId }) => noticeId === null)).toHaveLength(2)
  })

  it('is several where there are more executions than one can name', async () => {
    const other = await grantAll(
      t.test.broker,
      t.key.inManifest({ ...DELETING, version: 9 }),
      {},
      {
        userId: t.alice.userId,
      },
    )
    await t.perform(other.ask('order_and_pay', order(1)))
    for (let i = 0; i < 201; i += 1) await t.perform(t.alice.ask('order_and_pay', order(1)))
    expect(await queue({ kind: 'agent', id: t.alice.agent.id })).toHaveLength(2)
    const named = (await notices()).flatMap((row) => scopeOf(row).executions ?? [])
    expect(new Set(named).size).toBe(201)
  })

  it('names nobody in its leaf where it is for an erasure', async () => {
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    await queue({ kind: 'skill', id: 'coffee.order' }, 'erased')
    expect((await t.test.lastLeaf('notice')).parts).toEqual(['core'])
  })

  it("is nothing for another user's grant, and for a skill that kept nothing", async () => {
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    expect(await queue({ kind: 'grant', id: 'grt_of_bob' })).toEqual([])
    expect(await queue({ kind: 'skill', id: 'web.browse' })).toEqual([])
  })
})

it('a skill that names no place is told nothing, and that is said', async () => {
  t.alice = await grantAll(t.test.broker, { ...SILENT, version: 3 })
  await t.perform(t.alice.ask('order_and_pay', order(100)))
  expect(await queue({ kind: 'everything' })).toMatchObject([{ status: 'no_address' }])
})
