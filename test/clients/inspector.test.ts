import { expect, it } from 'vitest'
import { z } from 'zod'
import { type ClientWorld, linkIn, openClientWorld } from './client-world.ts'
import { findProgram, leftOut } from './find-program.ts'
import { type Ran, runProgram } from './run-program.ts'
import { tell } from './transcript.ts'

const inspector = findProgram('mcp-inspector')
if (!inspector) process.stderr.write(`MCP Inspector's CLI: ${leftOut('mcp-inspector')}\n`)

const ORDER = { store_id: 'HZ-01', currency: 'CNY', pickup: 'store', total_amount: 8_800 }
const QUOTE = { store_id: 'HZ-01', items: [{ sku: 'beans-250g', quantity: 1 }], currency: 'CNY' }

it.skipIf(!inspector)(
  "MCP Inspector's CLI lists, is refused, gets consent, calls, waits for an approval, is cut off",
  async () => {
    const world = await openClientWorld()
    const stranger = await runProgram(inspector ?? '', ['--cli', world.mcpUrl, '--method', 'tools/list'])
    expect([stranger.code, stranger.err + stranger.out]).toEqual([
      3,
      expect.stringContaining('auth_required'),
    ])

    const { accessToken } = await world.mcpTokens()
    const run = (...args: string[]) => runInspector(world, accessToken, args)
    const call = (tool: string, args: object = {}) =>
      run('--method', 'tools/call', '--tool-name', tool, ...argsOf(args))

    const listed = await run('--method', 'tools/list', '--strict')
    expect(listed.code).toBe(0)
    expect(listed.out).toContain('countersign_ask_consent')

    const asked = await call('countersign_ask_consent', {
      skill: 'coffee.order',
      actions: [{ name: 'get_menu' }],
      categories: ['store', 'price'],
    })
    await world.allow(linkIn(asked.out, 'consents'))

    const menu = await call('coffee_order_get_menu', { store_id: 'HZ-01' })
    expect(menu.out).toContain('Done: coffee.order get_menu')
    const refused = await call('coffee_order_quote', QUOTE)
    expect(refused.out).toContain('consent_required')
    expect(world.coffee.calls.map(({ action }) => action)).toEqual(['get_menu'])

    const wider = await call('countersign_ask_consent', {
      skill: 'coffee.order',
      actions: ['get_menu', 'quote', 'get_quote', 'order_and_pay'].map((name) => ({ name })),
      budgets: [
        { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'day' }, limit: 20_000 },
      ],
      categories: ['store', 'price', 'basket', 'order', 'payment'],
      askFirst: [{ kind: 'always', actions: ['order_and_pay'] }],
    })
    await world.allow(linkIn(wider.out, 'consents'))
    const strict = await run('--method', 'tools/list', '--strict')
    expect([strict.code, strict.err]).toEqual([0, expect.not.stringContaining('error')])
    expect(strict.out).toContain('coffee_order_order_and_pay')

    const quoted = await call('coffee_order_quote', QUOTE)
    const quoteId = /quote_id\W+([A-Za-z0-9_-]+)/.exec(quoted.out)?.[1] ?? ''
    // It shows no progress while it waits, so it is answered at once and asks again after the yes.
    const order = { ...ORDER, quote_id: quoteId }
    const waiting = await call('coffee_order_order_and_pay', order)
    expect(waiting.out).toContain('approval_required')
    await world.allow(linkIn(waiting.out, 'approvals'))
    expect((await call('coffee_order_order_and_pay', order)).out).toContain(
      'Done: coffee.order order_and_pay',
    )

    for (const { grantId } of await world.grants()) await world.revoke(grantId)
    const before = world.coffee.calls.length
    const after = await call('coffee_order_get_menu', { store_id: 'HZ-01' })
    expect(after.out + after.err).toContain('tool_not_found')
    expect(world.coffee.calls).toHaveLength(before)
  },
  400_000,
)

async function runInspector(world: ClientWorld, token: string, args: readonly string[]): Promise<Ran> {
  const header = ['--header', `Authorization: Bearer ${token}`]
  const ran = await runProgram(inspector ?? '', ['--cli', world.mcpUrl, ...header, ...args])
  tell(`mcp-inspector ${args.join(' ')}\n${textOf(ran.out)}${ran.err}`)
  return ran
}

function argsOf(args: object): string[] {
  return Object.entries(args).flatMap(([name, value]) => [
    '--tool-arg',
    `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  ])
}

const resultShape = z.looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })) })

/** The text of a result, or how many tools there are. */
function textOf(out: string): string {
  try {
    const parsed = resultShape.safeParse(JSON.parse(out))
    if (parsed.success) return parsed.data.content.map(({ text = '' }) => text).join('\n')
  } catch {
    return out.slice(0, 2_000)
  }
  return `${out.split('"name"').length - 1} tools\n`
}
