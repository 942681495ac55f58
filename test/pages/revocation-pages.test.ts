import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliverDueEvents } from '../../src/broker/deliver-events.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { runUndoJobs } from '../../src/broker/undo-job.ts'
import { coffeeSkill } from '../support/coffee-test.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'
import { pageFaults } from '../support/page-faults.ts'
import { createPagesWorld, type PagesWorld } from '../support/pages-world.ts'
import { NOW_MS } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

let test: TestPages
let world: PagesWorld
let as: string
let operator: string
let orders = 0

beforeAll(async () => {
  test = await createTestPages()
  world = await createPagesWorld(test)
  as = test.signIn({ id: world.userId, sessionId: 'ses_1' })
  operator = test.signIn({
    kind: 'operator',
    id: 'lin.wei',
    sessionId: 'ses_2',
    steppedUpAtMs: NOW_MS + 60_000,
  })
})
afterAll(() => test.close())

async function ordered(totalMinor = 100): Promise<string> {
  orders += 1
  const done = await performAction(test.broker, {
    userId: world.userId,
    agentId: world.agent.id,
    sessionId: 'ses_test',
    skill: 'coffee.order',
    action: 'order_and_pay',
    arguments: order(totalMinor, `Q-${orders + 10}`),
    deploymentId: JSON.parse(world.agent.deployments)[0].id,
    idempotencyKey: `revocation-page-${orders}`,
  })
  if (done.kind !== 'done') throw new Error(done.kind)
  return done.view.row.id
}

describe('undoing from the activity list', () => {
  it('shows exactly what will be asked, asks nothing by that, and says what came of it', async () => {
    const id = await ordered(500)
    const list = await test.visit('/me/activity', { as })
    expect(list.text).toContain(`href="/me/activity/${id}/undo"`)
    const calls = test.skill.calls.length
    const page = await test.visit(`/me/activity/${id}/undo`, { as })
    expect(pageFaults(page.text)).toEqual([])
    expect(page.text).toContain('CN¥5.00')
    expect(page.text).toContain(id)
    expect(test.skill.calls).toHaveLength(calls)

    test.skill.replyNext(answered({ state: 'cancelled' }))
    const done = await test.visit(`/me/activity/${id}/undo`, { as, form: {} })
    expect(done.text).toContain('The skill says that it was undone')
    expect((await test.visit('/me/activity', { as })).text).not.toContain(`href="/me/activity/${id}/undo"`)
    const again = await test.visit(`/me/activity/${id}/undo`, { as, form: {} })
    expect(again.text).toContain('It was undone before')
    expect((await test.visit(`/me/activity/${id}/undo`, { as })).location).toBe(`/me/activity/${id}`)
  })

  it('says so in Chinese as well, and tells a stranger nothing', async () => {
    const id = await ordered()
    const page = await test.visit(`/me/activity/${id}/undo`, { as, cookies: { lang: 'zh' } })
    expect(page.text).toContain('要求技能方撤销')
    expect(pageFaults(page.text)).toEqual([])
    const mallory = test.signIn({ id: 'usr_mallory', sessionId: 'ses_3' })
    expect((await test.visit(`/me/activity/${id}/undo`, { as: mallory, form: {} })).status).toBe(404)
    const { text } = await test.visit(`/me/activity/${id}/undo`, { as: mallory })
    expect(text).not.toContain('500')
  })
})

describe('undoing from an incident', () => {
  it('takes a reason, shows how far it got, and can be cancelled', async () => {
    await ordered()
    const seal = await sealerFor(test.broker, { userId: '', skillId: 'coffee.order' })
    const id = await test.broker.store.transaction((tx) =>
      openIncident(test.broker, tx, seal, {
        kind: 'reported',
        userId: null,
        skillId: 'coffee.order',
        actionId: null,
        detail: '<script>alert(1)</script>',
        stopsSpending: false,
      }),
    )
    const path = `/operator/incidents/${id}`
    expect((await test.visit('/operator', { as: operator })).text).toContain(`href="${path}"`)
    const before = await test.visit(path, { as: operator })
    expect(pageFaults(before.text)).toEqual([])
    expect(before.text).not.toContain('<script>alert')
    expect((await test.visit(path, { as })).status).toBe(404)

    const form = { here: path, id, do: 'undo', hours: '24', action: '' }
    const refused = await test.visit('/operator/write', { as: operator, form: { ...form, reason: 'no' } })
    expect(refused.location).toContain('said=refusedReason')
    const begun = await test.visit('/operator/write', {
      as: operator,
      form: { ...form, reason: 'nobody wanted these' },
    })
    expect(begun.location).toBe(`${path}?said=done`)
    const running = await test.visit(path, { as: operator })
    expect(running.text).toContain('Still to come')
    expect(pageFaults(running.text)).toEqual([])
    test.skill.replyAlways(answered({ state: 'cancelled' }))
    await runUndoJobs(test.broker)
    await runUndoJobs(test.broker)
    const done = await test.visit(path, { as: operator, cookies: { lang: 'zh' } })
    expect(done.text).toContain('已完成')
    expect(done.text).toMatch(/已撤销: \d/)
    test.skill.replyAlways(coffeeSkill)
  })
})

describe('the page of a revocation', () => {
  it('says whom it reached and what became of what ran, as that turns out', async () => {
    test.skill.replyNext(broken('timed_out'))
    await ordered(700).catch(() => undefined)
    const done = await test.visit('/me/revoke', { as, form: { everything: 'yes' } })
    const path = /href="(\/me\/revocations\/rvk_\w+)"/.exec(done.text)?.[1] ?? ''
    const page = await test.visit(path, { as })
    expect(pageFaults(page.text)).toEqual([])
    expect(page.text).toContain('learns at its next call')
    expect(page.text).toContain('unknown, and followed up')
    expect(page.text).toContain('CN¥7.00')
    expect(page.text).toContain('over')
    expect((await test.visit(path, { as, cookies: { lang: 'zh' } })).text).toContain('结果不明')

    expect((await test.visit(`${path}/receipt`, { as })).text).toContain('in a few seconds')
    await test.publisher.publishNow()
    const receipt = JSON.parse((await test.visit(`${path}/receipt`, { as })).text)
    expect(receipt).toMatchObject({ receipt: expect.any(String), checkpoint: expect.any(String) })
    expect(await deliverDueEvents(test.broker)).toBe(0)
  })

  it('is listed, linked from the activity list, and nobody else’s', async () => {
    expect((await test.visit('/me/activity', { as })).text).toContain('href="/me/revocations"')
    const list = await test.visit('/me/revocations', { as })
    expect(pageFaults(list.text)).toEqual([])
    const path = /href="(\/me\/revocations\/rvk_\w+)"/.exec(list.text)?.[1] ?? ''
    const mallory = test.signIn({ id: 'usr_mallory', sessionId: 'ses_4' })
    expect((await test.visit(path, { as: mallory })).status).toBe(404)
    expect((await test.visit(`${path}/receipt`, { as: mallory })).status).toBe(404)
    expect((await test.visit('/me/revocations', { as: mallory })).text).toContain('taken nothing back')
  })
})
