import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { createIds } from '../../src/keys/new-id.ts'
import type { Signer } from '../../src/ports/signer.ts'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { ACTION, ARGUMENTS, DEPLOYMENT, manifestAt } from './benched-skill.ts'
import { DECISION_PATH } from './decision-route.ts'
import { fillDatabase } from './fill-database.ts'
import { type Load, type RequestSource, sendMany } from './load-client.ts'
import { type CallerBytes, callerBytes, keyCounter, requestSource } from './request-source.ts'
import { type Grantee, seedGrants } from './seed-grants.ts'
import { startWorker, type Worker } from './start-worker.ts'
import { seededRandom } from './statistics.ts'

export type WorldOptions = {
  readonly folder: string
  readonly grants: number
  readonly calledMost: number
  readonly nodeOptions: readonly string[]
}

/** Where requests go, and what has to come back. */
export type Target = { readonly port: number; readonly path: string; readonly expects: Load['expects'] }

/** One broker over so many grants, its skill, and the agents that call. */
export type World = {
  readonly grants: number
  /** How many of the grants are called on. */
  readonly called: number
  readonly seedSeconds: number
  readonly broker: Worker
  readonly decisions: Target
  readonly actions: Target
  /** Requests of agents chosen at random, to any server that takes them. */
  requestsTo(target: Target): RequestSource
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

/** Fills a folder, and starts broker and skill as processes of their own. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { folder, grants } = options
  const [brokerPort, skillPort] = [await anyPort(), await anyPort()]
  const issuer = `http://127.0.0.1:${brokerPort}`
  const skillOrigin = `http://127.0.0.1:${skillPort}`

  const startedMs = performance.now()
  const isCalled = chooseAtRandom(grants, Math.min(grants, options.calledMost))
  let grantees: Grantee[] = []
  await fillDatabase(folder, (db) => {
    const manifest = manifestAt(skillOrigin)
    grantees = seedGrants(db, { count: grants, manifest, nowMs: Date.now(), withCounters: true, isCalled })
  })
  const seedSeconds = (performance.now() - startedMs) / 1000

  const signer = openKeyRing(dataFilesIn(folder).keys, Date.now())
  const broker = await startWorker(
    'broker-worker',
    { folder, port: brokerPort, skillOrigin },
    options.nodeOptions,
  )
  const workers: Worker[] = [broker]
  const stop = async () => {
    for (const worker of workers.splice(0).reverse()) await worker.stop()
  }
  try {
    const keysUrl = `${issuer}/.well-known/jwks.json`
    workers.push(await startWorker('skill-worker', { port: skillPort, issuer, keysUrl }))
  } catch (error) {
    await stop()
    throw error
  }

  const random = seededRandom(grants)
  const nextKey = keyCounter()
  const decisions: Target = {
    port: broker.port('decisions'),
    path: DECISION_PATH,
    expects: { status: 201, text: '"leafHash":"' },
  }
  let callers: CallerBytes[] = []
  return {
    grants,
    called: grantees.length,
    seedSeconds,
    broker,
    decisions,
    actions: {
      port: broker.port('actions'),
      path: '/v1/actions',
      // A 200 can also say that the skill refused.
      expects: { status: 200, text: '"status":"succeeded"' },
    },
    requestsTo: (target) =>
      requestSource(target, callers, () => Math.floor(random() * callers.length), nextKey),
    async warmUp() {
      callers = await Promise.all(grantees.map((grantee) => callerOf(signer, issuer, grantee)))
      let turn = -1
      const inTurn = () => {
        turn = (turn + 1) % callers.length
        return turn
      }
      const next = requestSource(decisions, callers, inTurn, nextKey)
      const { port, expects } = decisions
      await sendMany({ port, expects, next, inFlight: WARM_UP_IN_FLIGHT }, callers.length)
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
