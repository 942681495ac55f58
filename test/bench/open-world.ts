import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { createIds } from '../../src/keys/new-id.ts'
import type { Signer } from '../../src/ports/signer.ts'
import type { BenchStore, StoreKind } from './bench-store.ts'
import { ACTION, ARGUMENTS, DEPLOYMENT, manifestAt } from './benched-skill.ts'
import { DECISION_PATH } from './decision-route.ts'
import { type Door, type Load, sendMany } from './load-client.ts'
import { type CallerBytes, callerBytes, keyCounter, requestSource } from './request-source.ts'
import { type Grantee, seedGrants } from './seed-grants.ts'
import { startWorker, type Worker } from './start-worker.ts'
import { seededRandom } from './statistics.ts'
import { type DatabaseWatch, openDatabaseWatch } from './watch-database.ts'

export type WorldOptions = {
  readonly store: BenchStore
  readonly nodes: number
  readonly grants: number
  readonly calledMost: number
  readonly nodeOptions: readonly string[]
}

/** Where requests go, one port for each node, and what has to come back. */
export type Target = {
  readonly ports: readonly number[]
  readonly path: string
  readonly expects: Load['expects']
}

/** The nodes of one platform over so many grants, its skill, and the agents that call. */
export type World = {
  readonly store: StoreKind
  readonly nodes: number
  readonly grants: number
  /** How many of the grants are called on. */
  readonly called: number
  readonly seedSeconds: number
  readonly brokers: readonly Worker[]
  /** Looks at the database from outside, where it is one that can be. */
  readonly watch: DatabaseWatch | null
  readonly decisions: Target
  readonly actions: Target
  /** Requests of agents chosen at random, to any servers that take them. */
  requestsTo(target: Target): Door[]
  /** Gives every agent a new token and lets each ask once, so that no measurement pays for a first time. */
  warmUp(): Promise<void>
  stop(): Promise<void>
}

const WARM_UP_IN_FLIGHT = 64
const BODY = JSON.stringify({
  skill: 'coffee.order',
  action: ACTION,
  arguments: ARGUMENTS,
  deployment: DEPLOYMENT,
})

/** Fills a store, and starts brokers and skill as processes of their own. */
export async function openWorld({ store, nodes, grants, ...options }: WorldOptions): Promise<World> {
  const skillPort = await anyPort()
  const ports = await Promise.all(Array.from({ length: nodes }, anyPort))
  const issuer = `http://localhost:${ports[0]}`
  const skillOrigin = `http://127.0.0.1:${skillPort}`

  const startedMs = performance.now()
  const isCalled = chooseAtRandom(grants, Math.min(grants, options.calledMost))
  let grantees: Grantee[] = []
  await store.fill((sink) => {
    const manifest = manifestAt(skillOrigin)
    grantees = seedGrants(sink, { count: grants, manifest, nowMs: Date.now(), withCounters: true, isCalled })
  })
  const seedSeconds = (performance.now() - startedMs) / 1000

  const signer = openKeyRing(store.keys, Date.now())
  const closers: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  const start = async (...given: Parameters<typeof startWorker>): Promise<Worker> => {
    const worker = await startWorker(...given)
    closers.push(() => worker.stop())
    return worker
  }
  const brokers: Worker[] = []
  let watch: DatabaseWatch | null = null
  try {
    for (const [node, port] of ports.entries()) {
      const place = { ...store.placeOf(node), port, skillOrigin, publicUrl: issuer }
      brokers.push(await start('broker-worker', place, options.nodeOptions))
    }
    const keysUrl = `http://127.0.0.1:${ports[0]}/.well-known/jwks.json`
    await start('skill-worker', { port: skillPort, issuer, keysUrl })
    if (store.adminUrl !== null) {
      const opened = await openDatabaseWatch(store.adminUrl)
      watch = opened
      closers.push(() => opened.close())
    }
  } catch (error) {
    await stop()
    throw error
  }

  const random = seededRandom(grants)
  const nextKey = keyCounter()
  const decisions: Target = {
    ports: brokers.map((broker) => broker.port('decisions')),
    path: DECISION_PATH,
    expects: { status: 201, text: '"leafHash":"' },
  }
  let callers: CallerBytes[] = []
  const doorsOf = ({ ports: doors, path }: Target, pick: () => number): Door[] =>
    doors.map((port) => ({ port, next: requestSource({ port, path }, callers, pick, nextKey) }))
  return {
    store: store.kind,
    nodes,
    grants,
    called: grantees.length,
    seedSeconds,
    brokers,
    watch,
    decisions,
    actions: {
      ports: brokers.map((broker) => broker.port('actions')),
      path: '/v1/actions',
      // A 200 can also say that the skill refused.
      expects: { status: 200, text: '"status":"succeeded"' },
    },
    requestsTo: (target) => doorsOf(target, () => Math.floor(random() * callers.length)),
    async warmUp() {
      callers = await Promise.all(grantees.map((grantee) => callerOf(signer, issuer, grantee)))
      let turn = -1
      const inTurn = () => {
        turn = (turn + 1) % callers.length
        return turn
      }
      const load = { expects: decisions.expects, inFlight: WARM_UP_IN_FLIGHT }
      // Each node has caches of its own.
      for (const door of doorsOf(decisions, inTurn))
        await sendMany({ ...load, doors: [door] }, callers.length)
    },
    stop,
  }
}

const newId = createIds(Date.now)

async function callerOf(signer: Signer, issuer: string, grantee: Grantee): Promise<CallerBytes> {
  const sessionId = newId('session')
  const caller = { kind: 'agent', ...grantee, sessionId, scopes: [] } as const
  return callerBytes(await mintAccessToken(signer, { issuer, caller, nowMs: Date.now() }), BODY)
}

/** Says of each index in turn whether it is one of the chosen, so that exactly `chosen` of `count` are. */
function chooseAtRandom(count: number, chosen: number): (index: number) => boolean {
  const random = seededRandom(count + 1)
  let missing = chosen
  return (index) => {
    if (random() * (count - index) >= missing) return false
    missing -= 1
    return true
  }
}

async function anyPort(): Promise<number> {
  const port = await freePort(0)
  if (port === undefined) throw new Error('no port of 127.0.0.1 can be listened on')
  return port
}
