import type { Database } from 'better-sqlite3'
import { type ActionRequest, authorizeAction } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { createIds } from '../../src/keys/new-id.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { SILENT, startBenchBroker } from './bench-broker.ts'
import { ACTION, AMOUNT_MINOR, ARGUMENTS, CURRENCY, DEPLOYMENT, manifestAt } from './benched-skill.ts'
import { insertMany, rowInserter, sqliteSink } from './bulk-insert.ts'
import { fillDatabase } from './fill-database.ts'
import { type Grantee, seedGrants } from './seed-grants.ts'
import { median } from './statistics.ts'

/** What the next action costs users who did little and much before, decided in process and committed. */
export type HistoryCost = {
  readonly users: readonly { readonly pastActions: number; readonly microsecondsPerAction: number }[]
  /** Long against short history, the median over all repetitions. */
  readonly factor: number
}

const SKILL_ORIGIN = 'http://127.0.0.1:9101'
/** Twice the rolling windows: half of the past is counted in them and leaves them while the bench runs. */
const SPREAD_MS = 2 * 3_600_000
const ACTIONS_AT_ONCE = 64

/** Compares two users, batch by batch in turns. The first batch of each makes their counters and is not counted. */
export async function measureHistory(
  folder: string,
  pasts: readonly [short: number, long: number],
  repeats: number,
): Promise<HistoryCost> {
  let grantees: Grantee[] = []
  await fillDatabase(folder, (db) => {
    const nowMs = Date.now()
    const manifest = manifestAt(SKILL_ORIGIN)
    grantees = seedGrants(sqliteSink(db), {
      count: 2,
      manifest,
      nowMs,
      withCounters: false,
      isCalled: () => true,
    })
    grantees.forEach((grantee, i) => {
      seedActions(db, grantee, pasts[i] ?? 0, nowMs)
    })
  })
  const running = await startBenchBroker({ folder, port: 0, skillOrigin: SKILL_ORIGIN }, SILENT)
  try {
    return await compare(running.broker, grantees, pasts, repeats)
  } finally {
    await running.stop()
  }
}

async function compare(
  broker: Broker,
  grantees: readonly Grantee[],
  pasts: readonly number[],
  repeats: number,
): Promise<HistoryCost> {
  let keys = 0
  const ask = ({ userId, agentId }: Grantee): ActionRequest => {
    keys += 1
    return {
      userId,
      agentId,
      sessionId: 'ses_bench',
      skill: 'coffee.order',
      action: ACTION,
      arguments: ARGUMENTS,
      deploymentId: DEPLOYMENT,
      idempotencyKey: `bench-${keys}`,
    }
  }
  const microseconds = async (grantee: Grantee): Promise<number> => {
    const asked = Array.from({ length: ACTIONS_AT_ONCE }, () => ask(grantee))
    const startedMs = performance.now()
    const answers = await Promise.all(asked.map((one) => authorizeAction(broker, one)))
    const elapsedMs = performance.now() - startedMs
    const refused = answers.find((answer) => answer.kind !== 'permit')
    if (refused) throw new Error(`the benchmark expects permits: ${JSON.stringify(refused)}`)
    return (elapsedMs * 1000) / ACTIONS_AT_ONCE
  }
  const taken: number[][] = grantees.map(() => [])
  for (let round = -1; round < repeats; round += 1) {
    // Whoever comes second finds everything warmer, so they take turns at that too.
    const order = [...grantees.entries()]
    for (const [i, grantee] of round % 2 === 0 ? order : order.reverse()) {
      const each = await microseconds(grantee)
      if (round >= 0) taken[i]?.push(each)
    }
  }
  const [short = [], long = []] = taken
  return {
    users: taken.map((each, i) => ({ pastActions: pasts[i] ?? 0, microsecondsPerAction: median(each) })),
    factor: median(long.map((each, i) => each / (short[i] ?? Number.NaN))),
  }
}

/** Settled actions, evenly spread over the time before now. */
function seedActions(db: Database, { userId, agentId }: Grantee, count: number, nowMs: number): void {
  const insert = rowInserter(db, sqliteTables.actions)
  let atMs = nowMs
  const newId = createIds(() => atMs)
  insertMany(db, count, (index) => {
    atMs = nowMs - Math.ceil(((count - index) * SPREAD_MS) / count)
    const id = newId('action')
    insert({
      id,
      userId,
      agentId,
      lineageId: agentId,
      idempotencyKey: id,
      requestDigest: 'not-looked-at',
      skillId: 'coffee.order',
      action: ACTION,
      status: 'succeeded',
      reason: 'succeeded',
      deploymentId: DEPLOYMENT,
      manifestDigest: null,
      grantId: null,
      approvalId: null,
      eventId: null,
      leafHash: null,
      brokerKey: null,
      sentDigest: null,
      sessionId: 'ses_bench',
      currency: CURRENCY,
      reservedMinor: AMOUNT_MINOR,
      heldMinor: 0,
      capturedMinor: AMOUNT_MINOR,
      overrunMinor: 0,
      reservedAtMs: atMs,
      asked: false,
      counted: true,
      settleEventId: null,
      settledBy: null,
      createdAtMs: atMs,
      decidedAtMs: atMs,
      settledAtMs: atMs,
      nextCheckAtMs: null,
    })
  })
}
