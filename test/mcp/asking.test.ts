import { afterEach, describe, expect, it } from 'vitest'
import { approveAction, refuseAction } from '../../src/broker/answer-approval.ts'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { ALWAYS } from '../support/coffee-test.ts'
import { order } from '../support/granted-agent.ts'
import { insertAgent } from '../support/test-broker.ts'
import { type McpWorld, modernCall, openMcpWorld, textOf, type WorldOptions } from './mcp-world.ts'

const ORDER = 'coffee_order_order_and_pay'
const URL_CLIENT = { capabilities: { elicitation: { url: {} } } } as const

let world: McpWorld
afterEach(() => world.close())

async function open(options: WorldOptions = { terms: ALWAYS }): Promise<McpWorld> {
  world = await openMcpWorld(options)
  return world
}

function idIn(text: string): string {
  return /(?:apr|crq)_\w+/.exec(text)?.[0] ?? ''
}

async function sayYes(id: string): Promise<void> {
  const { broker } = world.app
  const { userId } = world.alice
  if (id.startsWith('crq')) await approveConsent(broker, { userId, requestId: id })
  else await approveAction(broker, { userId, approvalId: id })
}

function orders(): number {
  return world.app.skill.calls.filter(({ endpoint }) => !endpoint.endsWith('/quotes/show')).length
}

describe.each(['2026-07-28', '2025-11-25'] as const)('a client of %s that opens pages', (protocol) => {
  async function connect(
    onAsked: (params: { url: string; message: string }) => Promise<'accept' | 'decline'>,
  ) {
    return world.connect({
      protocol,
      options: URL_CLIENT,
      prepare: (client) =>
        client.setRequestHandler('elicitation/create', async ({ params }) => {
          if (params.mode !== 'url') throw new Error('only pages')
          return { action: await onAsked(params) }
        }),
    })
  }

  it('is asked to open the page, and told the outcome of the same call after the yes', async () => {
    await open()
    const urls: string[] = []
    const client = await connect(async ({ url }) => {
      urls.push(url)
      await sayYes(idIn(url))
      return 'accept'
    })
    const result = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(urls).toHaveLength(1)
    expect(urls[0]).toMatch(/^https:\/\/broker\.example\/approvals\/apr_/)
    expect(result).toMatchObject({ structuredContent: { order_id: 'O-1' } })
    expect(orders()).toBe(1)
  })

  it('is told where to answer when its user opened the page and has not answered in time', async () => {
    await open({ terms: ALWAYS, holdMs: 30 })
    const client = await connect(async () => 'accept')
    const result = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(result).toMatchObject({ isError: true })
    expect(textOf(result)).toMatch(/^Refused: approval_required/)
    expect(orders()).toBe(0)
  })

  it('is told where to answer when its user declines to open the page', async () => {
    await open()
    const client = await connect(async () => 'decline')
    const result = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(textOf(result)).toContain('https://broker.example/approvals/apr_')
    expect(orders()).toBe(0)
  })

  it('is told of the no', async () => {
    await open()
    const client = await connect(async ({ url }) => {
      const { userId } = world.alice
      await refuseAction(world.app.broker, { userId, approvalId: idIn(url) })
      return 'accept'
    })
    const result = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(textOf(result)).toMatch(/^Refused: approval_refused/)
  })

  it('gives a consent in the same call', async () => {
    await open({ terms: { actions: [{ name: 'search_stores', constraints: [] }], budgets: [] } })
    const client = await connect(async ({ url }) => {
      expect(url).toContain('/consents/crq_')
      await sayYes(idIn(url))
      return 'accept'
    })
    const result = await client.callTool({
      name: 'coffee_order_get_menu',
      arguments: { store_id: 'LK-0571-022' },
    })
    expect(textOf(result)).toMatch(/^Done: coffee\.order get_menu/)
    expect(result).toMatchObject({ structuredContent: { currency: 'CNY', items: [] } })
  })
})

describe('what a client of 2026 hands back', () => {
  const CAN = { elicitation: { url: {} } }
  async function asked(minor = 3380): Promise<{ state: string; url: string }> {
    const { body, headers } = modernCall(ORDER, order(minor), {}, CAN)
    const answer = await world.post(body, { headers })
    const result = answer.json.result as {
      resultType: string
      requestState: string
      inputRequests: { user: { params: { url: string } } }
    }
    expect(result.resultType).toBe('input_required')
    return { state: result.requestState, url: result.inputRequests.user.params.url }
  }
  async function repeat(state: string, minor = 3380, token?: string) {
    const { body, headers } = modernCall(
      ORDER,
      order(minor),
      { requestState: state, inputResponses: { user: { action: 'accept' } } },
      CAN,
    )
    return world.post(body, { headers, ...(token === undefined ? {} : { token }) })
  }

  it('is good once', async () => {
    await open()
    const { state, url } = await asked()
    await sayYes(idIn(url))
    const done = await repeat(state)
    expect(textOf(done.json.result)).toMatch(/^Done: /)
    const replayed = await repeat(state)
    expect(replayed.json).toMatchObject({
      error: { code: -32602, data: { reason: 'invalid_request_state' } },
    })
    expect(orders()).toBe(1)
  })

  it('is good for no other call, no other agent, and not when it was made up or is old', async () => {
    await open()
    const { state } = await asked()
    const { userId } = world.alice
    const other = await insertAgent(world.app.broker, { userId })
    const token = await world.app.tokenFor({ kind: 'agent', userId, agentId: other.id })
    const error = { error: { code: -32602 } }
    expect((await repeat(state, 3381)).json).toMatchObject(error)
    expect((await repeat(state, 3380, token)).json).toMatchObject(error)
    expect((await repeat('A'.repeat(43))).json).toMatchObject(error)
    expect((await repeat(`${state}x`)).json).toMatchObject(error)
    world.app.clock.advance(14 * 60_000)
    expect(textOf((await repeat(state)).json.result)).toContain('approval_required')
    const late = await asked(3390)
    world.app.clock.advance(15 * 60_000)
    const token2 = await world.app.tokenFor({
      kind: 'agent',
      userId,
      agentId: world.alice.agent.id,
    })
    expect((await repeat(late.state, 3390, token2)).json).toMatchObject(error)
    expect(orders()).toBe(0)
  })
})

describe('a client that listens to progress', () => {
  it('is held until its user has answered, and then told the outcome', async () => {
    await open({ terms: ALWAYS, holdMs: 5_000 })
    const client = await world.connect({ protocol: '2025-11-25' })
    const messages: string[] = []
    const result = await client.callTool(
      { name: ORDER, arguments: order(3380) as Record<string, unknown> },
      {
        onprogress: ({ message = '' }) => {
          messages.push(message)
          if (message.includes('/approvals/')) void sayYes(idIn(message))
        },
      },
    )
    expect(result).toMatchObject({ structuredContent: { order_id: 'O-1' } })
    expect(messages.filter((message) => message.startsWith('Waiting for the user'))).toHaveLength(1)
    expect(messages).toContain('Answered by coffee.order')
  })

  it('is answered with the link when the time is up, and holds nothing', async () => {
    await open({ terms: ALWAYS, holdMs: 30 })
    const client = await world.connect()
    const result = await client.callTool(
      { name: ORDER, arguments: order(3380) as Record<string, unknown> },
      { onprogress: () => undefined },
    )
    expect(textOf(result)).toMatch(/^Refused: approval_required/)
  })

  it('gives up, and its question stays where it is', async () => {
    await open({ terms: ALWAYS, holdMs: 5_000 })
    const client = await world.connect({ protocol: '2025-11-25' })
    const giveUp = new AbortController()
    let id = ''
    const call = client.callTool(
      { name: ORDER, arguments: order(3380) as Record<string, unknown> },
      {
        signal: giveUp.signal,
        onprogress: ({ message = '' }) => {
          if (!message.includes('/approvals/')) return
          id = idIn(message)
          giveUp.abort()
        },
      },
    )
    await expect(call).rejects.toThrow()
    await sayYes(id)
    const done = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(done).toMatchObject({ structuredContent: { order_id: 'O-1' } })
    expect(orders()).toBe(1)
  })
})

describe('an answer an agent looks for', () => {
  it('is told by its reference, to the agent that asked and to nobody else', async () => {
    await open()
    const client = await world.connect()
    const refused = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    const reference = idIn(textOf(refused))
    const check = { name: 'countersign_check_answer', arguments: { reference } }
    expect(await client.callTool(check)).toMatchObject({ structuredContent: { state: 'waiting' } })
    await sayYes(reference)
    expect(await client.callTool(check)).toMatchObject({ structuredContent: { state: 'approved' } })

    const { userId } = world.alice
    const other = await insertAgent(world.app.broker, { userId })
    const stranger = await world.connect({
      token: await world.app.tokenFor({ kind: 'agent', userId, agentId: other.id }),
    })
    expect(textOf(await stranger.callTool(check))).toMatch(/^Refused: not_found/)
  })

  it('is waited for', async () => {
    await open()
    const client = await world.connect()
    const refused = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    const reference = idIn(textOf(refused))
    const checked = client.callTool({
      name: 'countersign_check_answer',
      arguments: { reference, waitSeconds: 20 },
    })
    await sayYes(reference)
    expect(await checked).toMatchObject({ structuredContent: { state: 'approved' } })
  })
})

describe('a server that stops', () => {
  it('keeps nobody waiting for a person, and tells where to answer', async () => {
    await open({ terms: ALWAYS, holdMs: 60_000 })
    const client = await world.connect({ protocol: '2025-11-25' })
    const result = await client.callTool(
      { name: ORDER, arguments: order(3380) as Record<string, unknown> },
      {
        onprogress: ({ message = '' }) => {
          if (message.includes('/approvals/')) world.surface.stop()
        },
      },
    )
    expect(textOf(result)).toMatch(/^Refused: approval_required/)
  })
})

describe('a fault of our own', () => {
  it('is logged, and told to nobody', async () => {
    await open()
    const client = await world.connect()
    await client.listTools()
    world.app.broker.newId = () => {
      throw new Error('the disk of node 7 is full')
    }
    const result = await client.callTool({ name: ORDER, arguments: order(3380) as Record<string, unknown> })
    expect(textOf(result)).toMatch(/^Refused: internal\./)
    expect(JSON.stringify(result)).not.toContain('disk')
    expect(world.app.logged.map(({ event }) => event)).toContain('mcp_call_failed')
  })
})
