import { describe, expect, it } from 'vitest'
import { ACCOUNT, balanceOf, clock, codeOf, openSkill, transfer } from './open-skill.ts'
import { NOW_MS, type SkillRequest } from './skill-client.ts'

describe('the payment skill', () => {
  it('carries one key out once and gives the same answer again', async () => {
    const { client } = await openSkill('pay.transfer')
    const first = await client.result(transfer('10.50', { key: 'k', executionId: 'exe_1' }))
    const second = await client.result(transfer('10.50', { key: 'k', executionId: 'exe_1' }))
    expect(second).toEqual(first)
    expect(await balanceOf(client)).toEqual({ balance: '4989.50', currency: 'CNY' })
  })

  it('signs what it took, for this execution and these bytes only', async () => {
    const { client } = await openSkill('pay.transfer')
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
    const { client } = await openSkill('pay.transfer')
    expect(await codeOf(await client.call(request))).toEqual([409, code])
    expect(await balanceOf(client)).toMatchObject({ balance: '5000.00' })
  })

  it('pays one order once, whatever the key', async () => {
    const { client } = await openSkill('pay.transfer')
    const order = { ...ACCOUNT, payee_id: 'coffee-chain', amount: '33.80', order_execution_id: 'exe_order' }
    await client.result({ action: 'pay_order', args: order })
    expect(await codeOf(await client.call({ action: 'pay_order', args: order }))).toEqual([
      409,
      'already_paid',
    ])
  })

  it('pays a bill once, and gives a payment it received back once', async () => {
    const { client } = await openSkill('pay.transfer')
    const bill = { ...ACCOUNT, biller_id: 'city-power', bill_ref: '2026-11', amount: '120.00' }
    const refund = { ...ACCOUNT, transaction_id: 'txn_opening', amount: '80.00' }
    for (const [action, args] of [
      ['pay_bill', bill],
      ['refund', refund],
    ] as const) {
      await client.result({ action, args })
      expect(await codeOf(await client.call({ action, args }))).toEqual([409, 'already_paid'])
    }
    expect(await balanceOf(client)).toMatchObject({ balance: '4800.00' })
  })

  it('keeps payees, transactions and schedules of each user apart', async () => {
    const { client } = await openSkill('pay.transfer')
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
    const { client } = await openSkill('pay.transfer')
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
    clock.nowMs += 8 * day
    expect(await balanceOf(client)).toMatchObject({ balance: '4800.00' })
    const cancel = { action: 'cancel_schedule', args: { execution_id: 'exe_s' }, kind: 'cancel' } as const
    expect(await client.result(cancel)).toEqual({ state: 'cancelled', made: 2 })
    clock.nowMs += 30 * day
    expect(await balanceOf(client)).toMatchObject({ balance: '4800.00' })
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
    const { skill, client } = await openSkill('pay.transfer')
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
    const { skill, client } = await openSkill('pay.transfer')
    await client.result(transfer('80.00', { key: 'k', executionId: 'exe_1' }))
    skill.set({ undecided: true })
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'pending' })
    skill.set({})
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'succeeded' })
  })

  it('signs that a refused payment took nothing', async () => {
    const { client } = await openSkill('pay.transfer')
    const call = await client.prepare(transfer('9000.00', { key: 'k', executionId: 'exe_1' }))
    expect((await client.send(call)).status).toBe(409)
    const status = await client.result(statusOf('exe_1'))
    const about = { executionId: 'exe_1', body: call.body, action: 'transfer' }
    const verdict = client.verifyReceipt(status.receipt, about)
    expect(verdict.ok && [verdict.receipt.status, verdict.receipt.amt]).toEqual(['refused', undefined])
  })

  it('once it has said that it never had a call, does not carry it out any more', async () => {
    const { skill, client } = await openSkill('pay.transfer')
    skill.set({ dieOn: { action: 'transfer', how: 'socket', when: 'before' } })
    const request = transfer('80.00', { key: 'k', executionId: 'exe_1' })
    await client.call(request).catch(() => undefined)
    skill.set({})
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'not_found' })
    expect(await codeOf(await client.call(request))).toEqual([409, 'execution_closed'])
    expect(await client.result(statusOf('exe_1'))).toMatchObject({ state: 'not_found' })
    expect(await balanceOf(client)).toMatchObject({ balance: '5000.00' })
  })

  it("knows nothing of another user's payment", async () => {
    const { client } = await openSkill('pay.transfer')
    await client.result(transfer('80.00', { executionId: 'exe_1' }))
    const status = await client.result({ ...statusOf('exe_1'), userId: 'usr_other' })
    expect(status).toMatchObject({ state: 'not_found' })
    expect(status).not.toHaveProperty('transaction_id')
  })
})
