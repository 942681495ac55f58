import type { Cell, MeasuredRequests } from './measure-requests.ts'

/** What one decision on PostgreSQL takes. */
export type DecisionCosts = {
  /** Processor time of the node that decides, the background's included. */
  readonly nodeMicroseconds: number
  readonly databaseMicroseconds: number
  readonly walBytes: number
  /** On the database's disk, indexes included, and how much of that is the log's tree. */
  readonly diskBytes: number
  readonly logBytes: number
}

/** What it takes to decide so often in every second of a day. */
export type Size = {
  readonly perSecond: number
  readonly nodes: number
  readonly databaseCores: number
  readonly diskGigabytesPerDay: number
  readonly logGigabytesPerDay: number
  readonly walGigabytesPerDay: number
}

/** Decisions a second that sizes are told for. */
export const RATES = [50, 500, 5_000] as const

/** How much of a core may be used: above that the longest waits grow without bound. */
const BUSY_MOST = 0.6
/** One may die or be replaced while the others carry the load. */
const SPARE_NODES = 1
const SECONDS_PER_DAY = 86_400
const GIGABYTE = 1e9
/** The tables that never shrink. */
const LOG_TABLES = ['log_leaves', 'log_nodes', 'log_checkpoints']

/** The costs of a decision by the fewest nodes, at the most in flight that is not above this; undefined without PostgreSQL. */
export function costsOf({ cells, disk }: MeasuredRequests, inFlightMost: number): DecisionCosts | undefined {
  const measured = cells.filter(({ store }) => store === 'postgres')
  const fewest = Math.min(...measured.map(({ nodes }) => nodes ?? 0))
  const [cell] = measured
    .filter(({ nodes, inFlight }) => nodes === fewest && inFlight <= inFlightMost)
    .sort((a: Cell, b: Cell) => b.inFlight - a.inFlight)
  if (!cell?.database) return undefined
  const bytesOf = (tables: typeof disk) =>
    tables.reduce((sum, { bytesPerDecision }) => sum + bytesPerDecision, 0)
  return {
    nodeMicroseconds: cell.cpuMicroseconds,
    databaseMicroseconds: cell.database.cpuMicroseconds,
    walBytes: cell.database.walBytes,
    diskBytes: bytesOf(disk),
    logBytes: bytesOf(disk.filter(({ table }) => LOG_TABLES.includes(table))),
  }
}

/** Nodes are processes, each with a core of its own; a core is used to six tenths, and one node is spare. */
export function sizingOf(costs: DecisionCosts | undefined, rates: readonly number[]): Size[] {
  if (!costs) return []
  return rates.map((perSecond) => {
    const cores = (microseconds: number) => (perSecond * microseconds) / 1e6 / BUSY_MOST
    const perDay = (bytes: number) => (perSecond * SECONDS_PER_DAY * bytes) / GIGABYTE
    return {
      perSecond,
      nodes: Math.ceil(cores(costs.nodeMicroseconds)) + SPARE_NODES,
      databaseCores: Math.ceil(cores(costs.databaseMicroseconds)),
      diskGigabytesPerDay: perDay(costs.diskBytes),
      logGigabytesPerDay: perDay(costs.logBytes),
      walGigabytesPerDay: perDay(costs.walBytes),
    }
  })
}
