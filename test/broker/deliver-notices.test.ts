import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverDueNotices, startNoticeDelivery } from '../../src/broker/deliver-notices.ts'
import { freeze } from '../../src/broker/freeze.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { queueSkillNotice, type WantedNotice } from '../../src/broker/queue-skill-notice.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { sweepSkillDuties } from '../../src/broker/sweep-skill-duties.ts'
import { importVerificationKeys } from '../../src/core/execution/compact-jws.ts'
import { verifyNotice } from '../../src/core/notice/notice-token.ts'
import type { SkillNoticeRow } from '../../src/ports/notice-rows.ts'
import type { SkillCall, SkillReply } from '../../src/ports/skill-caller.ts'
import { type CoffeeTest, coffeeTest, OPERATOR, refusalOf } from '../support/coffee-test.ts'
import {
  acknowledgement,
  DELETING,
  deletingSkill,
  isNotice,
  jwt,
  NOTICES_AT,
  noticeOf,
} from '../support/deletion-skill.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { createSkillKey } from '../support/skill-key.ts'
import { registerSkill } from '../support/test-broker.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const half = () => 0.5

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
  t.alice = await grantAll(
    t.test.broker,
    t.key.inManifest({ ...DELETING, version: DELETING.version + 1 }),
    { retentionDays: { order_history: 90 }, expiresAtMs: t.test.clock.nowMs() + 400 * DAY_MS },
    { userId: t.alice.userId, agent: t.alice.agent },
  )
  answers((call) => said(call))
})
afterEach(() => t.test.close())

const answers = (onNotice: (call: SkillCall) => SkillReply | Promise<SkillReply>) =>
  t.test.skill.replyAlways(deletingSkill(onNotice))
const said = (call: SkillCall, changes = {}) =>
  jwt(acknowledgement(t.key.key, call, t.test.clock.nowMs(), changes))
const buy = () => t.perform(t.alice.ask('order_and_pay', order(100)))
const sent = () => t.test.skill.calls.filter(isNotice)
const duties = () => t.test.broker.store.read(async (tx) => tx.skillDuties.list(t.alice.userId, null))
const deliver = () => deliverDueNotices(t.test.broker, half)
const leaves = async () =>
  (await t.test.leaves())
    .filter(({ type }) => type === 'notice')
    .map(({ outcome, reason }) => `${outcome} ${reason}`)

async function notices(userId = t.alice.userId): Promise<SkillNoticeRow[]> {
  return t.test.broker.store.read(async (tx) => tx.skillNotices.list(userId, { limit: 50, before: null }))
}

async function notice(): Promise<SkillNoticeRow> {
  const [row] = await notices()
  if (!row) throw new Error('no notice')
  return row
}

async function queue(
  scope: WantedNotice['scope'] = { kind: 'everything' },
  reason: WantedNotice['reason'] = 'revoked',
) {
  const { userId } = t.alice
  const seal = await sealerFor(t.test.broker, { userId, skillId: '' })
  return t.test.broker.store.transaction(
    (tx) => queueSkillNotice(t.test.broker, tx, seal, { userId, scope, reason }),
    { userId },
  )
}

describe('a deletion notice', () => {
  it("is signed by the broker's notice key for this URL, and names the person as the publisher knows them", async () => {
    await buy()
    const [queued] = await queue()
    await deliver()
    const [call] = sent()
    if (!call) throw new Error('nothing was sent')
    const expected = {
      issuer: 'https://broker.example',
      audience: NOTICES_AT,
      keys: importVerificationKeys(t.test.signer.jwks().keys),
      nowMs: t.test.clock.nowMs(),
      clockSkewSeconds: 0,
    }
    const verdict = verifyNotice(call.body.toString('ascii'), expected)
    if (!verdict.ok) throw new Error(verdict.code)
    expect(verdict.notice).toMatchObject({
      noticeId: queued?.id,
      skillId: 'coffee.order',
      userId: t.test.broker.pseudonyms.pairwiseUser(t.alice.userId, DELETING.publisher),
      reason: 'revoked',
      scope: { classes: 'all' },
      dueAtMs: t.test.clock.nowMs() + DAY_MS,
    })
    expect(call.body.toString('ascii') + JSON.stringify(noticeOf(call))).not.toContain(t.alice.userId)
    for (const changes of [
      { audience: `${NOTICES_AT}/other` },
      { issuer: 'https://other.example' },
      { nowMs: expected.nowMs + 300_000 },
      { nowMs: expected.nowMs - 2_000 },
      { keys: importVerificationKeys(t.test.signer.jwks().keys.filter((k) => k.cs_purpose !== 'notice')) },
    ]) {
      expect(verifyNotice(call.body.toString('ascii'), { ...expected, ...changes }).ok).toBe(false)
    }
  })

  it('that is acknowledged ends the duty, and each step is a leaf', async () => {
    await buy()
    await queue()
    await deliver()
    expect(await notice()).toMatchObject({ status: 'deleted', suspends: false, attempts: 1, fault: null })
    expect(await duties()).toEqual([])
    expect(await leaves()).toEqual(['queued revoked', 'sent revoked', 'acknowledged deleted'])
    expect(await deliver()).toBe(0)
    expect(sent()).toHaveLength(1)
  })

  it('goes out after a revocation and a freeze, and waits only for a freeze that names clean-up calls', async () => {
    await buy()
    const { userId } = t.alice
    await revokeAuthority(t.test.broker, { userId, scope: { kind: 'everything' } }, async () => [])
    await queue()
    const skill = { kind: 'skill', target: 'coffee.order', ...OPERATOR } as const
    await freeze(t.test.broker, async () => [], { ...skill, includesCleanUp: true })
    await deliver()
    expect(sent()).toHaveLength(0)
    await t.test.broker.store.transaction(async (tx) => tx.freezes.remove('skill:coffee.order'))
    await freeze(t.test.broker, async () => [], { ...skill, includesCleanUp: false })
    t.test.clock.advance(300_000)
    await deliver()
    expect((await notice()).status).toBe('deleted')
  })

  it('is sent where the newest version takes notices, and to the version of the call where that one takes none', async () => {
    await buy()
    const moved = { ...DELETING, version: 8, deletion: { path: '/forget', withinSeconds: 60 } }
    await registerSkill(t.test.broker, t.key.inManifest(moved))
    await queue()
    await registerSkill(t.test.broker, t.key.inManifest({ ...moved, version: 9, deletion: undefined }))
    t.test.skill.replyAlways(said)
    await deliver()
    expect(t.test.skill.calls.at(-1)?.endpoint).toBe('http://127.0.0.1:9101/forget')
  })
})

describe('what was to be kept until a time', () => {
  it('is asked for when that has passed, once an hour and together', async () => {
    await buy()
    await buy()
    expect(await sweepSkillDuties(t.test.broker)).toBe(0)
    t.test.clock.advance(HOUR_MS)
    await sweepSkillDuties(t.test.broker)
    await deliver()
    expect(sent().map(noticeOf)).toMatchObject([{ rsn: 'expired', cls: ['payment_token'] }])
    t.test.clock.advance(90 * DAY_MS)
    await sweepSkillDuties(t.test.broker)
    expect(await sweepSkillDuties(t.test.broker)).toBe(0)
    await deliver()
    const last = sent().at(-1)
    expect(last && noticeOf(last)).toMatchObject({ rsn: 'expired', cls: ['order_history'] })
    expect(await duties()).toEqual([])
  })
})

describe('a skill that lies', () => {
  const wrong: [string, string, (call: SkillCall) => SkillReply][] = [
    ['says so in plain JSON', 'unsigned', () => answered({ status: 'deleted' })],
    [
      'signs with a key that is not its own',
      'unknown_key',
      (call) => jwt(acknowledgement(createSkillKey().key, call, t.test.clock.nowMs())),
    ],
    [
      'signs with a foreign key under its own key id',
      'bad_signature',
      (call) =>
        jwt(acknowledgement({ ...createSkillKey().key, kid: t.key.key.kid }, call, t.test.clock.nowMs())),
    ],
    ['speaks of another notice', 'other_notice', (call) => said(call, { ntc: 'ntc_other' })],
    ['speaks of another person', 'other_notice', (call) => said(call, { sub: 'somebody' })],
    ['speaks to another broker', 'other_notice', (call) => said(call, { aud: 'https://other.example' })],
    ['speaks for another skill', 'other_notice', (call) => said(call, { skl: 'pay.transfer' })],
    [
      'says it before it was asked',
      'other_time',
      (call) => said(call, { iat: Math.floor(t.test.clock.nowMs() / 1000) - 301 }),
    ],
    [
      'keeps something without a reason',
      'invalid_claims',
      (call) => said(call, { sts: 'kept', code: 'tax_law' }),
    ],
    ['says two things at once', 'invalid_claims', (call) => said(call, { sts: 'deleted', code: 'tax_law' })],
    ['sends the notice back', 'wrong_type', (call) => jwt(call.body.toString('ascii'))],
  ]
  it.each(wrong)('and %s has acknowledged nothing', async (_name, fault, reply) => {
    await buy()
    await queue()
    answers(reply)
    await deliver()
    expect(await notice()).toMatchObject({ status: 'open', fault, answeredAtMs: null })
    expect(await duties()).toHaveLength(2)
    expect((await leaves()).at(-1)).toBe(`not_acknowledged ${fault}`)
  })

  it('is overdue when its time is up, stands still for this user alone, and opens one incident', async () => {
    await buy()
    await queue()
    answers(() => answered({ status: 'deleted' }))
    await deliver()
    expect((await buy()).kind).toBe('done')
    t.test.clock.advance(DAY_MS)
    await deliver()
    expect(await notice()).toMatchObject({ overdueAtMs: t.test.clock.nowMs(), suspends: true })
    expect(refusalOf(await buy())).toBe('deletion_overdue')
    const bob = await grantAll(t.test.broker, t.key.inManifest({ ...DELETING, version: 4 }))
    expect((await t.perform(bob.ask('order_and_pay', order(1)))).kind).toBe('done')
    const incidents = await t.test.broker.store.read(async (tx) =>
      tx.incidents.list('open', { limit: 9, before: null }),
    )
    expect(incidents.map(({ kind, userId }) => [kind, userId])).toEqual([['notice_overdue', null]])
    answers((call) => said(call))
    t.test.clock.advance(DAY_MS)
    await deliver()
    expect((await notice()).status).toBe('deleted')
    expect((await buy()).kind).toBe('done')
  })
})

describe('a skill that', () => {
  it('stays silent is asked more and more rarely, and overdue to the second', async () => {
    await buy()
    await queue()
    answers(() => notSent('connect_failed'))
    const at: number[] = []
    const begin = t.test.clock.nowMs()
    for (let steps = 0; steps < 40 && t.test.clock.nowMs() < begin + 2 * DAY_MS; steps += 1) {
      await deliver()
      at.push(t.test.clock.nowMs() - begin)
      t.test.clock.advance((await notice()).nextAtMs - t.test.clock.nowMs())
    }
    expect(at.slice(0, 4)).toEqual([0, 22_500, 67_500, 157_500])
    expect(at).toContain(DAY_MS)
    expect((await notice()).overdueAtMs).toBe(begin + DAY_MS)
    expect(at.length).toBeLessThan(18)
    expect(refusalOf(await buy())).toBe('deletion_overdue')
  })

  it('refuses stands still at once, is asked again after a day, and goes on when it has done it', async () => {
    await buy()
    await queue()
    answers((call) => said(call, { sts: 'refused', code: 'not_us' }))
    await deliver()
    expect(await notice()).toMatchObject({ status: 'refused', answerCode: 'not_us', suspends: true })
    expect(refusalOf(await buy())).toBe('deletion_overdue')
    expect(await deliver()).toBe(0)
    answers((call) => said(call))
    t.test.clock.advance(DAY_MS)
    await deliver()
    expect((await notice()).status).toBe('deleted')
    expect((await buy()).kind).toBe('done')
  })

  it('keeps something for a law says so, is not asked again, and does not stand still; an erasure asks it anew', async () => {
    await buy()
    await queue()
    answers((call) => said(call, { sts: 'kept', code: 'tax_law', why: 'Invoices are kept for ten years.' }))
    await deliver()
    expect(await notice()).toMatchObject({ status: 'kept', answerCode: 'tax_law', suspends: false })
    expect((await buy()).kind).toBe('done')
    expect(await queue()).toMatchObject([{ status: 'open' }])
    await deliver()
    expect(await queue()).toEqual([])
    expect(await queue({ kind: 'everything' }, 'erased')).toHaveLength(1)
  })

  it('answers 500 and recovers is told the same notice again', async () => {
    await buy()
    const [queued] = await queue()
    answers(() => answered({}, 500))
    await deliver()
    answers(() => broken('timed_out'))
    t.test.clock.advance(HOUR_MS)
    await deliver()
    answers(() => answered({}, 202))
    t.test.clock.advance(HOUR_MS)
    await deliver()
    answers((call) => said(call))
    t.test.clock.advance(HOUR_MS)
    await deliver()
    expect(sent().map((call) => noticeOf(call).ntc)).toEqual(Array(4).fill(queued?.id))
    expect(new Set(sent().map((call) => noticeOf(call).jti)).size).toBe(4)
    expect((await notice()).status).toBe('deleted')
  })

  it('never answers is given up after 90 days, and still stands still', async () => {
    await buy()
    await queue()
    answers(() => notSent())
    t.test.clock.advance(90 * DAY_MS)
    await deliver()
    expect((await notice()).status).toBe('given_up')
    expect(await deliver()).toBe(0)
    expect(refusalOf(await buy())).toBe('deletion_overdue')
  })

  it('goes on where the platform says that nothing stands still', async () => {
    t.test.broker.settings.suspendsOverdueDeletions = false
    await buy()
    await queue()
    answers((call) => said(call, { sts: 'refused', code: 'no' }))
    await deliver()
    expect((await buy()).kind).toBe('done')
  })
})

it('what an execution still writes that is not over is asked for again', async () => {
  answers((call) => said(call))
  t.test.skill.replyNext(broken('timed_out'))
  expect((await buy()).kind).toBe('in_doubt')
  await queue()
  await deliver()
  expect((await notice()).status).toBe('deleted')
  expect((await duties()).map(({ noticeId }) => noticeId)).toEqual([null, null])
  await sweepSkillDuties(t.test.broker)
  await deliver()
  expect(sent()).toHaveLength(2)
})

describe('a crash', () => {
  it('before the call, and one before what came of it is kept, loses nothing and doubles nothing', async () => {
    await buy()
    const [queued] = await queue()
    // The process ends between its leaf and the call, and then between the call and keeping what came of it.
    for (const crash of ['before', 'after']) {
      const crashing = {
        ...t.test.broker,
        skills: {
          ...t.test.skill,
          async call(request: SkillCall): Promise<SkillReply> {
            if (crash === 'after') await t.test.skill.call(request)
            throw new Error('the process ends')
          },
        },
      }
      await expect(deliverDueNotices(crashing, half)).rejects.toThrow('the process ends')
      expect(await deliver()).toBe(0)
      t.test.clock.advance(60_000)
    }
    await deliver()
    expect(sent().map((call) => noticeOf(call).ntc)).toEqual([queued?.id, queued?.id])
    expect((await notice()).status).toBe('deleted')
    expect((await leaves()).filter((leaf) => leaf.startsWith('acknowledged'))).toHaveLength(1)
  })

  it('of the transaction that queues keeps neither the notice nor the leaf', async () => {
    await buy()
    const before = (await t.test.leaves()).length
    const { userId } = t.alice
    const seal = await sealerFor(t.test.broker, { userId, skillId: '' })
    const ends = t.test.broker.store.transaction(async (tx) => {
      await queueSkillNotice(t.test.broker, tx, seal, {
        userId,
        scope: { kind: 'everything' },
        reason: 'revoked',
      })
      throw new Error('ends here')
    })
    await expect(ends).rejects.toThrow('ends here')
    expect(await notices()).toEqual([])
    expect((await t.test.leaves()).length).toBe(before)
    expect((await duties()).every(({ noticeId }) => noticeId === null)).toBe(true)
  })

  it('leaves everything to be found by the next process', async () => {
    await buy()
    await queue()
    t.test = await t.test.reopen()
    t.test.skill.replyAlways(deletingSkill((call) => said(call)))
    const running = startNoticeDelivery(t.test.broker, half)
    await expect.poll(async () => (await notice()).status).toBe('deleted')
    await running.stop()
  })

  it('is not two deliveries at once where two processes look at the same time', async () => {
    await buy()
    await queue()
    await Promise.all([deliver(), deliver(), deliver()])
    expect(sent()).toHaveLength(1)
  })
})
