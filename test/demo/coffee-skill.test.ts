import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/core/json-value.ts'
import { clock, codeOf, openSkill } from './open-skill.ts'
import type { SkillClient } from './skill-client.ts'

/** Prices two lattes and returns the arguments of an order for them. */
async function quoteOf(client: SkillClient): Promise<JsonObject> {
  const quote = await client.result({
    action: 'quote',
    args: { store_id: 'HZ-01', items: [{ sku: 'latte', quantity: 2 }], currency: 'CNY' },
  })
  expect(quote).toMatchObject({ total_amount: 3_380, currency: 'CNY' })
  const quoteId = String(quote.quote_id)
  return { quote_id: quoteId, store_id: 'HZ-01', currency: 'CNY', pickup: 'store', total_amount: 3_380 }
}
const paid = (order: JsonObject): JsonObject => ({ ...order, payment_token: 'tok_1' })

describe('the coffee skill', () => {
  it('finds stores, shows its menu and shows a quote again', async () => {
    const { client } = await openSkill('coffee.order')
    const near = { lat_e3: 30_259, lng_e3: 120_131, radius_m: 5_000 }
    const { stores } = await client.result({ action: 'search_stores', args: near })
    expect(stores).toMatchObject([
      { store_id: 'HZ-01', distance_m: 0 },
      { store_id: 'HZ-03', is_open: false },
    ])
    const menu = await client.result({ action: 'get_menu', args: { store_id: 'HZ-01' } })
    expect(menu.items).toContainEqual(expect.objectContaining({ sku: 'latte', unit_price: 1_690 }))
    const order = await quoteOf(client)
    const shown = await client.result({
      action: 'get_quote',
      args: { quote_id: order.quote_id ?? '' },
      kind: 'preview',
    })
    expect(shown).toMatchObject({ items: [{ sku: 'latte', quantity: 2 }], total_amount: 3_380 })
  })

  it('charges an order once and signs what it took', async () => {
    const { client } = await openSkill('coffee.order')
    const args = paid(await quoteOf(client))
    const call = await client.prepare({ action: 'order_and_pay', args, key: 'k', executionId: 'exe_1' })
    const result = await client.result({ action: 'order_and_pay', args, key: 'k', executionId: 'exe_1' })
    expect(result).toMatchObject({ charged_amount: 3_380, currency: 'CNY' })
    const about = { executionId: 'exe_1', body: call.body, action: 'order_and_pay' }
    expect(client.verifyReceipt(result.receipt, about)).toMatchObject({ ok: true, receipt: { amt: 3_380 } })
    const second = await client.call({ action: 'order_and_pay', args })
    expect(await codeOf(second)).toEqual([409, 'quote_used'])
  })

  it('places an unpaid order and names whom to pay what', async () => {
    const { client } = await openSkill('coffee.order')
    const result = await client.result({ action: 'place_order', args: await quoteOf(client) })
    expect(result).toMatchObject({ payee_id: 'coffee-chain', amount_due: 3_380, currency: 'CNY' })
  })

  it.each([
    ['another price', { total_amount: 3_381 }, 0, 'price_changed'],
    ['another store', { store_id: 'HZ-02' }, 0, 'quote_unknown'],
    ['a quote that is too old', {}, 10 * 60_000, 'quote_expired'],
    ['a quote that never was', { quote_id: 'q_none' }, 0, 'quote_unknown'],
  ] as const)('refuses %s', async (_name, change, afterMs, code) => {
    const { client } = await openSkill('coffee.order')
    const args = paid({ ...(await quoteOf(client)), ...change })
    clock.nowMs += afterMs
    expect(await codeOf(await client.call({ action: 'order_and_pay', args }))).toEqual([409, code])
  })

  it("does not order from another user's quote", async () => {
    const { client } = await openSkill('coffee.order')
    const args = paid(await quoteOf(client))
    const answer = await client.call({ action: 'order_and_pay', args, userId: 'usr_other' })
    expect(await codeOf(answer)).toEqual([409, 'quote_unknown'])
  })

  it('answers for an order by its execution id, with a receipt of what was taken in the end', async () => {
    const { client } = await openSkill('coffee.order')
    const args = paid(await quoteOf(client))
    const call = await client.prepare({ action: 'order_and_pay', args, key: 'k', executionId: 'exe_1' })
    await client.send(call)
    const ask = { action: 'get_order', args: { execution_id: 'exe_1' }, kind: 'status', key: 'k' } as const
    const about = { executionId: 'exe_1', body: call.body, action: 'order_and_pay' }
    const taken = async () => {
      const status = await client.result(ask)
      const verdict = client.verifyReceipt(status.receipt, about)
      return [status.state, verdict.ok && verdict.receipt.amt]
    }
    expect(await taken()).toEqual(['preparing', 3_380])
    clock.nowMs += 60_000
    const cancel = {
      action: 'cancel_order',
      args: { execution_id: 'exe_1' },
      kind: 'cancel',
      key: 'k',
    } as const
    expect(await client.result(cancel)).toMatchObject({ state: 'cancelled' })
    expect(await taken()).toEqual(['cancelled', 0])
  })

  it('does not take back what is already made', async () => {
    const { client } = await openSkill('coffee.order')
    const args = paid(await quoteOf(client))
    await client.result({ action: 'order_and_pay', args, executionId: 'exe_1' })
    clock.nowMs += 6 * 60_000
    const cancel = { action: 'cancel_order', args: { execution_id: 'exe_1' } }
    expect(await client.result(cancel)).toMatchObject({ state: 'too_late' })
  })

  it('never places an order that was cancelled before it came', async () => {
    const { client } = await openSkill('coffee.order')
    const args = paid(await quoteOf(client))
    const cancel = { action: 'cancel_order', args: { execution_id: 'exe_1' }, kind: 'cancel' } as const
    expect(await client.result(cancel)).toMatchObject({ state: 'not_found' })
    const late = await client.call({ action: 'order_and_pay', args, executionId: 'exe_1' })
    expect(await codeOf(late)).toEqual([409, 'execution_closed'])
  })
})
