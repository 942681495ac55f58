import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/core/json-value.ts'
import type { SampleSkillName } from '../../src/demo/skills/sample-skill.ts'
import { type SkillOptions, startSkill } from '../../src/demo/skills/start-skill.ts'
import { startSkillProcess } from '../../src/demo/skills/start-skill-process.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { createSkillClient, ISSUER, NOW_MS, type SkillClient, type SkillRequest } from './skill-client.ts'

const { signer } = createTestSigner()
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

let nowMs = NOW_MS

async function open(name: SampleSkillName, options: Partial<SkillOptions> = {}) {
  nowMs = NOW_MS
  const skill = await startSkill({
    name,
    broker: { issuer: ISSUER, keys: signer.jwks() },
    now: () => nowMs,
    ...options,
  })
  closers.push(() => skill.stop())
  return { skill, client: createSkillClient(signer, skill.manifest, () => nowMs) }
}

function tempFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-skill-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

const ACCOUNT = { from_account: 'acc_main', currency: 'CNY' }
const transfer = (amount: string, more: Partial<SkillRequest> = {}): SkillRequest => ({
  action: 'transfer',
  args: { ...ACCOUNT, payee_id: 'lin', amount },
  ...more,
})
const balance = (client: SkillClient) =>
  client.result({ action: 'get_balance', args: { from_account: 'acc_main' } })
const codeOf = async (answer: Response) => [answer.status, JSON.parse(await answer.text()).code]

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

describe.each(['coffee.order', 'pay.transfer', 'web.browse'] as const)('the sample skill %s', (name) => {
  it('answers every action of its manifest only to calls the broker signed', async () => {
    const { skill } = await open(name)
    for (const action of skill.manifest.actions) {
      const answer = await fetch(skill.baseUrl + action.path, { method: 'POST', body: '{}' })
      expect([action.name, answer.status, await answer.json()]).toEqual([
        action.name,
        401,
        { error: { code: 'token_missing' } },
      ])
    }
    expect(skill.calls).toEqual([])
  })

  it('shows its own address and runtime key in its manifest', async () => {
    const runtimeKey = await generatePublisherKey()
    const { skill } = await open(name, { runtimeKey })
    expect(skill.manifest.endpoint.baseUrl).toBe(skill.baseUrl)
    expect(skill.manifest.runtimeKeys).toEqual([publicHalfOf(runtimeKey)])
  })
})

describe('a sample skill refuses', () => {
  it('a call that was carried out already, byte for byte', async () => {
    const { client } = await open('pay.transfer')
    const call = await client.prepare(transfer('10.00'))
    expect((await client.send(call)).status).toBe(200)
    const again = await client.send(call)
    expect([again.status, await again.json()]).toEqual([401, { error: { code: 'replayed' } }])
    expect(await balance(client)).toMatchObject({ balance: '4990.00' })
  })

  it('a call signed by another broker', async () => {
    const { skill } = await open('pay.transfer')
    const stranger = createSkillClient(createTestSigner().signer, skill.manifest, () => nowMs)
    expect((await stranger.call(transfer('10.00'))).status).toBe(401)
  })

  it('arguments its manifest does not know', async () => {
    const { client } = await open('pay.transfer')
    const request = { ...transfer('10.00'), args: { ...transfer('10.00').args, tip: '1.00' } }
    expect(await codeOf(await client.call(request))).toEqual([400, 'arguments_refused'])
  })

  it('an amount that is not the one in the token', async () => {
    const { client } = await open('pay.transfer')
    const answer = await client.call(transfer('10.00', { amountMinor: 1 }))
    expect(await codeOf(answer)).toEqual([400, 'amount_not_permitted'])
    expect(await balance(client)).toMatchObject({ balance: '5000.00' })
  })

  it('an old key with other bytes', async () => {
    const { client } = await open('pay.transfer')
    await client.result(transfer('10.00', { key: 'k' }))
    expect(await codeOf(await client.call(transfer('11.00', { key: 'k' })))).toEqual([409, 'key_reused'])
  })
})

describe('the payment skill', () => {
  it('carries one key out once and gives the same answer again', async () => {
    const { client } = await open('pay.transfer')
    const first = await client.result(transfer('10.50', { key: 'k', executionId: 'exe_1' }))
    const second = await client.result(transfer('10.50', { key: 'k', executionId: 'exe_1' }))
    expect(second).toEqual(first)
    expect(await balance(client)).toEqual({ balance: '4989.50', currency: 'CNY' })
  })

  it('signs what it took, for this execution and these bytes only', async () => {
    const { client } = await open('pay.transfer')
    const { body } = await client.prepare(transfer('10.50', { key: 'k' }))
    const result = await client.result(transfer('10.50', { key: 'k', executionId: 'exe_1' }))
    const about = { executionId: 'exe_1', body, action: 'transfer' }
    const verdict = client.verifyReceipt(result.receipt, about)
    expect(verdict).toMatchObject({ ok: true, receipt: { status: 'succeeded', amt: 1_050, cur: 'CNY' } })
    const cheaper = { ...about, body: body.replace('10.50', '10.00') }
    expect(client.verifyReceipt(result.receipt, cheaper)).toMatchObject({
      ok: false,
      code: 'other_execution',
    })
  })

  it.each([
    [
      'a payee nobody saved',
      transfer('1.00', { args: { ...ACCOUNT, payee_id: 'mallory', amount: '1.00' } }),
      'payee_unknown',
    ],
    ['more than there is', transfer('5000.01'), 'insufficient_funds'],
    ['nothing', transfer('0.00'), 'amount_zero'],
    [
      'a refund of what never came',
      { action: 'refund', args: { ...ACCOUNT, transaction_id: 'txn_x', amount: '1.00' } },
      'transaction_unknown',
    ],
    [
      'a schedule that begins in the past',
      {
        action: 'schedule_transfer',
        args: {
          ...ACCOUNT,
          payee_id: 'lin',
          amount: '1.00',
          interval: 'week',
          count: 2,
          first_on: '2020-01-01',
        },
      },
      'first_day_has_passed',
    ],
  ] as [string, SkillRequest, string][])('refuses to pay %s', async (_name, request, code) => {
    const { client } = await open('pay.transfer')
    expect(await codeOf(await client.call(request))).toEqual([409, code])
    expect(await balance(client)).toMatchObject({ balance: '5000.00' })
  })

  it('pays one order once, whatever the key', async () => {
    const { client } = await open('pay.transfer')
    const order = { ...ACCOUNT, payee_id: 'coffee-chain', amount: '33.80', order_execution_id: 'exe_order' }
    await client.result({ action: 'pay_order', args: order })
    expect(await codeOf(await client.call({ action: 'pay_order', args: order }))).toEqual([
      409,
      'already_paid',
    ])
  })

  it('keeps payees, transactions and schedules of each user apart', async () => {
    const { client } = await open('pay.transfer')
    const payee = { display_name: 'Wang Wei', account_number: 'CN001234' }
    const added = await client.result({ action: 'add_payee', args: payee, userId: 'usr_a' })
    const listed = await client.result({ action: 'list_payees', args: {}, userId: 'usr_a' })
    expect(listed.payees).toContainEqual({
      payee_id: added.payee_id,
      display_name: 'Wang Wei',
      account_masked: '**** 1234',
    })
    const others = await client.result({ action: 'list_payees', args: {}, userId: 'usr_b' })
    expect(JSON.stringify(others.payees)).not.toContain(String(added.payee_id))

    await client.result({
      action: 'remove_payee',
      args: { payee_id: String(added.payee_id) },
      userId: 'usr_a',
    })
    const after = await client.result({ action: 'list_payees', args: {}, userId: 'usr_a' })
    expect(after.payees).toHaveLength(2)

    await client.result(transfer('10.00', { userId: 'usr_a' }))
    const list = { action: 'list_transactions', args: { from_account: 'acc_main' } }
    expect((await client.result({ ...list, userId: 'usr_a' })).transactions).toHaveLength(2)
    expect((await client.result({ ...list, userId: 'usr_b' })).transactions).toHaveLength(1)
  })

  it('makes scheduled transfers when they are due, and none after a cancel', async () => {
    const { client } = await open('pay.transfer')
    const day = 86_400_000
    const firstOn = new Date(NOW_MS + day).toISOString().slice(0, 10)
    const args = {
      ...ACCOUNT,
      payee_id: 'lin',
      amount: '100.00',
      interval: 'week',
      count: 3,
      first_on: firstOn,
    }
    await client.result({ action: 'schedule_transfer', args, executionId: 'exe_s' })
    nowMs += 8 * day
    expect(await balance(client)).toMatchObject({ balance: '4800.00' })
    const cancel = { action: 'cancel_schedule', args: { execution_id: 'exe_s' }, kind: 'cancel' } as const
    expect(await client.result(cancel)).toEqual({ state: 'cancelled', made: 2 })
    nowMs += 30 * day
    expect(await balance(client)).toMatchObject({ balance: '4800.00' })
  })
})

describe('the status action of the payment skill', () => {
  const statusOf = (executionId: string): SkillRequest => ({
    action: 'get_payment',
    args: { execution_id: executionId },
    kind: 'status',
    key: 'k',
    executionId,
  })

  it.each([
    ['a cut connection', { dieOn: { action: 'transfer', how: 'socket', when: 'after' } }],
    ['a 202', { acceptLater: 'transfer' }],
    ['an answer of the wrong shape', { wrongShape: 'transfer' }],
  ] as const)('says after %s what was taken', async (_name, switches) => {
    const { skill, client } = await open('pay.transfer')
    skill.set(switches)
    const call = await client.prepare(transfer('80.00', { key: 'k', executionId: 'exe_1' }))
    await client.send(call).catch(() => undefined)
    const status = await client.result(statusOf('exe_1'))
    expect(status.state).toBe('succeeded')
    expect(status.transaction_id).toMatch(/^txn_/)
    const about = { executionId: 'exe_1', body: call.body, action: 'transfer' }
    expect(client.verifyReceipt(status.receipt, about)).toMatchObject({
      ok: true,
      receipt: { status: 'succeeded', amt: 8_000, cur: 'CNY' },
    })
  })

  it('is news each time, though it carries the key of the action', async () => {
    const { skill, client } = await open('pay.transfer')
    await client.result(transfer('80.00', { key: 'k', executionId: 'exe_1' }))
    skill.set({ undecided: true })
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'pending' })
    skill.set({})
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'succeeded' })
  })

  it('signs that a refused payment took nothing', async () => {
    const { client } = await open('pay.transfer')
    const call = await client.prepare(transfer('9000.00', { key: 'k', executionId: 'exe_1' }))
    expect((await client.send(call)).status).toBe(409)
    const status = await client.result(statusOf('exe_1'))
    const about = { executionId: 'exe_1', body: call.body, action: 'transfer' }
    const verdict = client.verifyReceipt(status.receipt, about)
    expect(verdict.ok && [verdict.receipt.status, verdict.receipt.amt]).toEqual(['refused', undefined])
  })

  it('once it has said that it never had a call, does not carry it out any more', async () => {
    const { skill, client } = await open('pay.transfer')
    skill.set({ dieOn: { action: 'transfer', how: 'socket', when: 'before' } })
    const request = transfer('80.00', { key: 'k', executionId: 'exe_1' })
    await client.call(request).catch(() => undefined)
    skill.set({})
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'not_found' })
    expect(await codeOf(await client.call(request))).toEqual([409, 'execution_closed'])
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'not_found' })
    expect(await balance(client)).toMatchObject({ balance: '5000.00' })
  })

  it("knows nothing of another user's payment", async () => {
    const { client } = await open('pay.transfer')
    await client.result(transfer('80.00', { executionId: 'exe_1' }))
    const status = await client.result({ ...statusOf('exe_1'), userId: 'usr_other' })
    expect(status).toMatchObject({ state: 'not_found' })
    expect(status).not.toHaveProperty('transaction_id')
  })
})

describe('switches', () => {
  it('make a skill take more than was agreed, and say so', async () => {
    const { skill, client } = await open('pay.transfer')
    skill.set({ overcharge: { action: 'transfer', byMinor: 500 } })
    expect(await client.result(transfer('10.00'))).toMatchObject({ charged_amount: '15.00' })
  })

  it('make a skill refuse, remembered under its key', async () => {
    const { skill, client } = await open('pay.transfer')
    skill.set({ refuse: { action: 'transfer', code: 'maintenance' } })
    expect(await codeOf(await client.call(transfer('10.00', { key: 'k' })))).toEqual([409, 'maintenance'])
    skill.set({})
    expect(await codeOf(await client.call(transfer('10.00', { key: 'k' })))).toEqual([409, 'maintenance'])
    expect(await balance(client)).toMatchObject({ balance: '5000.00' })
  })

  it('make a skill slow, with the work done before the wait', async () => {
    const { skill, client } = await open('pay.transfer')
    skill.set({ slow: { action: 'transfer', ms: 60_000 } })
    const call = await client.prepare(transfer('10.00'))
    const impatient = fetch(call.url, {
      method: 'POST',
      body: call.body,
      headers: { authorization: `Bearer ${call.token}` },
      signal: AbortSignal.timeout(200),
    })
    await expect(impatient).rejects.toThrow()
    expect(await balance(client)).toMatchObject({ balance: '4990.00' })
  })
})

describe('the journal', () => {
  it('brings back what was done and what was answered', async () => {
    const journalFile = tempFile('pay.jsonl')
    const runtimeKey = await generatePublisherKey()
    const before = await open('pay.transfer', { journalFile, runtimeKey })
    const first = await before.client.result(transfer('10.00', { key: 'k', executionId: 'exe_1' }))
    await before.skill.stop()
    closers.pop()

    const after = await open('pay.transfer', { journalFile, runtimeKey })
    expect(await balance(after.client)).toMatchObject({ balance: '4990.00' })
    expect(await after.client.result(transfer('10.00', { key: 'k', executionId: 'exe_1' }))).toEqual(first)
    expect(await balance(after.client)).toMatchObject({ balance: '4990.00' })
  })

  it('leaves out a line that was cut in the middle and goes on after it', async () => {
    const journalFile = tempFile('pay.jsonl')
    const first = await open('pay.transfer', { journalFile })
    await first.client.result(transfer('10.00'))
    await first.client.result(transfer('20.00'))
    await first.skill.stop()
    closers.pop()
    const text = readFileSync(journalFile, 'utf8')
    writeFileSync(journalFile, text.slice(0, -30))

    const second = await open('pay.transfer', { journalFile })
    expect(await balance(second.client)).toMatchObject({ balance: '4990.00' })
    await second.client.result(transfer('5.00'))
    const lines = readFileSync(journalFile, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).action)).toContain('transfer')
    await second.skill.stop()
    closers.pop()
    const third = await open('pay.transfer', { journalFile })
    expect(await balance(third.client)).toMatchObject({ balance: '4985.00' })
  })

  it('survives a kill -9 between the work and the answer', async () => {
    const server = serve({ fetch: () => Response.json(signer.jwks()), port: 0, hostname: '127.0.0.1' })
    closers.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    const options = {
      name: 'pay.transfer',
      issuer: ISSUER,
      keysUrl: `http://127.0.0.1:${address.port}/`,
      runtimeKey: await generatePublisherKey(),
      journalFile: tempFile('pay.jsonl'),
    } as const
    const { skill } = await open('pay.transfer', { runtimeKey: options.runtimeKey })
    const clientAt = (baseUrl: string) =>
      createSkillClient(
        signer,
        { ...skill.manifest, endpoint: { ...skill.manifest.endpoint, baseUrl } },
        Date.now,
      )

    const first = await startSkillProcess({ ...options, port: 0 })
    closers.push(() => first.kill())
    await first.set({ dieOn: { action: 'transfer', how: 'process', when: 'after' } })
    const request = transfer('80.00', { key: 'k', executionId: 'exe_1' })
    await expect(clientAt(first.baseUrl).call(request)).rejects.toThrow()
    expect(await first.ended()).toBe('SIGKILL')

    const port = Number(new URL(first.baseUrl).port)
    const second = await startSkillProcess({ ...options, port })
    closers.push(() => second.kill())
    const status = await clientAt(second.baseUrl).result({
      action: 'get_payment',
      args: { execution_id: 'exe_1' },
      kind: 'status',
      executionId: 'exe_1',
    })
    expect(status).toMatchObject({ state: 'succeeded' })
    expect(await balance(clientAt(second.baseUrl))).toMatchObject({ balance: '4920.00' })
  })
})

describe('the coffee skill', () => {
  it('finds stores, shows its menu and shows a quote again', async () => {
    const { client } = await open('coffee.order')
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
    const { client } = await open('coffee.order')
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
    const { client } = await open('coffee.order')
    const result = await client.result({ action: 'place_order', args: await quoteOf(client) })
    expect(result).toMatchObject({ payee_id: 'coffee-chain', amount_due: 3_380, currency: 'CNY' })
  })

  it.each([
    ['another price', { total_amount: 3_381 }, 0, 'price_changed'],
    ['another store', { store_id: 'HZ-02' }, 0, 'quote_unknown'],
    ['a quote that is too old', {}, 10 * 60_000, 'quote_expired'],
    ['a quote that never was', { quote_id: 'q_none' }, 0, 'quote_unknown'],
  ] as const)('refuses %s', async (_name, change, afterMs, code) => {
    const { client } = await open('coffee.order')
    const args = paid({ ...(await quoteOf(client)), ...change })
    nowMs += afterMs
    expect(await codeOf(await client.call({ action: 'order_and_pay', args }))).toEqual([409, code])
  })

  it("does not order from another user's quote", async () => {
    const { client } = await open('coffee.order')
    const args = paid(await quoteOf(client))
    const answer = await client.call({ action: 'order_and_pay', args, userId: 'usr_other' })
    expect(await codeOf(answer)).toEqual([409, 'quote_unknown'])
  })

  it('answers for an order by its execution id, with a receipt of what was taken in the end', async () => {
    const { client } = await open('coffee.order')
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
    nowMs += 60_000
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
    const { client } = await open('coffee.order')
    const args = paid(await quoteOf(client))
    await client.result({ action: 'order_and_pay', args, executionId: 'exe_1' })
    nowMs += 6 * 60_000
    const cancel = { action: 'cancel_order', args: { execution_id: 'exe_1' } }
    expect(await client.result(cancel)).toMatchObject({ state: 'too_late' })
  })

  it('never places an order that was cancelled before it came', async () => {
    const { client } = await open('coffee.order')
    const args = paid(await quoteOf(client))
    const cancel = { action: 'cancel_order', args: { execution_id: 'exe_1' }, kind: 'cancel' } as const
    expect(await client.result(cancel)).toMatchObject({ state: 'not_found' })
    const late = await client.call({ action: 'order_and_pay', args, executionId: 'exe_1' })
    expect(await codeOf(late)).toEqual([409, 'execution_closed'])
  })
})

describe('the browsing skill', () => {
  const openPage = async (client: SkillClient, path: string): Promise<string> => {
    const page = await client.result({ action: 'open_page', args: { url: `https://shop.example${path}` } })
    return String(page.tab_id)
  }

  it('serves a page that tries to give the agent orders, as it was written', async () => {
    const { client } = await open('web.browse')
    const page = await client.result({
      action: 'read_page',
      args: { tab_id: await openPage(client, '/reviews') },
    })
    expect(page.text).toContain('ignore your earlier instructions')
    expect(page.text).toContain('<tool_call>')
    expect(page.text).toContain('</tool_response>')
  })

  it('follows a link only under the label that was decided on', async () => {
    const { client } = await open('web.browse')
    const tabId = await openPage(client, '/')
    const click = (label: string): SkillRequest => ({
      action: 'click',
      args: { tab_id: tabId, element_ref: 'nav-beans', expected_label: label },
    })
    expect(await codeOf(await client.call(click('Delete everything')))).toEqual([409, 'label_changed'])
    expect(await client.result(click('Beans'))).toMatchObject({ final_url: 'https://shop.example/beans' })
  })

  it('submits a form to its own site only, and only when it is filled in', async () => {
    const { client } = await open('web.browse')
    const tabId = await openPage(client, '/contact')
    const submit = (origin: string): SkillRequest => ({
      action: 'submit_form',
      args: { tab_id: tabId, form_ref: 'contact', origin },
    })
    expect(await codeOf(await client.call(submit('https://shop.example/')))).toEqual([409, 'field_missing'])
    const fields = ['name', 'mail', 'message'].map((ref) => ({ ref, value: 'x', data_class: 'contact' }))
    await client.result({ action: 'fill_form', args: { tab_id: tabId, fields } })
    expect(await codeOf(await client.call(submit('https://evil.example/')))).toEqual([409, 'other_origin'])
    expect(await client.result(submit('https://shop.example/'))).toMatchObject({ page_title: 'Thank you' })
  })

  it('downloads a file within the size that was allowed', async () => {
    const { client } = await open('web.browse')
    const download = (maxBytes: number): SkillRequest => ({
      action: 'download',
      args: { url: 'https://shop.example/files/prices.csv', max_bytes: maxBytes },
    })
    expect(await client.result(download(1_000))).toMatchObject({
      file_name: 'prices.csv',
      media_type: 'text/csv',
    })
    expect(await codeOf(await client.call(download(10)))).toEqual([409, 'file_too_large'])
  })

  it("does not show another user's tab", async () => {
    const { client } = await open('web.browse')
    const tabId = await openPage(client, '/')
    const answer = await client.call({ action: 'read_page', args: { tab_id: tabId }, userId: 'usr_other' })
    expect(answer.status).toBe(404)
  })
})
