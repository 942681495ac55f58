import type { BenchPostgres } from './bench-postgres.ts'
import type { StoreKind } from './bench-store.ts'
import { type Measured, measureLoad } from './load-client.ts'
import type { Target, World } from './open-world.ts'
import { startWorker, type Worker } from './start-worker.ts'
import { median, percentile } from './statistics.ts'
import type { LogPace } from './watch-database.ts'

export type ServerKind = 'bare' | 'decision' | 'action'

/** One row of the table: medians over all rounds. What a server has nothing of is null. */
export type Cell = {
  readonly server: ServerKind
  readonly store: StoreKind | null
  readonly nodes: number | null
  readonly grants: number | null
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the bare route in the same round. */
  readonly ratio: number
  /** Processor time of the server processes for each request, whatever else the machine did meanwhile. */
  readonly cpuMicroseconds: number
  /** Requests that were measured, all of them answered with 2xx. */
  readonly requests: number
  /** What a decision takes of the database, counted apart from the rounds. */
  readonly statements: number | null
  readonly roundTrips: number | null
  /** What a decision takes of the database server, the sequencing and signing of its leaf included. */
  readonly database: { readonly cpuMicroseconds: number; readonly walBytes: number } | null
  /** The worst of all rounds. */
  readonly log: LogPace | null
}

/** How much dearer a decision over most grants is than over fewest, each round by itself. */
export type CostOfGrants = { readonly inFlight: number; readonly factor: number }

/** What a decision leaves on the disk of a PostgreSQL database. */
export type DiskCost = { readonly table: string; readonly bytesPerDecision: number }

export type MeasuredRequests = {
  readonly cells: readonly Cell[]
  readonly costs: readonly CostOfGrants[]
  /** Largest first; of the first world on PostgreSQL, if there is one. */
  readonly disk: readonly DiskCost[]
}

export type RequestPlan = {
  readonly inFlight: readonly number[]
  readonly seconds: number
  readonly rounds: number
  /** The server behind the worlds that are on PostgreSQL. */
  readonly postgres: BenchPostgres | null
  progress(text: string): void
}

/** Tokens live 15 minutes; they are renewed before a cell could meet an expired one. */
const RENEW_AFTER_MS = 8 * 60_000
const WARM_MS = 400
/** Bytes of an answer do matter to a bare route: it answers what a decision answers. */
const BARE_ANSWER = {
  actionId: 'act_01kb0tqk7m4z8x2c6v9b3n5q1w7e4r8t2y6',
  leafHash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
}

type Candidate = { server: ServerKind; world: World; workers: readonly Worker[]; target: Target }
type Sample = Candidate & {
  round: number
  inFlight: number
  measured: Measured
  cpuMicroseconds: number
  database: Cell['database']
  log: LogPace | null
}
type Sent = { name: string; inFlight: number; statements: number; roundTrips: number }

/**
 * Measures bare route, decisions over each world and whole actions over the first, one after the other in every round,
 * so that what else happens on the machine meets them alike.
 */
export async function measureRequests(
  worlds: readonly World[],
  plan: RequestPlan,
): Promise<MeasuredRequests> {
  const [first] = worlds
  if (first === undefined) throw new RangeError('nothing to measure')
  const { path, expects } = first.decisions
  const bare = await startWorker('bare-worker', { path, answer: BARE_ANSWER })
  try {
    const decisions = worlds.map(
      (world): Candidate => ({
        server: 'decision',
        world,
        workers: world.brokers,
        target: world.decisions,
      }),
    )
    const candidates: Candidate[] = [
      {
        server: 'bare',
        world: first,
        workers: [bare],
        target: { ports: [bare.port('http')], path, expects },
      },
      ...decisions,
      { server: 'action', world: first, workers: first.brokers, target: first.actions },
    ]
    await warmUpAll(worlds, plan)
    const disk = await diskWatch(worlds)
    const samples = await takeSamples(worlds, candidates, plan)
    const sent: Sent[] = []
    plan.progress('counting statements')
    for (const inFlight of plan.inFlight) {
      for (const each of decisions) sent.push(await countStatements(each, inFlight, plan))
    }
    return summarize(samples, sent, await disk())
  } finally {
    await bare.stop()
  }
}

async function warmUpAll(worlds: readonly World[], { progress }: RequestPlan): Promise<void> {
  progress('warming up: every agent asks once')
  for (const world of worlds) await world.warmUp()
}

function load({ target, world }: Candidate, inFlight: number, warmMs: number, measureMs: number) {
  return measureLoad(
    { expects: target.expects, inFlight, doors: world.requestsTo(target) },
    warmMs,
    measureMs,
  )
}

async function takeSamples(
  worlds: readonly World[],
  candidates: readonly Candidate[],
  plan: RequestPlan,
): Promise<Sample[]> {
  const { inFlight: levels, seconds, rounds, progress } = plan
  const samples: Sample[] = []
  const inFlightMost = Math.max(...levels)
  // Code that was not compiled yet would be measured as slow.
  for (const each of candidates) await load(each, inFlightMost, 0, seconds * 2000)
  let renewedAtMs = performance.now()
  for (let round = 0; round < rounds; round += 1) {
    for (const inFlight of levels) {
      if (performance.now() - renewedAtMs > RENEW_AFTER_MS) {
        renewedAtMs = performance.now()
        await warmUpAll(worlds, plan)
      }
      for (const candidate of candidates) {
        const taken = await takeSample(candidate, inFlight, plan)
        samples.push({ ...candidate, ...taken, round, inFlight })
        progress(
          `round ${round + 1} of ${rounds}: ${nameOf(candidate)}, ${inFlight} in flight: ${Math.round(taken.measured.perSecond)}/s`,
        )
      }
    }
  }
  return samples
}

async function takeSample(candidate: Candidate, inFlight: number, { seconds, postgres }: RequestPlan) {
  const { workers, world, server } = candidate
  globalThis.gc?.()
  const cpuOf = async () =>
    (await Promise.all(workers.map((worker) => worker.cpuMicroseconds()))).reduce((a, b) => a + b)
  const isPostgres = server !== 'bare' && world.store === 'postgres'
  const caughtUp = isPostgres ? world.watch?.watchLog() : undefined
  const taken = async () =>
    isPostgres && postgres ? [postgres.cpuMicroseconds(), await postgres.walBytes()] : [0, 0]
  const [cpuBefore, [databaseBefore = 0, walBefore = 0]] = [await cpuOf(), await taken()]
  const measured = await load(candidate, inFlight, Math.min(WARM_MS, seconds * 1000), seconds * 1000)
  const log = (await caughtUp?.()) ?? null
  // What a decision costs includes its leaf's way into the log, so the log has to catch up first.
  const [databaseAfter = 0, walAfter = 0] = await taken()
  const each = (total: number) => total / measured.answers
  return {
    measured,
    log,
    cpuMicroseconds: each((await cpuOf()) - cpuBefore),
    database: isPostgres
      ? { cpuMicroseconds: each(databaseAfter - databaseBefore), walBytes: each(walAfter - walBefore) }
      : null,
  }
}

/** Apart from the rounds: counting takes time of its own. */
async function countStatements(candidate: Candidate, inFlight: number, plan: RequestPlan): Promise<Sent> {
  const ends = candidate.workers.map((worker) => worker.count())
  await load(candidate, inFlight, 0, Math.min(1, plan.seconds) * 1000)
  let [requests, statements, roundTrips] = [0, 0, 0]
  for (const end of ends) {
    const counted = await end()
    requests += counted.requests
    statements += counted.statements
    roundTrips += counted.roundTrips
  }
  return {
    name: nameOf(candidate),
    inFlight,
    statements: statements / requests,
    roundTrips: roundTrips / requests,
  }
}

/** Sizes of a database now; the function it returns tells what each decision since has added. */
async function diskWatch(worlds: readonly World[]): Promise<() => Promise<DiskCost[]>> {
  const watch = worlds.find((world) => world.watch !== null)?.watch
  if (!watch) return async () => []
  await watch.watchLog()()
  const [before, actionsBefore] = [await watch.tableBytes(), await watch.countActions()]
  return async () => {
    await watch.watchLog()()
    const [after, actions] = [await watch.tableBytes(), (await watch.countActions()) - actionsBefore]
    return [...after]
      .map(([table, bytes]) => ({ table, bytesPerDecision: (bytes - (before.get(table) ?? 0)) / actions }))
      .filter(({ bytesPerDecision }) => bytesPerDecision > 0)
      .sort((a, b) => b.bytesPerDecision - a.bytesPerDecision)
  }
}

function nameOf({ server, world }: Candidate): string {
  if (server === 'bare') return 'bare'
  return `${server}, ${world.store} with ${world.nodes} of nodes, ${world.grants} grants`
}

function summarize(
  samples: readonly Sample[],
  sent: readonly Sent[],
  disk: readonly DiskCost[],
): MeasuredRequests {
  const groups = Map.groupBy(samples, (sample) => `${nameOf(sample)} ${sample.inFlight}`)
  const levels = [...new Set(samples.map((sample) => sample.inFlight))]
  return {
    cells: [...groups.values()].map((group) => cellOf(group, samples, sent)),
    costs: levels.map((inFlight) => ({ inFlight, factor: costOfGrants(inFlight, samples) })),
    disk,
  }
}

function cellOf(group: readonly Sample[], all: readonly Sample[], sent: readonly Sent[]): Cell {
  const [one] = group
  if (one === undefined) throw new RangeError('a cell without samples')
  const over = (share: number) => median(group.map(({ measured }) => percentile(measured.latenciesMs, share)))
  const isBare = one.server === 'bare'
  const counted = sent.find((each) => each.name === nameOf(one) && each.inFlight === one.inFlight)
  const databases = group.map(({ database }) => database).filter((each) => each !== null)
  const paces = group.map(({ log }) => log).filter((each) => each !== null)
  return {
    server: one.server,
    store: isBare ? null : one.world.store,
    nodes: isBare ? null : one.world.nodes,
    grants: isBare ? null : one.world.grants,
    inFlight: one.inFlight,
    perSecond: median(group.map(({ measured }) => measured.perSecond)),
    p50Ms: over(0.5),
    p99Ms: over(0.99),
    ratio: median(
      group.map(
        (sample) => sample.measured.perSecond / rateBeside(sample, all, (it) => it.server === 'bare'),
      ),
    ),
    cpuMicroseconds: median(group.map((sample) => sample.cpuMicroseconds)),
    requests: group.reduce((sum, { measured }) => sum + measured.latenciesMs.length, 0),
    statements: counted?.statements ?? null,
    roundTrips: counted?.roundTrips ?? null,
    database:
      databases.length === 0
        ? null
        : {
            cpuMicroseconds: median(databases.map((each) => each.cpuMicroseconds)),
            walBytes: median(databases.map((each) => each.walBytes)),
          },
    log:
      paces.length === 0
        ? null
        : {
            behindMs: Math.max(...paces.map((pace) => pace.behindMs)),
            caughtUpMs: Math.max(...paces.map((pace) => pace.caughtUpMs)),
          },
  }
}

/** On the embedded database, which alone is measured over several numbers of grants. */
function costOfGrants(inFlight: number, all: readonly Sample[]): number {
  const samples = all.filter(({ server, world }) => server === 'decision' && world.store === 'sqlite')
  const sizes = samples.map(({ world }) => world.grants)
  const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)]
  const overMost = samples.filter((sample) => sample.inFlight === inFlight && sample.world.grants === most)
  return median(
    overMost.map(
      (sample) =>
        rateBeside(sample, samples, ({ world }) => world.grants === fewest) / sample.measured.perSecond,
    ),
  )
}

/** What another server reached in the same round at the same number in flight. */
function rateBeside(sample: Sample, all: readonly Sample[], isOther: (other: Sample) => boolean): number {
  const beside = all.find(
    (other) => isOther(other) && other.round === sample.round && other.inFlight === sample.inFlight,
  )
  if (!beside) throw new Error('no sample beside')
  return beside.measured.perSecond
}
