import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { listAgents } from '../../src/broker/list-agents.ts'
import { registerAgent, registerAgentShape } from '../../src/broker/register-agent.ts'
import { setDeployments } from '../../src/broker/set-deployments.ts'
import { deploymentIdOf } from '../../src/core/model/deployment-id.ts'
import { generatePublisherKey } from '../../src/keys/publisher-key-file.ts'
import { connectAgent, giveConsent, newAgentKey, QWEN } from '../support/connected-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

const NOTHING_TO_CANCEL = async () => []
let test: TestBroker

beforeEach(async () => {
  test = await createTestBroker()
})
afterEach(() => test.close())

describe('registering an agent', () => {
  it('connects it and logs it, with name and models in the part that goes first', async () => {
    const agent = await connectAgent(test.broker, 'usr_a', { name: 'Runner' })
    expect(agent).toMatchObject({ userId: 'usr_a', lineageId: agent.id, status: 'connected' })
    const leaf = await test.lastLeaf('agent')
    expect(leaf).toMatchObject({ outcome: 'registered', parts: ['subj', 'body'] })
    expect(await test.openPart(leaf.eventId, 'body')).toMatchObject({ name: 'Runner' })
    expect(JSON.stringify(await test.openPart(leaf.eventId, 'subj'))).not.toContain('Runner')
  })

  it('goes on in the line of the same key of the same user, and of nobody else’s', async () => {
    const publicJwk = await newAgentKey()
    const first = await connectAgent(test.broker, 'usr_a', { publicJwk })
    const again = await connectAgent(test.broker, 'usr_a', { publicJwk })
    const elsewhere = await connectAgent(test.broker, 'usr_b', { publicJwk })
    expect(again.id).not.toBe(first.id)
    expect(again.lineageId).toBe(first.lineageId)
    expect(elsewhere.lineageId).toBe(elsewhere.id)
  })

  it('takes another’s place in its line, disconnects it and moves none of its grants', async () => {
    await registerSkill(test.broker, sampleManifest('coffee.order'))
    const old = await connectAgent(test.broker, 'usr_a')
    const grant = await giveConsent(test.broker, old)
    const agent = await connectAgent(test.broker, 'usr_a', { replaces: old.id })

    expect(agent.lineageId).toBe(old.lineageId)
    const [agents, grants] = await test.broker.store.read(async (tx) => [
      await tx.agents.list('usr_a'),
      await tx.grants.list('usr_a', { limit: 9, before: null }),
    ])
    expect(agents.find(({ id }) => id === old.id)?.status).toBe('disconnected')
    expect(grants.map(({ id, agentId, status }) => [id, agentId, status])).toEqual([
      [grant.id, old.id, 'revoked'],
    ])
  })

  it('answers alike for another user’s agent and for none when one is to be replaced', async () => {
    const other = await connectAgent(test.broker, 'usr_b')
    const input = {
      userId: 'usr_a',
      ...registerAgentShape.parse({ name: 'x', publicJwk: await newAgentKey(), deployments: [QWEN] }),
    }
    for (const replaces of [other.id, test.broker.newId('agent')]) {
      expect(await registerAgent(test.broker, { ...input, replaces })).toEqual({ kind: 'not_found' })
    }
    expect(await listAgents(test.broker, { userId: 'usr_a' })).toEqual([])
    expect((await listAgents(test.broker, { userId: 'usr_b' }))[0]?.status).toBe('connected')
  })

  it('does not merge two lines of counters', async () => {
    const publicJwk = await newAgentKey()
    await connectAgent(test.broker, 'usr_a', { publicJwk })
    const other = await connectAgent(test.broker, 'usr_a')
    await expect(connectAgent(test.broker, 'usr_a', { publicJwk, replaces: other.id })).rejects.toThrow(
      'lineage_conflict',
    )
  })

  it('has one id for a deployment whoever registers it, and in whatever order it is written', async () => {
    const a = await connectAgent(test.broker, 'usr_a')
    const { path, ...rest } = QWEN
    expect(JSON.parse(a.deployments)[0].id).toBe(deploymentIdOf({ path, ...rest }))
    expect(deploymentIdOf({ ...QWEN, snapshot: 'qwen3-max' })).not.toBe(deploymentIdOf(QWEN))
  })

  it.each([
    ['a name with a hidden reordering', { name: 'Runner\u202e' }, 'name'],
    ['a blank name', { name: '  ' }, 'name'],
    ['no deployment', { deployments: [] }, 'deployments'],
    ['nine deployments', { deployments: Array.from({ length: 9 }, () => QWEN) }, 'deployments'],
    ['a lone surrogate in a model', { deployments: [{ ...QWEN, family: '\ud800' }] }, 'deployments'],
    ['a field nobody knows', { admin: true }, ''],
  ])('refuses %s', async (_, change, field) => {
    const fine = { name: 'Runner', publicJwk: await newAgentKey(), deployments: [QWEN] }
    const parsed = registerAgentShape.safeParse({ ...fine, ...change })
    expect(parsed.success).toBe(false)
    expect(parsed.error?.issues[0]?.path[0] ?? '').toBe(field)
  })

  it('refuses a private key, and says that it is one', async () => {
    const parsed = registerAgentShape.safeParse({
      name: 'Runner',
      publicJwk: await generatePublisherKey(),
      deployments: [QWEN],
    })
    expect(parsed.error?.issues[0]?.message).toMatch(/^private_key_given/)
    expect(JSON.stringify(parsed.error?.issues)).not.toMatch(/"d"/)
  })
})

describe('a connected agent', () => {
  it('is disconnected with all that was given to it, and not by another user', async () => {
    await registerSkill(test.broker, sampleManifest('coffee.order'))
    const agent = await connectAgent(test.broker, 'usr_a')
    const grant = await giveConsent(test.broker, agent)
    const input = { userId: 'usr_b', agentId: agent.id }
    expect(await disconnectAgent(test.broker, input, NOTHING_TO_CANCEL)).toEqual({ kind: 'not_found' })

    const done = await disconnectAgent(test.broker, { ...input, userId: 'usr_a' }, NOTHING_TO_CANCEL)
    expect(done).toMatchObject({ kind: 'disconnected', revocation: { grants: [grant.id] } })
    expect(await test.lastLeaf('agent')).toMatchObject({ outcome: 'disconnected' })
  })

  it('runs on the deployments its user sets, until it is disconnected', async () => {
    const agent = await connectAgent(test.broker, 'usr_a')
    const next = { ...QWEN, snapshot: 'qwen3-max-2026-06-01' }
    const input = { userId: 'usr_a', agentId: agent.id, deployments: [next, next] }
    expect(await setDeployments(test.broker, { ...input, userId: 'usr_b' })).toEqual({ kind: 'not_found' })
    expect(await setDeployments(test.broker, input)).toEqual({
      kind: 'set',
      deployments: [{ id: deploymentIdOf(next), deployment: next }],
    })
    await disconnectAgent(test.broker, input, NOTHING_TO_CANCEL)
    expect(await setDeployments(test.broker, input)).toEqual({ kind: 'agent_not_connected' })
  })
})
