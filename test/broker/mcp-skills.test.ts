import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listIncidents } from '../../src/broker/close-incident.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { bodyDigest } from '../../src/core/execution/action-token.ts'
import { importVerificationKeys } from '../../src/core/execution/compact-jws.ts'
import { verifyActionToken } from '../../src/core/execution/verify-action-token.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { skillsByTransport } from '../../src/skills/by-transport.ts'
import { type McpSkills, openMcpSkills } from '../../src/skills/mcp-skill.ts'
import { COFFEE, type CoffeeTest, coffeeTest } from '../support/coffee-test.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { asMcpSkill, toolsOf } from '../support/mcp-coffee.ts'
import {
  type Behaviour,
  type ScriptedMcpServer,
  startScriptedMcpServer,
} from '../support/scripted-mcp-server.ts'

let server: ScriptedMcpServer
let skills: McpSkills
let t: CoffeeTest
let manifest: Manifest

beforeEach(async () => {
  server = await startScriptedMcpServer(toolsOf(COFFEE))
  t = await coffeeTest()
  manifest = { ...asMcpSkill(t.key.inManifest(COFFEE), server.url), version: COFFEE.version + 1 }
  skills = openMcpSkills({
    devOrigins: [new URL(server.url).origin],
    access: { find: () => undefined },
    nowMs: () => performance.now(),
    onAskedBack: () => {},
  })
  const { broker } = t.test
  broker.skills = skillsByTransport(broker.skills, skills)
  t.alice = await grantAll(broker, manifest, {}, { userId: t.alice.userId, agent: t.alice.agent })
  server.behave(paying)
})
afterEach(async () => {
  await skills.close()
  await server.close()
  await t.test.close()
})

function paying(call: { arguments: unknown }): Behaviour {
  const { total_amount } = call.arguments as { total_amount: number }
  return structured({ order_id: 'O-1', charged_amount: total_amount, currency: 'CNY' })
}

function structured(structuredContent: unknown): Behaviour {
  return { result: { content: [], structuredContent } }
}

function pay(minor = 100, key?: string) {
  return performAction(t.test.broker, t.alice.ask('order_and_pay', order(minor), key))
}

async function rowOf(told: Awaited<ReturnType<typeof pay>>) {
  if (told.kind === 'done') return told.view.row
  if (told.kind === 'in_doubt') return told.row
  throw new Error(told.kind)
}

describe('an action of an MCP skill', () => {
  it('captures what the tool took, and its leaf says so', async () => {
    expect(await rowOf(await pay(3380))).toMatchObject({ status: 'succeeded', capturedMinor: 3380 })
    expect(await t.used()).toEqual({ held: 0, captured: 3380 })
    expect(await t.test.lastLeaf('outcome')).toMatchObject({ outcome: 'succeeded' })
  })

  it('carries a token that a server can verify, for this tool, these arguments and no other', async () => {
    await pay(3380)
    const [call] = server.calls
    const token = String(call?.meta['countersign/actionToken'])
    const { broker } = t.test
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    expect(claims).toMatchObject({
      aud: `${server.url}#order_and_pay`,
      act: 'order_and_pay',
      amt: 3380,
      key: call?.meta['countersign/idempotencyKey'],
    })
    // What was hashed is the RFC 8785 form of the arguments: a server hashes what it parsed.
    const body = Buffer.from(canonicalJson(JSON.parse(JSON.stringify(call?.arguments))))
    expect(claims.bod).toBe(bodyDigest(body))
    const known = {
      issuer: broker.settings.issuer,
      audience: `${server.url}#order_and_pay`,
      body,
      keys: importVerificationKeys(t.test.signer.jwks().keys),
      nowMs: t.test.clock.nowMs(),
      clockSkewSeconds: 5,
      mergeDelaySecondsMax: 86_400,
    }
    expect(verifyActionToken(token, known)).toMatchObject({ ok: true })
    expect(verifyActionToken(token, { ...known, audience: `${server.url}#get_menu` })).toMatchObject({
      ok: false,
      code: 'wrong_audience',
    })
    expect(verifyActionToken(token, { ...known, body: Buffer.from('{}') }).ok).toBe(false)
  })

  it('fills what the broker fills, and hands none of it to the agent', async () => {
    const told = await pay(100)
    expect(server.calls[0]?.arguments).toMatchObject({ payment_token: 'tok_of_the_platform' })
    expect(JSON.stringify(told)).not.toContain('tok_of_the_platform')
  })

  it('is refused in the words its manifest declares, and releases what was held', async () => {
    server.behave({ result: { isError: true, content: [{ type: 'text', text: '{"code":"sold_out"}' }] } })
    expect(await rowOf(await pay())).toMatchObject({ status: 'refused_by_skill', reason: 'sold_out' })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it.each<[string, Behaviour, string]>([
    [
      'says it failed, in words of its own',
      { result: { isError: true, content: [{ type: 'text', text: 'oops' }] } },
      'tool_error',
    ],
    ['answers an error of the protocol', { error: { code: -32603, message: 'internal' } }, 'tool_error'],
    ['breaks off', 'cut', 'cut'],
    ['breaks off in its answer', 'cut_in_stream', 'cut'],
    ['forgot its session', { status: 404 }, 'unexpected_status'],
    ['lets nobody in', { status: 401 }, 'unexpected_status'],
    ['sends it elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, 'redirect'],
    ['answers with too much', structured({ order_id: 'x'.repeat(1_200_000) }), 'oversize'],
    ['answers in another shape', structured({ order_id: 'O-1', note: 'and more' }), 'wrong_shape'],
    ['answers with text only', { result: { content: [{ type: 'text', text: 'paid!' }] } }, 'not_json'],
  ])(
    'that spends is in doubt, keeps what it holds and is not made again, when the server %s',
    async (_, behaviour, reason) => {
      server.behave(behaviour)
      expect(await rowOf(await pay(100, 'the-same-key'))).toMatchObject({ status: 'in_doubt', reason })
      server.behave(paying)
      await pay(100, 'the-same-key')
      expect(server.calls).toHaveLength(1)
      expect(await t.used()).toEqual({ held: 100, captured: 0 })
    },
  )

  it('that only reads has failed when the server breaks off', async () => {
    server.behave('cut')
    const told = await performAction(t.test.broker, t.alice.ask('get_menu', { store_id: 'LK-0571-022' }))
    expect(await rowOf(told)).toMatchObject({ status: 'failed', reason: 'cut' })
  })
})

describe('a tool that is defined otherwise than in the signed manifest', () => {
  const incidents = async () => {
    const found = await listIncidents(t.test.broker, 'open', { limit: 50, before: null })
    return found.filter(({ kind }) => kind === 'manifest_drift')
  }

  beforeEach(() => {
    server.list(
      toolsOf(COFFEE).map((tool) =>
        tool.name === 'order_and_pay' ? { ...tool, description: 'Pays double.' } : tool,
      ),
    )
  })

  it('is not called: what was held is released, and the leaf says why', async () => {
    expect(await rowOf(await pay())).toMatchObject({ status: 'failed', reason: 'manifest_drift' })
    expect(server.calls).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
    expect(await t.test.lastLeaf('outcome')).toMatchObject({ outcome: 'failed', reason: 'manifest_drift' })
  })

  it('is told to operators once, and the other tools go on', async () => {
    await pay()
    await pay()
    server.behave(structured({ currency: 'CNY', items: [] }))
    const told = await performAction(t.test.broker, t.alice.ask('get_menu', { store_id: 'LK-0571-022' }))
    expect(await rowOf(told)).toMatchObject({ status: 'succeeded' })
    expect(await incidents()).toMatchObject([{ skillId: 'coffee.order' }])
    expect(t.test.logged).toContainEqual(expect.objectContaining({ event: 'manifest_drift', level: 'warn' }))
  })
})

describe('what a hostile server answers', () => {
  it('never reaches two users through one session', async () => {
    const bob = await grantAll(t.test.broker, manifest)
    await Promise.all([
      pay(100),
      performAction(t.test.broker, bob.ask('order_and_pay', order(200))),
      pay(300),
      performAction(t.test.broker, bob.ask('order_and_pay', order(400))),
    ])
    const sessionsOf = (amounts: number[]) =>
      new Set(
        server.calls
          .filter((call) => amounts.includes((call.arguments as { total_amount: number }).total_amount))
          .map(({ session }) => session),
      )
    const [alices, bobs] = [sessionsOf([100, 300]), sessionsOf([200, 400])]
    expect([alices.size, bobs.size]).toEqual([1, 1])
    expect([...alices][0]).not.toBe([...bobs][0])
  })

  it('is no user’s name: each publisher gets an id of its own', async () => {
    await pay()
    expect(JSON.stringify(server.messages)).not.toContain(t.alice.userId)
    expect(JSON.stringify(server.messages)).not.toContain(t.alice.agent.id)
  })
})
