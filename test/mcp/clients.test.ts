import { afterEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { ALWAYS } from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { insertAgent } from '../support/test-broker.ts'
import { type McpWorld, openMcpWorld, textOf, type WorldOptions } from './mcp-world.ts'

let world: McpWorld
afterEach(() => world.close())

type Caller = {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
}

/** The clients that real agents are made with. */
const CLIENTS: readonly (readonly [string, (world: McpWorld, token?: string) => Promise<Caller>])[] = [
  ['the v2 client on 2026-07-28', (w, token) => w.connect(token === undefined ? {} : { token })],
  [
    'the v2 client on 2025-11-25',
    (w, token) => w.connect({ protocol: '2025-11-25', ...(token === undefined ? {} : { token }) }),
  ],
  ['the v1 client', (w, token) => w.connectV1(token === undefined ? {} : { token })],
]

async function open(options: WorldOptions = {}): Promise<McpWorld> {
  world = await openMcpWorld(options)
  return world
}

const ORDER = 'coffee_order_order_and_pay'
const args = (minor: number) => order(minor) as Record<string, unknown>

describe.each(CLIENTS)('%s', (_, connect) => {
  it('lists the tools of connected skills beside the broker’s own', async () => {
    const client = await connect(await open())
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    expect(names.slice(0, 4)).toEqual([
      'countersign_find_skills',
      'countersign_ask_consent',
      'countersign_my_authority',
      'countersign_check_answer',
    ])
    expect(names).toContain(ORDER)
    expect(names).toContain('coffee_order_get_menu')
  })

  it('is refused what the user has not allowed, given consent, and then calls', async () => {
    await open()
    const { broker } = world.app
    const bob = await world.app.tokenFor({ kind: 'agent', ...(await stranger(world)) })
    const client = await connect(world, bob)
    const call = () =>
      client.callTool({ name: 'coffee_order_get_menu', arguments: { store_id: 'LK-0571-022' } })

    const refused = await call()
    expect(refused).toMatchObject({ isError: true })
    const [, url = '', requestId = ''] =
      /(https:\/\/broker\.example\/consents\/(crq_\w+))/.exec(textOf(refused)) ?? []
    expect(textOf(refused)).toMatch(/^Refused: consent_required\. /)
    expect(textOf(refused)).toContain(`Reference: ${requestId}`)
    expect(url).not.toBe('')
    expect(world.app.skill.calls).toHaveLength(0)

    const request = await broker.store.read(async (tx) => tx.consentRequests.find(requestId))
    const approved = await approveConsent(broker, { userId: request?.userId ?? '', requestId })
    expect(approved.kind).toBe('approved')
    const done = await call()
    expect(done).not.toHaveProperty('isError', true)
    expect(textOf(done)).toMatch(/^Done: coffee\.order get_menu/)
    expect(world.app.skill.calls).toHaveLength(1)
  })

  it('waits for an approval, and orders once however often it asks', async () => {
    await open({ terms: ALWAYS })
    const client = await connect(world)
    const call = () => client.callTool({ name: ORDER, arguments: args(3380) })

    const first = await call()
    const again = await call()
    expect(first).toMatchObject({ isError: true })
    expect(textOf(first)).toMatch(/^Refused: approval_required\. /)
    const approvalId = /approvals\/(apr_\w+)/.exec(textOf(first))?.[1] ?? ''
    expect(textOf(again)).toContain(approvalId)

    const { broker } = world.app
    const { userId } = world.alice
    await approveAction(broker, { userId, approvalId })
    const done = await call()
    expect(done).toMatchObject({ structuredContent: { order_id: 'O-1' } })
    const repeated = await call()
    expect(textOf(repeated)).toMatch(
      /^This was done \d+ s ago with the same arguments, and was not done again\./,
    )
    expect(textOf(repeated)).toContain('_again with the value 1')
    const orders = world.app.skill.calls.filter(({ endpoint }) => !endpoint.endsWith('/quotes/show'))
    expect(orders).toHaveLength(1)
  })

  it('is cut off by a revoke', async () => {
    await open()
    const client = await connect(world)
    await client.callTool({ name: ORDER, arguments: args(1000) })
    const { broker } = world.app
    const { userId, grant } = world.alice
    await revokeAuthority(broker, { userId, scope: { kind: 'grant', id: grant.id } }, async () => [])

    for (const minor of [1000, 2000]) {
      const refused = await client.callTool({ name: ORDER, arguments: args(minor) })
      expect(refused).toMatchObject({ isError: true })
      expect(refused).not.toHaveProperty('structuredContent')
    }
    expect(world.app.skill.calls).toHaveLength(1)
    expect((await client.listTools()).tools).toHaveLength(7)
  })
})

async function stranger({ app }: McpWorld): Promise<{ userId: string; agentId: string }> {
  const userId = app.broker.newId('user')
  const agent = await insertAgent(app.broker, { userId })
  await app.broker.store.transaction(async (tx) =>
    tx.users.save({ id: userId, timeZone: 'UTC', createdAtMs: tx.nowMs }),
  )
  return { userId, agentId: agent.id }
}
