import { type Measured, measureLoad } from './load-client.ts'
import type { Target, World } from './open-world.ts'
import { startWorker, type Worker } from './start-worker.ts'
import { median, percentile } from './statistics.ts'

export type ServerKind = 'bare' | 'decision' | 'action'

/** One row of the table: medians over all rounds. */
export type Cell = {
  readonly server: ServerKind
  /** Null for the bare route, which has none. */
  readonly grants: number | null
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the bare route in the same round. */
  readonly ratio: number
  /** Processor time of the server process, whatever else the machine did meanwhile. */
  readonly cpuMicroseconds: number
  /** Requests that were measured, all of them answered with 2xx. */
  readonly requests: number
}

/** How much dearer a decision over most grants is than over fewest, each round by itself. */
export type CostOfGrants = { readonly inFlight: number; readonly factor: number }

export type MeasuredRequests = { readonly cells: readonly Cell[]; readonly costs: readonly CostOfGrants[] }

export type RequestPlan = {
  readonly inFlight: readonly number[]
  readonly seconds: number
  readonly rounds: number
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

type Candidate = { server: ServerKind; world: World; worker: Worker; target: Target }
type Sample = Candidate & { round: number; inFlight: number; measured: Measured; cpuMicroseconds: number }

/**
 * Measures bare route, decisions over each number of grants and whole actions over the fewest, one after the other
 * in every round, so that what else happens on the machine meets them alike.
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
    const candidates: Candidate[] = [
      { server: 'bare', world: first, worker: bare, target: { port: bare.port('http'), path, expects } },
      ...worlds.map(
        (world): Candidate => ({
          server: 'decision',
          world,
          worker: world.broker,
          target: world.decisions,
        }),
      ),
      { server: 'action', world: first, worker: first.broker, target: first.actions },
    ]
    return summarize(await takeSamples(worlds, candidates, plan))
  } finally {
    await bare.stop()
  }
}

async function takeSamples(
  worlds: readonly World[],
  candidates: readonly Candidate[],
  { inFlight: levels, seconds, rounds, progress }: RequestPlan,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const inFlightMost = Math.max(...levels)
  let renewedAtMs = Number.NEGATIVE_INFINITY
  const run = ({ target, world }: Candidate, inFlight: number, warmMs: number, measureMs: number) => {
    const { port, expects } = target
    return measureLoad({ port, expects, inFlight, next: world.requestsTo(target) }, warmMs, measureMs)
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const inFlight of levels) {
      if (performance.now() - renewedAtMs > RENEW_AFTER_MS) {
        renewedAtMs = performance.now()
        progress('warming up: every agent asks once')
        for (const world of worlds) await world.warmUp()
        // Code that was not compiled yet would be measured as slow.
        if (round === 0) for (const each of candidates) await run(each, inFlightMost, 0, seconds * 2000)
      }
      for (const candidate of candidates) {
        globalThis.gc?.()
        const cpuBefore = await candidate.worker.cpuMicroseconds()
        const measured = await run(candidate, inFlight, Math.min(WARM_MS, seconds * 1000), seconds * 1000)
        const cpuMicroseconds = ((await candidate.worker.cpuMicroseconds()) - cpuBefore) / measured.answers
        samples.push({ ...candidate, round, inFlight, measured, cpuMicroseconds })
        progress(
          `round ${round + 1} of ${rounds}: ${nameOf(candidate)}, ${inFlight} in flight: ${Math.round(measured.perSecond)}/s`,
        )
      }
    }
  }
  return samples
}

function nameOf({ server, world }: Candidate): string {
  return server === 'bare' ? 'bare' : `${server}, ${world.grants} grants`
}

function summarize(samples: readonly Sample[]): MeasuredRequests {
  const groups = Map.groupBy(samples, (sample) => `${nameOf(sample)} ${sample.inFlight}`)
  const levels = [...new Set(samples.map((sample) => sample.inFlight))]
  return {
    cells: [...groups.values()].map((group) => cellOf(group, samples)),
    costs: levels.map((inFlight) => ({ inFlight, factor: costOfGrants(inFlight, samples) })),
  }
}

function cellOf(group: readonly Sample[], all: readonly Sample[]): Cell {
  const [one] = group
  if (one === undefined) throw new RangeError('a cell without samples')
  const over = (share: number) => median(group.map(({ measured }) => percentile(measured.latenciesMs, share)))
  return {
    server: one.server,
    grants: one.server === 'bare' ? null : one.world.grants,
    inFlight: one.inFlight,
    perSecond: median(group.map(({ measured }) => measured.perSecond)),
    p50Ms: over(0.5),
    p99Ms: over(0.99),
    ratio: median(group.map((sample) => sample.measured.perSecond / rateBeside(sample, all, 'bare'))),
    cpuMicroseconds: median(group.map((sample) => sample.cpuMicroseconds)),
    requests: group.reduce((sum, { measured }) => sum + measured.latenciesMs.length, 0),
  }
}

function costOfGrants(inFlight: number, samples: readonly Sample[]): number {
  const sizes = samples.map(({ world }) => world.grants)
  const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)]
  const overMost = samples.filter(
    (sample) => sample.server === 'decision' && sample.inFlight === inFlight && sample.world.grants === most,
  )
  return median(
    overMost.map((sample) => rateBeside(sample, samples, 'decision', fewest) / sample.measured.perSecond),
  )
}

/** What another server reached in the same round at the same number in flight. */
function rateBeside(sample: Sample, all: readonly Sample[], server: ServerKind, grants?: number): number {
  const beside = all.find(
    (other) =>
      other.server === server &&
      other.round === sample.round &&
      other.inFlight === sample.inFlight &&
      (grants === undefined || other.world.grants === grants),
  )
  if (!beside) throw new Error(`no sample of ${server} beside`)
  return beside.measured.perSecond
}
