import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverDueNotices } from '../../src/broker/deliver-notices.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { orphanNotices } from '../../src/broker/orphan-notices.ts'
import { queueSkillNotice } from '../../src/broker/queue-skill-notice.ts'
import type { SkillNoticeRow } from '../../src/ports/notice-rows.ts'
import { type CoffeeTest, coffeeTest } from '../support/coffee-test.ts'
import {
  acknowledgement,
  DELETING,
  deletingSkill,
  isNotice,
  jwt,
  noticeOf,
} from '../support/deletion-skill.ts'
import { notSent } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'

const DAY_MS = 86_400_000
let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
  t.alice = await grantAll(t.test.broker, t.key.inManifest({ ...DELETING, version: 2 }))
  t.test.skill.replyAlways(
    deletingSkill((call) => jwt(acknowledgement(t.key.key, call, t.test.clock.nowMs()))),
  )
  await t.perform(t.alice.ask('order_and_pay', order(100)))
})
afterEach(() => t.test.close())

const deliver = () => deliverDueNotices(t.test.broker, () => 0.5)
const sent = () => t.test.skill.calls.filter(isNotice).map(noticeOf)

/** What the last step of an erasure but one does. */
async function erase(): Promise<void> {
  const { userId } = t.alice
  const seal = await sealerFor(t.test.broker, { userId: '', skillId: '' })
  await t.test.broker.store.transaction(
    async (tx) => {
      await orphanNotices(t.test.broker, tx, seal, userId)
      await tx.personalRows.removeAuthority(userId)
    },
    { userId },
  )
}

async function orphans(): Promise<SkillNoticeRow[]> {
  return t.test.broker.store.read(async (tx) => tx.skillNotices.list('', { limit: 50, before: null }))
}

describe('notices of a person who was erased', () => {
  it('name the skill and the pairwise id, nothing that leads to the person, and go when acknowledged', async () => {
    const { userId, agent, grant } = t.alice
    const pairwise = t.test.broker.pseudonyms.pairwiseUser(userId, DELETING.publisher)
    await erase()
    const [orphan, ...others] = await orphans()
    expect(others).toEqual([])
    expect(orphan).toMatchObject({ skillId: 'coffee.order', pairwiseId: pairwise, reason: 'erased' })
    expect(JSON.stringify(orphan)).not.toMatch(new RegExp(`${userId}|${agent.id}|${grant.id}|act_|evt_`))
    expect(await t.test.broker.store.read(async (tx) => tx.skillDuties.list(userId, null))).toEqual([])
    await deliver()
    expect(sent()).toMatchObject([{ sub: pairwise, rsn: 'erased', cls: 'all' }])
    expect(await orphans()).toEqual([])
    expect((await t.test.lastLeaf('notice')).parts).toEqual(['core', 'body'])
  })

  it('are one a skill, whatever was asked for before, under the id it was asked under', async () => {
    const { userId, agent } = t.alice
    await t.perform(
      (await grantAll(t.test.broker, t.key.inManifest({ ...DELETING, version: 3 }), {}, { userId })).ask(
        'order_and_pay',
        order(1),
      ),
    )
    const seal = await sealerFor(t.test.broker, { userId, skillId: '' })
    const scope = { kind: 'agent', id: agent.id } as const
    await t.test.broker.store.transaction((tx) =>
      queueSkillNotice(t.test.broker, tx, seal, { userId, scope, reason: 'revoked' }),
    )
    await erase()
    await deliver()
    expect(sent()).toMatchObject([{ rsn: 'erased', cls: 'all' }])
  })

  it('are given up and gone after 90 days', async () => {
    t.test.skill.replyAlways(notSent())
    await erase()
    await deliver()
    expect(await orphans()).toHaveLength(1)
    t.test.clock.advance(90 * DAY_MS)
    await deliver()
    expect(await orphans()).toEqual([])
    expect((await t.test.lastLeaf('notice')).outcome).toBe('given_up')
  })

  it('are sent again under the same id where the erasure came between sending and hearing the answer', async () => {
    const { userId } = t.alice
    const seal = await sealerFor(t.test.broker, { userId, skillId: '' })
    await t.test.broker.store.transaction((tx) =>
      queueSkillNotice(t.test.broker, tx, seal, { userId, scope: { kind: 'everything' }, reason: 'revoked' }),
    )
    t.test.skill.replyNext(async (call) => {
      await erase()
      return jwt(acknowledgement(t.key.key, call, t.test.clock.nowMs()))
    })
    await deliver()
    expect(await orphans()).toHaveLength(1)
    await deliver()
    const ids = sent().map(({ ntc }) => ntc)
    expect([ids.length, new Set(ids).size]).toEqual([2, 1])
    expect(await orphans()).toEqual([])
  })
})
