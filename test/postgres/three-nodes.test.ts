import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { parseVkey } from '../../src/core/merkle/note-key.ts'
import { hashLeaf } from '../../src/core/merkle/tree.ts'
import { type ApiAnswer, readAs } from '../../src/demo/api-client.ts'
import { httpLogSource } from '../../src/sdk/http-log-source.ts'
import { verifyLog } from '../../src/sdk/verify-log.ts'
import { checkHistory } from '../nodes/check-history.ts'
import type { Ending, EndingAction, Told } from '../nodes/history.ts'
import { openPlatform, type Platform, type PlatformNode, type PlatformUser } from '../nodes/platform.ts'

const WORKERS_PER_USER = 3
const NEVER_REACHED_MINOR = 100_000_000
/** A few orders' worth: reached while everything is still running. */
const SOON_REACHED_MINOR = 8_000

const answered = z.looseObject({
  actionId: z.string(),
  /** Of the action, or of the HTTP answer where it is a problem. */
  status: z.union([z.string(), z.int()]),
  promises: z.array(z.string()).optional(),
})
const quoteShape = z.object({ result: z.object({ quote_id: z.string(), total_amount: z.int() }) })
const unsettledShape = z.array(z.looseObject({ actionId: z.string() }))
const claims = z.object({ evt: z.string(), lfh: z.string() })

it('keeps every promise with three nodes, one killed and one paused and woken', {
  timeout: 180_000,
}, async () => {
  const platform = await openPlatform(3)
  const [killed, paused, steady] = platform.nodes as [PlatformNode, PlatformNode, PlatformNode]
  const spender = await platform.addUser(SOON_REACHED_MINOR)
  const revoked = await platform.addUser(NEVER_REACHED_MINOR)
  const frozen = await platform.addUser(NEVER_REACHED_MINOR)
  const undisturbed = await platform.addUser(NEVER_REACHED_MINOR)
  const users = [spender, revoked, frozen, undisturbed]
  platform.skill.set({ slow: { action: 'order_and_pay', ms: 100 } })
  const load = startLoad(platform, users)

  await load.acknowledged(30)
  await killed.process.kill()
  load.leave(killed)
  await load.acknowledged(30)
  paused.process.pause()
  // The others take it for dead once its heartbeat ends, and take up what it had dispatched.
  await vi.waitFor(async () => expect(await liveNodes(platform)).toBe(1), { timeout: 30_000, interval: 100 })
  await Promise.all([stopByRevoke(platform, steady, revoked), stopByFreeze(platform, steady, frozen)])
  paused.process.wake()
  await load.acknowledged(20)
  await load.end()

  const ending = await endingOf(platform, steady, users)
  const { seen } = platform.recorder
  // The skill knows its users by other names.
  const owners = new Map(ending.actions.map(({ actionId, user }) => [actionId, user]))
  const named = seen.map((event) =>
    event.kind === 'called' ? { ...event, user: owners.get(event.executionId) ?? '' } : event,
  )
  expect(checkHistory({ seen: named, ending })).toEqual([])

  // What was shown above was put to the test: limits were reached, stops met running calls, all nodes decided.
  expect(load.codes.has('budget_exceeded')).toBe(true)
  expect(load.codes.has('consent_required')).toBe(true)
  expect(load.codes.has('frozen')).toBe(true)
  expect(callsOf(platform).length).toBeGreaterThan(60)
  expect(load.servedBy.size).toBe(3)
})

/** Orders without end, from several places at once, each on the next node that is not known to be gone. */
function startLoad(platform: Platform, users: readonly PlatformUser[]) {
  const { recorder } = platform
  const alive = new Set(platform.nodes)
  const codes = new Set<string>()
  const servedBy = new Set<PlatformNode>()
  let permits = 0
  let calls = 0
  let isOver = false
  let waiting: { until: number; resolve(): void }[] = []

  async function orderForEver(user: PlatformUser, worker: number): Promise<void> {
    for (let n = 0; !isOver; n += 1) {
      const nodes = [...alive]
      const node = nodes[(worker + n) % nodes.length]
      if (node) await orderOnce(node, user, `order-${worker}-${n}`).catch(() => undefined)
    }
  }

  async function orderOnce(node: PlatformNode, user: PlatformUser, key: string): Promise<void> {
    const agent = user.agent(node)
    const post = (action: string, args: object, idempotencyKey: string) =>
      agent.post(
        '/v1/actions',
        { skill: 'coffee.order', action, arguments: args, deployment: user.deployment },
        { 'idempotency-key': idempotencyKey },
      )
    const basket = { store_id: 'HZ-01', items: [{ sku: 'latte', quantity: 1 }], currency: 'CNY' }
    const quoted = await post('quote', basket, `quote-${key}`)
    if (quoted.code !== null) codes.add(quoted.code)
    const quote = quoteShape.safeParse(quoted.body)
    if (!quote.success) return
    calls += 1
    const call = `call-${calls}`
    recorder.note({ kind: 'asked', call, user: user.userId, key })
    const answer = await post(
      'order_and_pay',
      { ...quote.data.result, store_id: 'HZ-01', currency: 'CNY', pickup: 'store' },
      key,
    )
    const outcome = toldOf(answer)
    if (!outcome) return
    recorder.note({ kind: 'told', call, outcome })
    if (answer.code !== null) codes.add(answer.code)
    if (outcome.effect !== 'permit') return
    servedBy.add(node)
    permits += 1
    for (const { resolve } of waiting.filter(({ until }) => until <= permits)) resolve()
    waiting = waiting.filter(({ until }) => until > permits)
  }

  const workers = users.flatMap((user, index) =>
    Array.from({ length: WORKERS_PER_USER }, (_, i) => orderForEver(user, index * WORKERS_PER_USER + i)),
  )
  return {
    codes,
    servedBy,
    /** Resolves when so many more permits were answered. */
    acknowledged: (count: number) =>
      new Promise<void>((resolve) => waiting.push({ until: permits + count, resolve })),
    leave: (node: PlatformNode) => void alive.delete(node),
    async end() {
      isOver = true
      await Promise.all(workers)
    },
  }
}

/** Undefined for an answer that says nothing of the action, such as that nothing can be stored now. */
function toldOf({ status, body }: ApiAnswer): Told | undefined {
  const read = answered.safeParse(body)
  if (!read.success) return undefined
  const [first] = read.data.promises ?? []
  const promise = first === undefined ? null : promiseOf(first)
  const { actionId, status: state } = read.data
  if (status === 403) return { effect: 'deny', actionId, status: 'refused', promise }
  if (typeof state !== 'string') return undefined
  const effect = state === 'approval_required' ? 'ask' : 'permit'
  return { effect, actionId, status: state, promise }
}

function promiseOf(jws: string): Told['promise'] {
  const { evt, lfh } = claims.parse(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()))
  return { eventId: evt, leafHash: lfh }
}

async function stopByRevoke({ recorder }: Platform, node: PlatformNode, user: PlatformUser): Promise<void> {
  recorder.note({ kind: 'stopping', stop: 'revoke', user: user.userId })
  const answer = await user.self(node).post('/v1/revocations', { scope: { kind: 'everything' } })
  const shape = z.object({ revocation: z.object({ unsettled: unsettledShape }) })
  const { unsettled } = readAs(answer, 200, shape).revocation
  recorder.note({ kind: 'stopped', stop: 'revoke', unsettled: unsettled.map(({ actionId }) => actionId) })
}

async function stopByFreeze(platform: Platform, node: PlatformNode, user: PlatformUser): Promise<void> {
  const { recorder } = platform
  recorder.note({ kind: 'stopping', stop: 'freeze', user: user.userId })
  const what = { kind: 'user', target: user.userId, reason: 'what the test wants' }
  const answer = await platform.operatorAt(node).post('/v1/operator/freezes', what)
  const { unsettled } = readAs(answer, 201, z.object({ unsettled: unsettledShape }))
  recorder.note({ kind: 'stopped', stop: 'freeze', unsettled: unsettled.map(({ actionId }) => actionId) })
}

async function liveNodes({ database }: Platform): Promise<number> {
  const [row] = await database.query<{ count: string }>(
    `select count(*) from leases
      where name like 'node:%' and expires_at_ms > extract(epoch from clock_timestamp()) * 1000`,
  )
  return Number(row?.count)
}

/** Waits until all that was carried out is settled and logged, and reads what there is. */
async function endingOf(
  platform: Platform,
  node: PlatformNode,
  users: readonly PlatformUser[],
): Promise<Ending> {
  platform.skill.set({})
  const actions = await vi.waitFor(
    async () => {
      const keys = await keysOf(platform)
      const all = (await Promise.all(users.map((user) => ordersOf(user, node, keys)))).flat()
      const reached = new Set(callsOf(platform))
      // What never reached the skill stays in doubt for two minutes: a word of its absence is not believed before.
      const open = all.filter(
        ({ actionId, status }) => status === 'dispatched' || (status === 'in_doubt' && reached.has(actionId)),
      )
      expect(open).toEqual([])
      return all
    },
    { timeout: 90_000, interval: 500 },
  )
  const limitsMinor = new Map(users.map(({ userId, limitMinor }) => [userId, limitMinor]))
  return { actions, leaves: await leavesOf(platform, node), limitsMinor }
}

function callsOf({ recorder }: Platform): string[] {
  return recorder.seen.flatMap((event) => (event.kind === 'called' ? [event.executionId] : []))
}

/** Which key each action was asked for with; no answer says so. */
async function keysOf({ database }: Platform): Promise<Map<string, string>> {
  const rows = await database.query<{ id: string; key: string }>(
    'select id, idempotency_key as key from actions',
  )
  return new Map(rows.map(({ id, key }) => [id, key]))
}

async function ordersOf(
  user: PlatformUser,
  node: PlatformNode,
  keys: ReadonlyMap<string, string>,
): Promise<EndingAction[]> {
  const shape = z.object({
    items: z.array(
      z.looseObject({
        actionId: z.string(),
        action: z.string(),
        status: z.string(),
        amount: z.looseObject({ heldMinor: z.int(), capturedMinor: z.int() }).nullable(),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  const orders: EndingAction[] = []
  for (let cursor = ''; ; ) {
    const page = readAs(await user.self(node).get(`/v1/actions?limit=100${cursor}`), 200, shape)
    for (const { actionId, action, status, amount } of page.items) {
      if (action !== 'order_and_pay') continue
      const { heldMinor = 0, capturedMinor = 0 } = amount ?? {}
      const key = keys.get(actionId) ?? actionId
      orders.push({ actionId, user: user.userId, key, status, heldMinor, capturedMinor })
    }
    if (page.nextCursor === null) return orders
    cursor = `&cursor=${page.nextCursor}`
  }
}

/** The whole log as it is served, once nothing waits to be put into it: verified, then read leaf by leaf. */
async function leavesOf(platform: Platform, { url }: PlatformNode): Promise<Map<string, string>> {
  const token = await platform.auditorToken()
  const logKey = parseVkey((await (await fetch(`${url}/log/vkey`)).text()).trim())
  if (!logKey) throw new Error('no key')
  return vi.waitFor(
    async () => {
      const [queue] = await platform.database.query<{ count: string }>('select count(*) from log_queue')
      expect(Number(queue?.count)).toBe(0)
      const leaves = new Map<string, string>()
      const verdict = await verifyLog(httpLogSource(`${url}/log`, { token }), { logKey }, (entry) => {
        const { id } = z.looseObject({ id: z.string() }).parse(JSON.parse(entry.toString('utf8')))
        leaves.set(id, hashLeaf(entry).toString('base64url'))
      })
      expect(verdict.kind).toBe('verified')
      const [row] = await platform.database.query<{ count: string }>('select count(*) from log_leaves')
      expect(leaves.size).toBe(Number(row?.count))
      return leaves
    },
    { timeout: 30_000, interval: 500 },
  )
}
