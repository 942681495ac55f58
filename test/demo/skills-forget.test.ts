import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { importVerificationKeys } from '../../src/core/execution/compact-jws.ts'
import { verifyAcknowledgement } from '../../src/core/notice/acknowledgement.ts'
import { NOTICE_TYP, type NoticeClaims } from '../../src/core/notice/notice-token.ts'
import type { SampleSkillName } from '../../src/demo/skills/sample-skill.ts'
import {
  balanceOf,
  clock,
  codeOf,
  type OpenSkill,
  openSkill,
  signer,
  tempFile,
  transfer,
} from './open-skill.ts'
import { ISSUER } from './skill-client.ts'

let deliveries = 0

async function tell({ skill }: OpenSkill, changes: Partial<NoticeClaims> = {}): Promise<Response> {
  deliveries += 1
  const iat = Math.floor(clock.nowMs / 1000)
  const url = skill.baseUrl + (skill.manifest.deletion?.path ?? '')
  const token = await signer.sign(
    'notice',
    { typ: NOTICE_TYP },
    {
      iss: ISSUER,
      aud: url,
      sub: 'usr_pairwise',
      jti: `delivery ${deliveries}`,
      iat,
      exp: iat + 300,
      ntc: `ntc_${deliveries}`,
      skl: skill.manifest.skill,
      rsn: 'revoked',
      cls: 'all',
      due: iat + 60,
      lfh: 'A'.repeat(43),
      prm: 'a.b.c',
      ...changes,
    },
  )
  return fetch(url, { method: 'POST', body: token, headers: { 'content-type': 'application/jwt' } })
}

/** What the skill signed that it did with the newest notice. */
async function answerOf({ skill }: OpenSkill, answer: Response) {
  const verdict = verifyAcknowledgement(
    await answer.text(),
    importVerificationKeys(skill.manifest.runtimeKeys),
    {
      issuer: ISSUER,
      noticeId: `ntc_${deliveries}`,
      skillId: skill.manifest.skill,
      userId: 'usr_pairwise',
      sentAtMs: clock.nowMs,
      nowMs: clock.nowMs,
    },
  )
  return verdict.ok ? { status: verdict.claims.sts, code: verdict.claims.code } : verdict
}

async function orderCoffee({ client }: OpenSkill, executionId: string, userId = 'usr_pairwise', until = 0) {
  const items = [{ sku: 'latte', quantity: 1 }]
  const quote = await client.result({
    action: 'quote',
    args: { store_id: 'HZ-01', items, currency: 'CNY' },
    userId,
  })
  const args = {
    quote_id: quote.quote_id ?? '',
    store_id: 'HZ-01',
    currency: 'CNY',
    pickup: 'store',
    total_amount: quote.total_amount ?? 0,
  }
  const kept = { order_history: until }
  return client.result({
    action: 'place_order',
    args,
    executionId,
    key: executionId,
    userId,
    keptUntilMs: kept,
  })
}

const stateOf = async ({ client }: OpenSkill, executionId: string, userId = 'usr_pairwise') =>
  (await client.result({ action: 'get_order', args: { execution_id: executionId }, kind: 'status', userId }))
    .state

describe('the coffee skill that is told to forget', () => {
  it('forgets this person and nobody else, in its journal too, and says so under its signature', async () => {
    const journalFile = tempFile('coffee.jsonl')
    const open = await openSkill('coffee.order', { journalFile })
    const { order_id: orderId } = await orderCoffee(open, 'exe_1')
    await orderCoffee(open, 'exe_2', 'usr_other')
    expect(await answerOf(open, await tell(open))).toEqual({ status: 'deleted', code: undefined })
    expect(await stateOf(open, 'exe_2', 'usr_other')).toBe('placed')
    const journal = readFileSync(journalFile, 'utf8')
    expect(journal).not.toContain(String(orderId))
    expect(journal).toContain('usr_other')
    // It knows that it was carried out, so that it is never carried out again.
    expect(
      await codeOf(
        await open.client.call({
          action: 'place_order',
          args: {
            quote_id: 'q',
            store_id: 'HZ-01',
            currency: 'CNY',
            pickup: 'store',
            total_amount: 1,
          },
          executionId: 'exe_1',
        }),
      ),
    ).toEqual([409, 'execution_closed'])
  })

  it('forgets only the executions it is told, and only what was to be kept until then', async () => {
    const open = await openSkill('coffee.order')
    await orderCoffee(open, 'exe_1', 'usr_pairwise', clock.nowMs + 1_000)
    await orderCoffee(open, 'exe_2', 'usr_pairwise', clock.nowMs + 90_000)
    await tell(open, { cls: ['order_history'], upt: Math.floor(clock.nowMs / 1000) + 1 })
    expect([await stateOf(open, 'exe_1'), await stateOf(open, 'exe_2')]).toEqual(['not_found', 'placed'])
    await tell(open, { cls: ['order_history'], exe: ['exe_3'] })
    expect(await stateOf(open, 'exe_2')).toBe('placed')
    await tell(open, { cls: ['location'] })
    expect(await stateOf(open, 'exe_2')).toBe('placed')
    await tell(open, { cls: ['order_history'], exe: ['exe_2'] })
    expect(await stateOf(open, 'exe_2')).toBe('not_found')
  })

  it('takes no notice that the broker did not sign', async () => {
    const open = await openSkill('coffee.order')
    await orderCoffee(open, 'exe_1')
    expect((await tell(open, { iss: 'https://other.example' })).status).toBe(401)
    expect((await tell(open, { aud: `${open.skill.baseUrl}/orders` })).status).toBe(401)
    expect(await stateOf(open, 'exe_1')).toBe('placed')
  })
})

it('the payment skill forgets payees, keeps the books, and says which law makes it', async () => {
  const open = await openSkill('pay.transfer')
  const { client } = open
  await client.result({
    action: 'add_payee',
    args: { display_name: 'Lin', account_number: '6222000011112222' },
  })
  await client.result(transfer('10.00'))
  expect(await answerOf(open, await tell(open))).toEqual({ status: 'deleted', code: undefined })
  expect(JSON.stringify(await client.result({ action: 'list_payees', args: {} }))).not.toContain('2222')
  expect(await balanceOf(client)).toMatchObject({ balance: '4990.00' })
  const schedule = {
    from_account: 'acc_main',
    currency: 'CNY',
    amount: '5.00',
    payee_id: 'lin',
    interval: 'week',
    count: 2,
    first_on: new Date(clock.nowMs + 7 * 86_400_000).toISOString().slice(0, 10),
  }
  await client.result({ action: 'schedule_transfer', args: schedule })
  expect(await answerOf(open, await tell(open))).toEqual({ status: 'kept', code: 'bookkeeping_law' })
})

describe.each(['coffee.order', 'pay.transfer', 'web.browse'] as const)('%s', (name: SampleSkillName) => {
  it('can be made to lie, to refuse and to fail, and then does as it is told', async () => {
    const open = await openSkill(name)
    open.skill.set({ notices: 'fail' })
    expect((await tell(open)).status).toBe(500)
    open.skill.set({ notices: 'later' })
    expect((await tell(open)).status).toBe(202)
    open.skill.set({ notices: 'unsigned' })
    expect((await tell(open)).headers.get('content-type')).toContain('application/json')
    open.skill.set({ notices: 'refuse' })
    expect(await answerOf(open, await tell(open))).toEqual({ status: 'refused', code: 'not_now' })
    open.skill.set({})
    expect(await answerOf(open, await tell(open))).toEqual({ status: 'deleted', code: undefined })
  })
})
