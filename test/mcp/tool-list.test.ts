import { afterEach, describe, expect, it } from 'vitest'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { manifestDigest } from '../../src/core/manifest/canonical-manifest.ts'
import { loadManifest } from '../../src/core/manifest/loaded-manifest.ts'
import { actionTool } from '../../src/mcp/action-tool.ts'
import { listTools } from '../../src/mcp/list-tools.ts'
import { grantAll } from '../support/granted-agent.ts'
import { SAMPLE_SKILLS, sampleManifest } from '../support/sample-manifest.ts'
import { insertAgent, suspendSkill } from '../support/test-broker.ts'
import { type McpWorld, openMcpWorld } from './mcp-world.ts'

/** Keywords a client of years ago understands. */
const PLAIN = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'description',
  'default',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
])

function strayKeywords(schema: JsonValue): string[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return []
  return Object.entries(schema).flatMap(([name, value]) => {
    if (!PLAIN.has(name)) return [name]
    if (name === 'properties') return Object.values(value as object).flatMap(strayKeywords)
    return name === 'items' || name === 'additionalProperties' ? strayKeywords(value) : []
  })
}

describe.each(SAMPLE_SKILLS)('the tools of %s', (skill) => {
  const manifest = sampleManifest(skill)
  const loaded = loadManifest(manifestDigest(manifest), manifest)
  const tools = [...loaded.actions.values()].map((action) => ({ action, tool: actionTool(loaded, action) }))

  it('have schemas that older clients load: plain, of an object, with properties and without references', () => {
    for (const { tool } of tools) {
      expect(tool.inputSchema).toMatchObject({ type: 'object', properties: expect.any(Object) })
      expect(strayKeywords(tool.inputSchema as JsonValue)).toEqual([])
      expect(strayKeywords((tool.outputSchema ?? {}) as JsonValue)).toEqual([])
      expect(tool.name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    }
  })

  it('show no field that the broker fills', () => {
    for (const { action, tool } of tools) {
      const shown = JSON.stringify(tool.inputSchema)
      for (const { pointer } of action.brokerFields) {
        expect(shown).not.toContain(`"${pointer.split('/').at(-1)}"`)
      }
    }
  })

  it('say truly whether they only read', () => {
    for (const { action, tool } of tools) {
      const onlyReads = action.declared.effects.join() === 'read'
      expect(tool.annotations).toMatchObject({
        readOnlyHint: onlyReads,
        destructiveHint: !onlyReads,
        idempotentHint: onlyReads,
        openWorldHint: true,
      })
      expect(Object.hasOwn(tool.inputSchema.properties ?? {}, '_again')).toBe(!onlyReads)
    }
  })
})

describe('the list', () => {
  let world: McpWorld
  afterEach(() => world.close())

  it('is of the skills this agent has a grant for, and of no other agent’s', async () => {
    world = await openMcpWorld()
    const { broker } = world.app
    const other = await insertAgent(broker, { userId: world.alice.userId })
    await grantAll(broker, sampleManifest('web.browse'), {}, { userId: world.alice.userId, agent: other })
    const namesOf = async (agentId: string) =>
      (await listTools(broker, { userId: world.alice.userId, agentId }, undefined)).tools.map(
        ({ name }) => name,
      )
    const own = await namesOf(world.alice.agent.id)
    const others = await namesOf(other.id)
    expect(own.some((name) => name.startsWith('web_browse_'))).toBe(false)
    expect(others.some((name) => name.startsWith('coffee_order_'))).toBe(false)
    expect(others).toContain('web_browse_open_page')
    await suspendSkill(broker, 'web.browse')
    expect(await namesOf(other.id)).toHaveLength(7)
  })

  it('has those that still need consent', async () => {
    world = await openMcpWorld({ terms: { actions: [{ name: 'get_menu', constraints: [] }], budgets: [] } })
    const client = await world.connect()
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('coffee_order_order_and_pay')
  })

  it('refuses a cursor that is none of its own', async () => {
    world = await openMcpWorld()
    const client = await world.connect()
    await expect(client.listTools({ cursor: 'bm9wZQ' })).rejects.toMatchObject({ code: -32602 })
    const last = Buffer.from('countersign_forget').toString('base64url')
    const { tools } = await client.listTools({ cursor: last })
    expect(tools[0]?.name).toBe('coffee_order_search_stores')
  })

  it.each(['2026-07-28', '2025-11-25'] as const)(
    'of %s is told to have changed to the agent whose grant changed, and to nobody else',
    async (protocol) => {
      world = await openMcpWorld()
      const { broker } = world.app
      const bob = await insertAgent(broker, { userId: broker.newId('user') })
      await grantAll(broker, sampleManifest('web.browse'), {}, { userId: bob.userId, agent: bob })
      const bobs = await world.app.tokenFor({ kind: 'agent', userId: bob.userId, agentId: bob.id })
      const told: string[] = []
      const listen = (who: string, token: string) =>
        new Promise<void>((resolve, reject) => {
          const onChanged = () => {
            told.push(who)
            resolve()
          }
          world
            .connect({
              token,
              protocol,
              options: { listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } } },
            })
            .catch(reject)
        })
      void listen('bob', bobs)
      const heard = listen('alice', world.token)
      // Listening begins a little after the connection stands.
      const revoke = setInterval(() => void touch(), 100)
      const touch = async () => {
        const { grant } = world.alice
        await broker.store.transaction(async (tx) => tx.grants.update({ ...grant, changedAtMs: tx.nowMs }))
      }
      await heard
      clearInterval(revoke)
      expect(new Set(told)).toEqual(new Set(['alice']))
      const { userId, grant } = world.alice
      await revokeAuthority(broker, { userId, scope: { kind: 'grant', id: grant.id } }, async () => [])
      expect(told).not.toContain('bob')
    },
  )
})

describe('what the broker’s own tools tell', () => {
  let world: McpWorld
  afterEach(() => world.close())

  it('is what is left of budgets only where the grant shares it', async () => {
    world = await openMcpWorld({ terms: { sharesBudget: true } })
    const client = await world.connect()
    const shared = await client.callTool({ name: 'countersign_my_authority', arguments: {} })
    expect(shared.structuredContent).toMatchObject({
      grants: [{ skill: 'coffee.order', budgets: [{ used: { left: 1_000_000 } }] }],
    })
    await world.close()
    world = await openMcpWorld()
    const silent = await (await world.connect()).callTool({ name: 'countersign_my_authority', arguments: {} })
    expect(silent.structuredContent).toMatchObject({ grants: [{ budgets: null }] })
    expect(JSON.stringify(silent)).not.toContain('1000000')
  })

  it('is which skills there are, and how to ask for them', async () => {
    world = await openMcpWorld()
    const client = await world.connect()
    const find = (args: Record<string, unknown>) =>
      client.callTool({ name: 'countersign_find_skills', arguments: args })
    expect((await find({ query: 'coffee ORDER' })).structuredContent).toMatchObject({
      skills: [{ skill: 'coffee.order', connected: true }],
    })
    expect((await find({ query: 'no such thing' })).structuredContent).toEqual({ skills: [] })
    expect((await find({ skill: 'coffee.order' })).structuredContent).toMatchObject({
      skill: { tools: expect.arrayContaining([expect.objectContaining({ action: 'order_and_pay' })]) },
    })

    const ask = await client.callTool({
      name: 'countersign_ask_consent',
      arguments: {
        skill: 'coffee.order',
        actions: [{ name: 'order_and_pay' }],
        budgets: [
          { measure: 'amount', currency: 'CNY', limit: 5000, window: { kind: 'calendar', period: 'day' } },
        ],
        categories: ['order', 'price'],
        purpose: 'Your morning coffee',
        oneTime: true,
        sharesBudget: true,
        retentionDays: { order_history: 30 },
      },
    })
    expect(ask.structuredContent).toMatchObject({
      kind: 'consent',
      url: expect.stringContaining('/consents/crq_'),
    })
    const without = await client.callTool({
      name: 'countersign_ask_consent',
      arguments: { skill: 'coffee.order', actions: [{ name: 'order_and_pay' }] },
    })
    expect(without).toMatchObject({ isError: true })
    expect(JSON.stringify(without)).toContain('budget_missing')
  })
})
