import { expect, it } from 'vitest'
import type { ScriptedTurn } from '../support/scripted-model.ts'
import { type ClientWorld, linkIn, openClientWorld } from './client-world.ts'
import { findProgram, leftOut } from './find-program.ts'
import { createQwenHome, keepMcpTokens, type QwenHome } from './qwen-home.ts'
import { type Ran, runProgram } from './run-program.ts'
import { type ScriptedTurns, startScriptedTurns, type Turn } from './scripted-turns.ts'
import { tell } from './transcript.ts'

const qwen = findProgram('qwen')
if (!qwen) process.stderr.write(`Qwen Code as an MCP client: ${leftOut('qwen')}\n`)

const SERVER = 'mcp__countersign__'
const ORDER = { store_id: 'HZ-01', currency: 'CNY', pickup: 'store', total_amount: 8_800 }
const QUOTE = { store_id: 'HZ-01', items: [{ sku: 'beans-250g', quantity: 1 }], currency: 'CNY' }

const WIDER = {
  skill: 'coffee.order',
  actions: ['get_menu', 'quote', 'get_quote', 'order_and_pay'].map((name) => ({ name })),
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'day' }, limit: 20_000 },
  ],
  categories: ['store', 'price', 'basket', 'order', 'payment'],
  askFirst: [{ kind: 'always', actions: ['order_and_pay'] }],
}
/** Each run of the program takes many seconds to begin. */
const TIMEOUT_MS = 400_000

it.skipIf(!qwen)(
  'Qwen Code lists, is refused, gets consent, calls, waits for an approval, is cut off',
  async () => {
    const world = await openClientWorld()
    const model = await startScriptedTurns()
    const home = await connectedHome(world, model.baseUrl)
    const run = (...calls: Turn[]) => runQwen(home, model, calls)

    const first = await run(
      callOf('countersign_find_skills', { query: 'coffee' }),
      callOf('countersign_ask_consent', {
        skill: 'coffee.order',
        actions: [{ name: 'get_menu' }],
        categories: ['store', 'price'],
      }),
    )
    expect(first.tools).toContain(`${SERVER}countersign_ask_consent`)
    expect(first.results[0]).toContain('coffee.order')
    await world.allow(linkIn(first.results[1] ?? '', 'consents'))

    const second = await run(
      callOf('coffee_order_get_menu', { store_id: 'HZ-01' }),
      callOf('coffee_order_quote', QUOTE),
      callOf('countersign_ask_consent', WIDER),
    )
    expect(second.tools).toContain(`${SERVER}coffee_order_order_and_pay`)
    expect(second.results[0]).toContain('Done: coffee.order get_menu')
    // Listed, and refused once it is called: the model is told in the first text block, and nothing is repeated.
    expect(second.results[1]).toContain('consent_required')
    expect(world.coffee.calls.map(({ action }) => action)).toEqual(['get_menu'])
    await world.allow(linkIn(second.results[2] ?? '', 'consents'))

    // The call is held while a person answers, and goes on by itself.
    const ordering = run(callOf('coffee_order_quote', QUOTE), ({ body }) =>
      callOf('coffee_order_order_and_pay', { ...ORDER, quote_id: quoteIn(JSON.stringify(body.messages)) }),
    )
    await world.allow(await world.nextApproval())
    const ordered = await ordering
    expect(ordered.results[1]).toContain('Done: coffee.order order_and_pay')

    for (const { grantId } of await world.grants()) await world.revoke(grantId)
    const before = world.coffee.calls.length
    const after = await run(callOf('coffee_order_get_menu', { store_id: 'HZ-01' }))
    expect(after.results[0]).not.toContain('Done: coffee.order')
    expect(world.coffee.calls).toHaveLength(before)
  },
  TIMEOUT_MS,
)

type Turned = { ran: Ran; tools: string[]; results: string[] }

function callOf(name: string, args: object): ScriptedTurn {
  return { toolCalls: [{ name: 'tool_call', arguments: { name: `${SERVER}${name}`, arguments: args } }] }
}

async function connectedHome(world: ClientWorld, model: string): Promise<QwenHome> {
  const home = createQwenHome(model, {
    mcpServers: { countersign: { httpUrl: world.mcpUrl, trust: true } },
    permissions: { allow: ['mcp__countersign'] },
  })
  const tokens = await world.mcpTokens()
  keepMcpTokens(home, {
    ...tokens,
    serverName: 'countersign',
    mcpUrl: world.mcpUrl,
    tokenUrl: `${world.url}/oauth/token`,
    expiresAtMs: Date.now() + tokens.expiresInSeconds * 1000,
  })
  return home
}

function quoteIn(text: string): string {
  const quote = /quote_id[\\"':\s]+(?<id>[A-Za-z0-9_-]+)/.exec(text)?.groups?.id
  if (quote === undefined) throw new Error(`no quote in: ${text.slice(-2_000)}`)
  return quote
}

async function runQwen(home: QwenHome, model: ScriptedTurns, calls: Turn[]): Promise<Turned> {
  const prompt = model.script(...calls)
  const args = ['--auth-type', 'openai', '-y', '-o', 'stream-json', '-p', prompt]
  const ran = await runProgram(qwen ?? '', args, { env: home.env, cwd: home.project })
  const events = ran.out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const init = events.find(({ subtype }) => subtype === 'init')
  const results = events.flatMap(({ message }) =>
    Array.isArray(message?.content)
      ? message.content
          .filter((block: { type: string }) => block.type === 'tool_result')
          .map((block: { content: unknown }) => JSON.stringify(block.content))
      : [],
  )
  for (const result of results) tell(`qwen -p: ${result}`)
  return { ran, tools: init?.tools ?? [], results }
}
