import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { type ApiCaller, bearer, openApiClient, readAs } from '../../src/demo/api-client.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { registerSkill } from '../../src/demo/register-skill.ts'
import { startSkill } from '../../src/demo/skills/start-skill.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { verifyReceipt } from '../../src/sdk/verify-receipt.ts'
import { type BrokerProcess, runCommand, startBrokerProcess } from '../support/broker-process.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { newId, openTokenMint } from '../support/token-mint.ts'

const IN_FLIGHT = 32
/** How many orders are acknowledged before each kill. */
const ROUNDS = [20, 80]
const LIMIT_MINOR = 100_000_000
const UNLIMITED = '100000000'

const amountShape = z.object({ heldMinor: z.int(), capturedMinor: z.int(), reservedMinor: z.int() }).partial()
const outcomeShape = z.looseObject({
  actionId: z.string(),
  action: z.string(),
  status: z.string(),
  amount: amountShape.nullable(),
})
type Outcome = z.infer<typeof outcomeShape>
const pageShape = z.object({ items: z.array(outcomeShape), nextCursor: z.string().nullable() })

/** What an agent was told, with the key and the arguments it would repeat the call with. */
type Told = { key: string; args: object; outcome: Outcome }

it('loses nothing it acknowledged when it is killed with 32 in flight', { timeout: 60_000 }, async () => {
  const world = await openWorld()
  const told: Told[] = []
  for (const [round, acknowledgements] of ROUNDS.entries()) {
    world.skill.set({ slow: { action: 'order_and_pay', ms: 100 }, undecided: true })
    told.push(...(await world.orderUntilKilled(round, acknowledgements)))
    await world.restart()
    await checkNothingLost(world, told)
    await checkInDoubt(world)
    await checkCounters(world)
  }

  world.skill.set({})
  // The manifest has it asked every second; nobody but the skill's signed answer settles anything. What the skill never
  // had stays held: for as long as a call that was held up might still be accepted, "never had it" is not the last word.
  await vi.waitFor(
    async () => {
      const called = new Set(callsOf(world))
      const open = (await everyOrder(world.user)).filter((order) => order.status === 'in_doubt')
      expect(open.filter((order) => called.has(idOf(order)))).toEqual([])
      expect(open.every(({ amount }) => amount?.heldMinor === world.totalMinor)).toBe(true)
    },
    { timeout: 30_000, interval: 200 },
  )
  const orders = await everyOrder(world.user)
  const captured = new Set(orders.filter((order) => order.status === 'succeeded').map(idOf))
  expect(captured).toEqual(new Set(callsOf(world)))
  await checkCounters(world)
  expect(await runCommand(['log', 'verify', '--data', world.folder])).toMatchObject({ code: 0 })
})

/** What was acknowledged stands as it was told, can be proved, and is answered the same when it is repeated. */
async function checkNothingLost(world: World, told: readonly Told[]): Promise<void> {
  const orders = new Map((await everyOrder(world.user)).map((order) => [order.actionId, order]))
  for (const { outcome } of told) {
    expect(orders.get(outcome.actionId)).toMatchObject({ status: outcome.status, amount: outcome.amount })
  }
  for (const { key, args, outcome } of told.slice(-2)) {
    expect(readAs(await world.order(key, args), 200, outcomeShape)).toMatchObject(outcome)
    const receipt = await vi.waitFor(async () => {
      const answer = await world.user.get(`/v1/actions/${outcome.actionId}/receipt`)
      expect(answer.status).toBe(200)
      return answer.body
    })
    expect(verifyReceipt(receipt, await world.trust())).toMatchObject({ kind: 'verified' })
  }
}

/** What was permitted and not acknowledged is in doubt and held; no call left without its permit, none twice. */
async function checkInDoubt(world: World): Promise<void> {
  const orders = await everyOrder(world.user)
  const unsettled = orders.filter((order) => order.status !== 'succeeded')
  expect(unsettled.length).toBeGreaterThan(0)
  for (const { status, amount } of unsettled) {
    expect([status, amount?.heldMinor]).toEqual(['in_doubt', world.totalMinor])
  }
  const called = callsOf(world)
  expect(new Set(called).size).toBe(called.length)
  const permitted = new Set(orders.map(idOf))
  expect(called.filter((id) => !permitted.has(id))).toEqual([])
  const ids = new Set(unsettled.map(idOf))
  for (const { key, args } of world.unanswered) {
    const answer = await world.order(key, args)
    // A key the broker never saw is a new order; one that it saw is answered with what stands.
    if (answer.status === 202)
      expect(ids).toContain(readAs(answer, 202, z.object({ actionId: z.string() })).actionId)
    else expect([answer.status, answer.outcome]).toEqual([200, 'succeeded'])
  }
  const again = callsOf(world)
  expect(new Set(again).size).toBe(again.length)
  world.unanswered.length = 0
}

/** Counters equal their legs, and the log its leaves. */
async function checkCounters({ folder }: World): Promise<void> {
  const { code, out } = await runCommand(['doctor', '--data', folder, '--json'])
  expect([code, JSON.parse(out).faults]).toEqual([0, []])
}

type World = Awaited<ReturnType<typeof openWorld>>

/** The broker in a process of its own, the coffee chain on loopback, and a user whose agent may order coffee. */
async function openWorld() {
  const folder = tempFolder()
  const port = await freePort(0)
  const url = `http://localhost:${port}`
  const publisherKey = await generatePublisherKey()
  const runtimeKey = await generatePublisherKey()
  const skill = await startSkill({
    name: 'coffee.order',
    broker: { issuer: url, keys: { url: `${url}/.well-known/jwks.json` } },
    runtimeKey,
  })
  onTestFinished(() => skill.stop())
  const secrets = join(folder, 'secrets.json')
  writeFileSync(secrets, '{"coffee.order":{"/payment_token":"tok"}}', { mode: 0o600 })
  const env = {
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_DEV_TOKENS: '1',
    COUNTERSIGN_LOG_LEVEL: 'error',
    COUNTERSIGN_SKILL_DEV_ORIGINS: skill.baseUrl,
    COUNTERSIGN_SKILL_SECRETS_FILE: secrets,
    COUNTERSIGN_RATE_PER_ADDRESS: UNLIMITED,
    COUNTERSIGN_RATE_PER_AGENT: UNLIMITED,
    COUNTERSIGN_RATE_PER_USER: UNLIMITED,
  }
  let broker: BrokerProcess = await startBrokerProcess(env)

  const mint = openTokenMint(openKeyRing(join(folder, 'keys'), Date.now()), url)
  const userId = newId('user')
  const callerOf = async (caller: Parameters<typeof mint>[0]): Promise<ApiCaller> => {
    const token = await mint(caller)
    return openApiClient(
      url,
      bearer(async () => token),
    )
  }
  const about = { sessionId: newId('session'), scopes: [] }
  const operator = await callerOf({ kind: 'operator', operatorId: 'lin.wei', ...about })
  const user = await callerOf({ kind: 'user', userId, ...about })
  const actions = skill.manifest.actions.map((action) =>
    action.poll ? { ...action, poll: { ...action.poll, everySeconds: 1 } } : action,
  )
  const publisher = openApiClient(url, null)
  const keys = { publisherKey, runtimeKey }
  await registerSkill({ operator, publisher }, { ...skill.manifest, actions }, keys)
  const { agentId, deployment } = await connectAgent(user)
  const agent = await callerOf({ kind: 'agent', userId, agentId, ...about, sessionId: newId('session') })
  await giveConsent(agent, user)

  const ask = (action: string, key: string, args: object) => {
    const body = { skill: 'coffee.order', action, arguments: args, deployment }
    return agent.post('/v1/actions', body, { 'idempotency-key': key })
  }
  const basket = { store_id: 'HZ-01', items: [{ sku: 'latte', quantity: 1 }], currency: 'CNY' }
  const quoteShape = z.object({ result: z.object({ quote_id: z.string(), total_amount: z.int() }) })
  /** Calls that got no answer. */
  const unanswered: { key: string; args: object }[] = []
  let totalMinor = 0

  async function quoted(key: string): Promise<object> {
    const { result } = readAs(await ask('quote', `quote-${key}`, basket), 200, quoteShape)
    totalMinor = result.total_amount
    return { ...result, store_id: 'HZ-01', currency: 'CNY', pickup: 'store' }
  }

  return {
    folder,
    user,
    skill,
    unanswered,
    get totalMinor() {
      return totalMinor
    },
    order: (key: string, args: object) => ask('order_and_pay', key, args),
    async restart() {
      broker = await startBrokerProcess(env)
    },
    async trust() {
      const jwks = z.object({ keys: z.array(z.unknown()) })
      const published = await (await fetch(`${url}/.well-known/jwks.json`)).json()
      const vkey = (await (await fetch(`${url}/log/vkey`)).text()).trim()
      return { keys: jwks.parse(published).keys, vkey, issuer: url }
    },
    /** Orders without end, 32 at a time, until so many were acknowledged; kills the broker, returns what it had told. */
    async orderUntilKilled(round: number, acknowledgements: number): Promise<Told[]> {
      const told: Told[] = []
      let killed: Promise<void> | undefined
      async function orderForEver(worker: number): Promise<void> {
        for (let n = 0; killed === undefined; n += 1) {
          const key = `order-${round}-${worker}-${n}`
          const args = await quoted(key).catch(() => undefined)
          if (!args) continue
          const answer = await ask('order_and_pay', key, args).catch(() => undefined)
          if (!answer) {
            unanswered.push({ key, args })
            continue
          }
          const outcome = readAs(answer, 200, outcomeShape)
          told.push({ key, args, outcome })
          if (told.length >= acknowledgements) killed ??= broker.kill()
        }
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, (_, worker) => orderForEver(worker)))
      await killed
      expect(broker.complaints()).toBe('')
      return told
    },
  }
}

async function connectAgent(user: ApiCaller): Promise<{ agentId: string; deployment: string }> {
  const path = { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3-8B', revision: 'main' }
  const answer = await user.post('/v1/agents', {
    name: 'Helper',
    publicJwk: publicHalfOf(await generatePublisherKey()),
    deployments: [{ brand: 'Qwen', family: 'Qwen3', checkpoint: 'Qwen3-8B', thinking: 'off', path }],
  })
  const deployments = z.array(z.object({ id: z.string() }))
  const shape = z.object({ agent: z.object({ agentId: z.string(), deployments }) })
  const { agentId, deployments: registered } = readAs(answer, 201, shape).agent
  return { agentId, deployment: registered[0]?.id ?? '' }
}

async function giveConsent(agent: ApiCaller, user: ApiCaller): Promise<void> {
  const asked = await agent.post('/v1/consent-requests', {
    skill: 'coffee.order',
    actions: [{ name: 'quote' }, { name: 'order_and_pay' }],
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: LIMIT_MINOR }],
    categories: ['store', 'basket', 'order', 'price', 'payment'],
    purpose: 'Coffee until it stops',
  })
  const { requestId } = readAs(asked, 201, z.object({ requestId: z.string() }))
  const path = `/v1/consent-requests/${requestId}`
  const viewShape = z.object({ shown: z.object({ digest: z.string() }) })
  const { shown } = readAs(await user.get(path), 200, viewShape)
  readAs(await user.post(`${path}/approve`, { shownDigest: shown.digest }), 200, z.object({}))
}

/** Every order of the user's, from all pages. */
async function everyOrder(user: ApiCaller): Promise<Outcome[]> {
  const orders: Outcome[] = []
  for (let cursor = ''; ; ) {
    const page = readAs(await user.get(`/v1/actions?limit=100${cursor}`), 200, pageShape)
    orders.push(...page.items.filter((item) => item.action === 'order_and_pay'))
    if (page.nextCursor === null) return orders
    cursor = `&cursor=${page.nextCursor}`
  }
}

/** The executions the skill was called for, in order. */
function callsOf({ skill }: World): string[] {
  return skill.calls
    .filter((call) => call.kind === 'action' && call.action === 'order_and_pay')
    .map((call) => call.executionId)
}

function idOf(order: Outcome): string {
  return order.actionId
}
