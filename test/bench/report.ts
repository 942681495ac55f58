import type { BenchOptions } from './bench-options.ts'
import type { StoreKind } from './bench-store.ts'
import { type Machine, machineLine } from './machine.ts'
import type { HistoryCost } from './measure-history.ts'
import type { LogCost } from './measure-log.ts'
import type { Cell, CostOfGrants, MeasuredRequests } from './measure-requests.ts'
import { databaseLines } from './report-database.ts'
import type { Size } from './sizing.ts'
import { count, table } from './text-table.ts'

/** Everything that one run found. */
export type Report = MeasuredRequests & {
  readonly machine: Machine
  readonly options: Pick<BenchOptions, 'seconds' | 'rounds'>
  readonly worlds: readonly {
    readonly store: StoreKind
    readonly nodes: number
    readonly grants: number
    readonly called: number
    readonly seedSeconds: number
  }[]
  readonly history: HistoryCost
  readonly logs: readonly LogCost[]
  readonly bars: readonly Bar[]
  /** Empty without PostgreSQL. */
  readonly sizing: readonly Size[]
}

/** A figure we promise to reach, beside the one that was measured. */
export type Bar = {
  readonly about: string
  readonly bar: number
  readonly measured: number
  readonly met: boolean
}

/** The bars are about this many in flight, or about the most that were measured below it. */
export const BAR_IN_FLIGHT = 64

export function barsOf({ cells, costs }: MeasuredRequests): Bar[] {
  const inFlight = Math.max(...costs.map((cost) => cost.inFlight).filter((level) => level <= BAR_IN_FLIGHT))
  const decision = cells.find(
    ({ server, store, inFlight: level }) => server === 'decision' && store === 'sqlite' && level === inFlight,
  )
  const cost = costs.find((one) => one.inFlight === inFlight)
  if (!decision || !cost) return []
  return [
    {
      about: `decisions at ${inFlight} in flight, of the bare route: at least`,
      bar: 0.1,
      measured: decision.ratio,
      met: decision.ratio >= 0.1,
    },
    {
      about: `p99 of decisions at ${inFlight} in flight, in ms: below`,
      bar: 40,
      measured: decision.p99Ms,
      met: decision.p99Ms < 40,
    },
    {
      about: `cost over most grants, times that over fewest, at ${inFlight} in flight: at most`,
      bar: 1.3,
      measured: cost.factor,
      met: cost.factor <= 1.3,
    },
  ]
}

/** The report as a person reads it. */
export function printReport(report: Report): string {
  return [
    machineLine(report.machine),
    `Medians of ${report.options.rounds} rounds of ${report.options.seconds} s, servers in turns, every request answered as expected. Client, broker`,
    'and skill are processes on this machine. The bare route gets the same bytes, parses the same JSON and',
    'answers as many. Decision: token, manifest, grant, four windows, sealed leaf, durable commit. Action: that,',
    'an action token, a call to a skill that verifies it, and settlement. Decisions stay open, as reservations do on',
    'which nobody has reported yet.',
    ...report.worlds.map(
      ({ store, nodes, grants, called, seedSeconds }) =>
        `${placeText(store, nodes)}: ${count(grants)} grants with their counters (made in ${seedSeconds.toFixed(0)} s): requests are spread over ${called === grants ? 'all of them' : `${count(called)} of them, chosen at random`}.`,
    ),
    '',
    ...table([
      [
        ...['server', 'store', 'grants', 'in flight', 'per second', 'of bare', 'p50 ms', 'p99 ms'],
        ...['server CPU µs', 'statements', 'round trips'],
      ],
      ...report.cells.map(cellRow),
    ]),
    'Statements and round trips are those of a decision: an embedded database is asked by calls, and several decisions',
    'share its commits; on PostgreSQL what is sent while an answer is on its way is no round trip of its own.',
    '',
    ...databaseLines(report.cells, report.disk, report.sizing),
    '',
    ...report.costs.map(costLine),
    historyLine(report.history),
    '',
    ...table([
      ['leaves in the log', 'append µs', 'inclusion proof µs', 'consistency proof µs', 'start ms'],
      ...report.logs.map((log) => [
        count(log.leaves),
        log.appendMicroseconds.toFixed(1),
        log.inclusionMicroseconds.toFixed(0),
        log.consistencyMicroseconds.toFixed(0),
        log.startMs.toFixed(0),
      ]),
    ]),
    '',
    ...report.bars.map(
      ({ about, bar, measured, met }) =>
        `${met ? 'met   ' : 'missed'}  ${about} ${bar}: ${measured.toFixed(2)}`,
    ),
    '',
  ].join('\n')
}

function cellRow(cell: Cell): string[] {
  return [
    cell.server,
    cell.store === null ? '' : placeText(cell.store, cell.nodes ?? 1),
    cell.grants === null ? '' : count(cell.grants),
    String(cell.inFlight),
    count(Math.round(cell.perSecond)),
    cell.ratio.toFixed(3),
    cell.p50Ms.toFixed(2),
    cell.p99Ms.toFixed(2),
    cell.cpuMicroseconds.toFixed(0),
    cell.statements?.toFixed(1) ?? '',
    cell.roundTrips?.toFixed(1) ?? '',
  ]
}

function placeText(store: StoreKind, nodes: number): string {
  if (store === 'sqlite') return 'SQLite'
  return nodes === 1 ? 'PostgreSQL, 1 node' : `PostgreSQL, ${nodes} nodes`
}

function costLine({ inFlight, factor }: CostOfGrants): string {
  return `A decision over most grants costs ${factor.toFixed(2)} times one over fewest, at ${inFlight} in flight.`
}

function historyLine({ users, factor }: HistoryCost): string {
  const each = users
    .map(
      (user) => `${user.microsecondsPerAction.toFixed(0)} µs after ${count(user.pastActions)} past actions`,
    )
    .join(', ')
  return `A decision costs ${each}: ${factor.toFixed(2)} times.`
}
