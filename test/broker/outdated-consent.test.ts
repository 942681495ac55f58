import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { actionAt, type Edit, sampleManifest } from '../support/sample-manifest.ts'
import { registerSkill } from '../support/test-broker.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const AT = actionAt('coffee.order', 'order_and_pay')
const update = (...edits: Edit[]) =>
  registerSkill(t.test.broker, { ...t.key.inManifest(sampleManifest('coffee.order', ...edits)), version: 2 })
const orderCoffee = () => t.perform(t.alice.ask('order_and_pay', order(100)))
const readMenu = () => t.perform(t.alice.ask('get_menu', { store_id: 'LK-1' }))

describe('a manifest that changed since the yes (P10)', () => {
  it.each<[string, Edit]>([
    ['asks for a higher price', [`${AT}/spends/most`, { CNY: 50_001 }]],
    ['names another effect', [`${AT}/effects`, ['state-change', 'spend', 'egress']]],
    ['sends to another path', [`${AT}/path`, '/orders/elsewhere']],
    ['takes away the undo', [`${AT}/undo`, undefined]],
    ['reads otherwise to a person', [`${AT}/description/en`, 'Places an order.']],
  ])('outdates the consent to the action that %s, and the rest goes on', async (_, edit) => {
    expectKind(await orderCoffee(), 'done')
    await update(edit)
    expect(refusalOf(await orderCoffee())).toBe('consent_outdated')
    expectKind(await readMenu(), 'done')
  })

  it('goes on for what is proven narrower', async () => {
    await update([`${AT}/spends/most`, { CNY: 49_999 }])
    expectKind(await orderCoffee(), 'done')
  })

  it('outdates nothing when only its version rises', async () => {
    await update()
    expectKind(await orderCoffee(), 'done')
  })

  it('goes on once the user has said yes to the difference', async () => {
    const digest = await update([`${AT}/spends/most`, { CNY: 60_000 }])
    const { grant } = t.alice
    const consented = JSON.stringify({ ...JSON.parse(grant.consented), order_and_pay: digest })
    await t.test.broker.store.transaction(async (tx) =>
      tx.grants.update({ ...grant, consented, revision: 2 }),
    )
    expectKind(await orderCoffee(), 'done')
  })

  it('outdates every action when the skill moves to another address', async () => {
    await registerSkill(t.test.broker, {
      ...t.key.inManifest(COFFEE),
      version: 2,
      endpoint: { transport: 'http', baseUrl: 'http://127.0.0.1:9102' },
    })
    expect(refusalOf(await orderCoffee())).toBe('consent_outdated')
    expect(refusalOf(await readMenu())).toBe('consent_outdated')
  })

  it('refuses an action that no yes was ever recorded for', async () => {
    const { grant } = t.alice
    await t.test.broker.store.transaction(async (tx) =>
      tx.grants.update({ ...grant, consented: '{}', revision: 2 }),
    )
    expect(refusalOf(await orderCoffee())).toBe('consent_outdated')
  })
})
