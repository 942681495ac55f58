import { approveConsent } from '../../src/broker/answer-consent.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { type ConsentWish, consentRequestShape } from '../../src/broker/consent-wish.ts'
import { registerAgent, registerAgentShape } from '../../src/broker/register-agent.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import type { PublicJwk } from '../../src/core/manifest/public-key.ts'
import type { Deployment } from '../../src/core/model/deployment.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import type { AgentRow, GrantRow } from '../../src/ports/rows.ts'

export const QWEN: Deployment = {
  brand: 'Qwen',
  family: 'Qwen3',
  snapshot: 'qwen3-max-2026-01-23',
  thinking: 'hybrid',
  path: {
    kind: 'hosted',
    provider: 'Model Studio',
    region: 'cn-beijing',
    scope: 'mainland',
    host: 'dashscope.example',
  },
}

export async function newAgentKey(): Promise<PublicJwk> {
  return publicHalfOf(await generatePublisherKey())
}

/** Connects an agent over the same path a user takes. */
export async function connectAgent(
  broker: Broker,
  userId: string,
  about: { publicJwk?: PublicJwk; replaces?: string; name?: string } = {},
): Promise<AgentRow> {
  const registration = await registerAgent(broker, {
    userId,
    ...registerAgentShape.parse({
      name: about.name ?? 'Errand runner',
      publicJwk: about.publicJwk ?? (await newAgentKey()),
      deployments: [QWEN],
      ...(about.replaces === undefined ? {} : { replaces: about.replaces }),
    }),
  })
  if (registration.kind !== 'registered') throw new Error(registration.kind)
  return registration.agent
}

/** What an agent asks for in most tests: to order and pay, up to 100 yuan a day. */
export const COFFEE_WISH: ConsentWish = consentRequestShape.parse({
  skill: 'coffee.order',
  actions: [
    { name: 'get_menu' },
    { name: 'order_and_pay', constraints: [{ kind: 'range', pointer: '/total_amount', max: 5000 }] },
  ],
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'day' }, limit: 10_000 },
  ],
  categories: ['store', 'order', 'price'],
  retentionDays: { order_history: 30 },
  purpose: 'Your morning coffee',
})

/** Asks and is given exactly what it asked for. @throws Error if either is refused. */
export async function giveConsent(
  broker: Broker,
  agent: AgentRow,
  wish: ConsentWish = COFFEE_WISH,
): Promise<GrantRow> {
  const { userId, id: agentId } = agent
  const asked = await requestConsent(broker, { userId, agentId, ...wish })
  if (asked.kind !== 'pending') throw new Error(JSON.stringify(asked))
  const approved = await approveConsent(broker, { userId, requestId: asked.request.id })
  if (approved.kind !== 'approved') throw new Error(JSON.stringify(approved))
  return approved.grant
}
