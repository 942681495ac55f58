import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { paid } from '../support/coffee-test.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'
import { type McpWorld, modernCall, openMcpWorld, textOf } from './mcp-world.ts'

const ORDER = 'coffee_order_order_and_pay'
let world: McpWorld
beforeEach(async () => {
  world = await openMcpWorld()
})
afterEach(() => world.close())

async function call(args: object, name = ORDER, meta: Record<string, unknown> = {}): Promise<string> {
  const { body, headers } = modernCall(name, args, { _meta: meta })
  const { userId, agent } = world.alice
  const token = await world.app.tokenFor({ kind: 'agent', userId, agentId: agent.id })
  return textOf((await world.post(body, { headers, token })).json.result)
}
const basket = (minor: number, extra: object = {}) => ({ ...(order(minor) as object), ...extra })
const calls = () => world.app.skill.calls.length

describe('the same call again', () => {
  it('is told what was done, and with the number it names is done once more', async () => {
    expect(await call(basket(100))).toMatch(/^Done/)
    expect(await call(basket(100))).toMatch(
      /^This was done 0 s ago .* add the argument _again with the value 1\./,
    )
    expect(await call(basket(100, { _again: 2 }))).toMatch(/^This was done/)
    expect(calls()).toBe(1)
    expect(await call(basket(100, { _again: 1 }))).toMatch(/^Done/)
    expect(await call(basket(100, { _again: 1 }))).toMatch(/^This was done .* value 2\./)
    expect(calls()).toBe(2)
    expect(world.app.skill.calls.map(({ body }) => body.toString()).join()).not.toContain('_again')
    expect(await call(basket(100), ORDER, { 'countersign/again': 2 })).toMatch(/^Done/)
  })

  it('is another call when ten minutes have passed', async () => {
    await call(basket(100))
    world.app.clock.advance(10 * 60_000 - 1)
    expect(await call(basket(100))).toMatch(/^This was done 600 s ago/)
    world.app.clock.advance(1)
    expect(await call(basket(100))).toMatch(/^Done/)
    expect(calls()).toBe(2)
  })

  it('is the same whatever the order of its arguments and whether defaults are written', async () => {
    const spot = { lat_e3: 30_000, lng_e3: 120_000 }
    await call(basket(100))
    const turned = Object.fromEntries(Object.entries(basket(100)).reverse())
    expect(await call(turned)).toMatch(/^This was done/)
    world.app.skill.replyNext(answered({ stores: [] }), answered({ stores: [] }))
    await call(spot, 'coffee_order_search_stores')
    await call({ radius_m: 1000, ...spot }, 'coffee_order_search_stores')
    const [, first, second] = world.app.skill.calls.map(({ body }) => body.toString())
    expect(first).toBe(second)
  })

  it('is a new one each time where nothing but reading is done', async () => {
    for (let i = 0; i < 20; i++) {
      expect(await call({ store_id: 'LK-1' }, 'coffee_order_get_menu')).toMatch(/^Done/)
    }
    expect(calls()).toBe(20)
  })

  it('executes once when it is made many times at once', async () => {
    const told = await Promise.all(Array.from({ length: 8 }, () => call(basket(100))))
    expect(calls()).toBe(1)
    expect(told.filter((text) => text.startsWith('Done'))).toHaveLength(1)
    expect(told.filter((text) => text.startsWith('This was done'))).toHaveLength(7)
  })

  it('is never made again by itself while what became of it is in doubt', async () => {
    world.app.skill.replyNext(broken('timed_out'))
    expect(await call(basket(100))).toMatch(/^Refused: in_doubt/)
    expect(await call(basket(100))).toMatch(/^Refused: in_doubt/)
    world.app.clock.advance(60 * 60_000)
    expect(await call(basket(100, { _again: 1 }))).toMatch(/^Refused: in_doubt/)
    expect(calls()).toBe(1)
  })

  it('is made again by itself when nothing was sent', async () => {
    world.app.skill.replyNext(notSent(), paid(100))
    expect(await call(basket(100))).toMatch(/^Refused: failed/)
    expect(await call(basket(100))).toMatch(/^Done/)
  })
})

describe('a client with keys of its own', () => {
  it('is held to them', async () => {
    const key = { 'countersign/idempotencyKey': 'order-0001' }
    expect(await call(basket(100), ORDER, key)).toMatch(/^Done/)
    expect(await call(basket(100), ORDER, key)).toMatch(/^This was done/)
    expect(await call(basket(200), ORDER, key)).toMatch(/^Refused: idempotency_conflict/)
    expect(await call(basket(100), ORDER, { 'countersign/idempotencyKey': 'order-0002' })).toMatch(/^Done/)
    expect(calls()).toBe(2)
  })

  it('cannot take a key the broker makes', async () => {
    const key = { 'countersign/idempotencyKey': `tool ${'A'.repeat(43)} 0` }
    expect(await call(basket(100), ORDER, key)).toMatch(/^Refused: invalid_arguments/)
    expect(calls()).toBe(0)
  })
})

describe('the model deployment of a call', () => {
  it('is the agent’s only one, or the one it names', async () => {
    await call(basket(100))
    const [row] = await world.app.broker.store.read(async (tx) =>
      tx.actions.list(
        { userId: world.alice.userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null },
        { limit: 1, before: null },
      ),
    )
    expect(row?.deploymentId).toBe(JSON.parse(world.alice.agent.deployments)[0].id)
    expect(await call(basket(101), ORDER, { 'countersign/deployment': 'dep_never' })).toMatch(
      /^Refused: deployment_not_allowed/,
    )
  })
})
