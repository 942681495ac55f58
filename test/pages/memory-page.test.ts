import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { placeLegalHold } from '../../src/broker/legal-hold.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { HISTORY, latte, type MemoryWorld, worldOf } from '../support/memory-world.ts'
import { pageFaults } from '../support/page-faults.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { insertAgent } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

const EVIL = '"><img src=x onerror=alert(1)>\'\u201c\u201d</script>'

let test: TestPages
let alice: Granted
let world: MemoryWorld
let as: string
beforeEach(async () => {
  test = await createTestPages()
  const userId = test.broker.newId('user')
  const agent = await insertAgent(test.broker, {
    userId,
    name: `Helper ${EVIL}`,
    deployments: JSON.stringify([{ id: 'dep_test', deployment: {} }]),
  })
  alice = await grantAll(test.broker, sampleManifest('coffee.order'), HISTORY, { userId, agent })
  world = worldOf(test, alice)
  as = test.signIn({ id: userId })
})
afterEach(() => test.close())

const visit = (path = '/me/memory', init: Parameters<TestPages['visit']>[1] = {}) =>
  test.visit(path, { as, ...init })

describe('the page of what agents remember', () => {
  it('says so when nothing is remembered, in both languages', async () => {
    expect((await visit()).text).toContain('Nothing is remembered')
    expect((await visit('/me/memory', { cookies: { lang: 'zh' } })).text).toContain('没有任何记忆')
    expect((await visit('/me')).text).toContain('href="/me/memory"')
  })

  it('says what, by whom, for what, until when and why then', async () => {
    await world.kept()
    const { text } = await visit()
    for (const said of [
      'Oat latte, no sugar, 燕麦拿铁',
      'usual order',
      'to order the same again',
      'Your past orders',
    ])
      expect(text).toContain(said)
    expect(text).toContain('because you allowed no longer')
    expect(text).toContain('Kept by Helper')
    const chinese = (await visit('/me/memory', { cookies: { lang: 'zh' } })).text
    expect(chinese).toContain('您不允许保留更久')
    expect(chinese).toContain('您的历史订单')
  })

  it('lets no hostile word out of its place', async () => {
    await world.kept(latte({ key: EVIL, purpose: EVIL, content: `${EVIL}\n${EVIL}` }))
    for (const lang of ['en', 'zh']) {
      const { text } = await visit('/me/memory', { cookies: { lang } })
      expect(pageFaults(text)).toEqual([])
      expect(text).not.toContain('<img src=x')
    }
  })

  it('forgets one item, or all of it, by a posted form only', async () => {
    const { itemId } = await world.kept()
    await world.kept(latte({ key: 'b' }))
    await visit(`/me/memory?item=${itemId}&all=yes`)
    expect(await world.recall()).toHaveLength(2)
    expect((await visit('/me/memory', { form: { item: itemId }, csrf: 'forged' })).status).toBe(403)
    expect(await world.recall()).toHaveLength(2)
    expect((await visit('/me/memory', { form: { item: itemId } })).location).toBe('/me/memory?done=forgotten')
    expect((await visit('/me/memory', { form: { item: itemId } })).location).toBe('/me/memory?done=gone')
    expect(await world.recall()).toHaveLength(1)
    expect((await visit('/me/memory', { form: { all: 'yes' } })).location).toBe('/me/memory?done=forgotten')
    expect(await world.recall()).toEqual([])
  })

  it('is everybody’s own', async () => {
    const { itemId } = await world.kept()
    const bob = test.signIn({ id: test.broker.newId('user') })
    expect((await test.visit('/me/memory', { as: bob })).text).toContain('Nothing is remembered')
    const tried = await test.visit('/me/memory', { as: bob, form: { item: itemId } })
    expect(tried.location).toBe('/me/memory?done=gone')
    await test.visit('/me/memory', { as: bob, form: { all: 'yes' } })
    expect(await world.recall()).toHaveLength(1)
    expect((await test.visit('/me/memory')).location).toMatch(/^\/sign-in/)
  })

  it('says that a legal hold keeps what nobody can read', async () => {
    await world.kept()
    await placeLegalHold(test.broker, {
      userId: alice.userId,
      operatorId: 'lin.wei',
      reason: 'a dispute, open',
    })
    expect((await visit('/me/memory', { form: { all: 'yes' } })).location).toBe('/me/memory?done=held')
    expect((await visit('/me/memory?done=held')).text).toContain('A legal hold keeps it sealed')
    expect(await world.recall()).toEqual([])
  })

  it('shows the older ones on further pages', async () => {
    for (let i = 0; i < 23; i += 1) await world.kept(latte({ key: `item ${i}` }))
    const first = (await visit()).text
    expect(first).toContain('item 22')
    expect(first).not.toContain('item 2<')
    const older = /href="(\/me\/memory\?cursor=[^"]+)"/.exec(first)?.[1] ?? ''
    expect((await visit(older)).text).toContain('item 2<')
  })
})
