import { consentRequestShape } from '../../src/broker/consent-wish.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import type { AgentRow } from '../../src/ports/rows.ts'
import { COFFEE, coffeeSkill } from './coffee-test.ts'
import { connectAgent, giveConsent } from './connected-agent.ts'
import { order, SECRET } from './granted-agent.ts'
import { registerSkill, type TestBroker } from './test-broker.ts'

/** A user with an agent that has a grant, an open question, and one exact action that waits for a yes. */
export type PagesWorld = {
  readonly userId: string
  readonly agent: AgentRow
  readonly grantId: string
  readonly requestId: string
  readonly approvalId: string
}

/** What the agent asks for: enough that every kind of control is on the page. */
export const FULL_WISH = consentRequestShape.parse({
  skill: 'coffee.order',
  actions: [
    { name: 'get_menu' },
    { name: 'order_and_pay', constraints: [{ kind: 'range', pointer: '/total_amount', max: 5000 }] },
  ],
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'day' }, limit: 10_000 },
    { measure: 'count', window: { kind: 'calendar', period: 'day' }, limit: 5, action: 'order_and_pay' },
  ],
  categories: ['store', 'order', 'price'],
  retentionDays: { order_history: 30 },
  sharesBudget: true,
  purpose: 'Your morning coffee, picked up on the way to the office',
})

/** Puts a user's life in place as it comes about: connected, asked, allowed, used, asked again. */
export async function createPagesWorld(
  test: TestBroker,
  about: { zone?: string; userId?: string } = {},
): Promise<PagesWorld> {
  const { broker } = test
  const userId = about.userId ?? broker.newId('user')
  await registerSkill(broker, COFFEE)
  test.secrets.set('coffee.order /payment_token', SECRET)
  test.skill.replyAlways(coffeeSkill)
  await broker.store.transaction(async (tx) =>
    tx.users.save({ id: userId, timeZone: about.zone ?? 'Asia/Shanghai', createdAtMs: tx.nowMs }),
  )
  const agent = await connectAgent(broker, userId, { name: 'Errand runner' })
  const grant = await giveConsent(broker, agent, {
    ...FULL_WISH,
    askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 3_000, actions: ['order_and_pay'] }],
  })
  const deploymentId = JSON.parse(agent.deployments)[0].id
  const ask = (action: string, args: ReturnType<typeof order>, key: string) =>
    performAction(broker, {
      userId,
      agentId: agent.id,
      sessionId: 'ses_test',
      skill: 'coffee.order',
      action,
      arguments: args,
      deploymentId,
      idempotencyKey: key,
    })
  await ask('order_and_pay', order(2_350), 'first-order')
  test.clock.advance(60_000)
  const asked = await ask('order_and_pay', order(3_380, 'Q-2'), 'second-order')
  if (asked.kind !== 'ask') throw new Error(JSON.stringify(asked))
  const other = await connectAgent(broker, userId, { name: 'Weekend planner' })
  const request = await requestConsent(broker, { userId, agentId: other.id, ...FULL_WISH })
  if (request.kind !== 'pending') throw new Error(JSON.stringify(request))
  return {
    userId,
    agent,
    grantId: grant.id,
    requestId: request.request.id,
    approvalId: asked.approval.id,
  }
}
