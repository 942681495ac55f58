import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEventPart } from '../../src/broker/open-part.ts'
import { deploymentIdOf } from '../../src/core/model/deployment-id.ts'
import { connectAgent, giveConsent, QWEN } from '../support/connected-agent.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'
import { insertAgent, registerSkill } from '../support/test-broker.ts'

let test: TestApp
beforeAll(async () => {
  test = await createTestApp()
  test.secrets.set('coffee.order /payment_token', SECRET)
  await registerSkill(test.broker, sampleManifest('coffee.order'))
})
afterAll(() => test.close())

async function newAgent() {
  const userId = test.broker.newId('user')
  const agent = await connectAgent(test.broker, userId)
  return { userId, agent, token: await test.tokenFor({ kind: 'agent', userId, agentId: agent.id }) }
}

describe('GET /v1/tools', () => {
  it('lists the actions of skills with a grant, and which of them it names', async () => {
    const { agent, token } = await newAgent()
    expect((await test.call('GET', '/v1/tools', { token })).body).toEqual({ items: [] })
    await giveConsent(test.broker, agent)
    const { status, body } = await test.call('GET', '/v1/tools', { token })
    const items = body.items as { action: string; granted: boolean; input: { properties: object } }[]
    expect(status).toBe(200)
    expect(items.filter(({ granted }) => granted).map(({ action }) => action)).toEqual([
      'get_menu',
      'order_and_pay',
    ])
    expect(items.length).toBeGreaterThan(4)
    const order = items.find(({ action }) => action === 'order_and_pay')
    expect(Object.keys(order?.input.properties ?? {})).not.toContain('payment_token')
    expect(order).toMatchObject({
      tool: 'coffee_order_order_and_pay',
      effects: expect.arrayContaining(['spend']),
    })
  })

  it('lists a skill that is named before anything is granted', async () => {
    const { token } = await newAgent()
    const { body } = await test.call('GET', '/v1/tools?skill=coffee.order', { token })
    const items = body.items as { granted: boolean }[]
    expect(items.length).toBeGreaterThan(4)
    expect(items.some(({ granted }) => granted)).toBe(false)
    expect((await test.call('GET', '/v1/tools?skill=no.such', { token })).body).toEqual({ items: [] })
  })

  it('lists nothing for another agent of the same user', async () => {
    const { agent, userId } = await newAgent()
    await giveConsent(test.broker, agent)
    const other = await connectAgent(test.broker, userId)
    const token = await test.tokenFor({ kind: 'agent', userId, agentId: other.id })
    expect((await test.call('GET', '/v1/tools', { token })).body).toEqual({ items: [] })
    expect((await test.call('GET', '/v1/authority', { token })).body.grants).toEqual([])
  })
})

describe('GET /v1/authority', () => {
  it('tells an agent its grants, and no limit that is not shared', async () => {
    const { agent, token } = await newAgent()
    const grant = await giveConsent(test.broker, agent)
    const { body } = await test.call('GET', '/v1/authority', { token })
    expect(body.grants).toEqual([
      expect.objectContaining({ grantId: grant.id, skill: 'coffee.order', state: 'active', budgets: null }),
    ])
  })
})

describe('POST /v1/deployments/claim', () => {
  it('is taken once, from an agent nothing is registered for', async () => {
    const { broker, call, tokenFor } = test
    const userId = broker.newId('user')
    const agent = await insertAgent(broker, { userId, deployments: '[]' })
    const token = await tokenFor({ kind: 'agent', userId, agentId: agent.id })
    const claim = (deployments: unknown) =>
      call('POST', '/v1/deployments/claim', { token, body: { deployments } })
    const first = await claim([QWEN])
    expect([first.status, first.body.deployments]).toEqual([
      200,
      [{ id: deploymentIdOf(QWEN), deployment: QWEN }],
    ])
    expect((await claim([QWEN])).status).toBe(200)
    const other = await claim([{ ...QWEN, snapshot: 'qwen3-max-2026-09-09' }])
    expect([other.status, other.body.code]).toEqual([409, 'deployments_registered'])
  })
})

describe('the model an action names', () => {
  const ask = async (returned: string, key: string) => {
    const granted = await grantAll(test.broker, sampleManifest('coffee.order'), {}, await registered())
    const token = await test.tokenFor({ kind: 'agent', userId: granted.userId, agentId: granted.agent.id })
    test.skill.replyAlways(answered({ items: [] }))
    return test.call('POST', '/v1/actions', {
      token,
      headers: { 'idempotency-key': key },
      body: {
        skill: 'coffee.order',
        action: 'get_menu',
        arguments: { store_id: 'HZ-01' },
        deployment: deploymentIdOf(QWEN),
        model: { requested: 'qwen3-max-2026-01-23', returned },
      },
    })
  }
  async function registered() {
    const userId = test.broker.newId('user')
    return { userId, agent: await connectAgent(test.broker, userId) }
  }

  it('is refused where the deployment cannot have answered under that name', async () => {
    const refused = await ask('qwen3-max-2026-09-09', 'another-model-1')
    expect([refused.status, refused.body.code]).toEqual([403, 'deployment_not_allowed'])
  })

  it('is kept, sealed, with the decision', async () => {
    const allowed = await ask('qwen3-max-2026-01-23', 'the-same-model-1')
    expect([allowed.body.code, allowed.body.reason]).not.toContain('deployment_not_allowed')
    const actionId = String(allowed.body.actionId)
    const row = await test.broker.store.read(async (tx) => tx.actions.find(actionId))
    expect(await openEventPart(test.broker, row?.eventId ?? null, 'body')).toMatchObject({
      model: { requested: 'qwen3-max-2026-01-23', returned: 'qwen3-max-2026-01-23' },
    })
  })
})
