import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export type BenchOptions = {
  readonly json: boolean
  /** Grants in the store, ascending; the first size is also the one that whole actions and the bars are about. */
  readonly grants: readonly number[]
  /** How many grants are called on at most; more would only measure caches that are too small for them. */
  readonly calledMost: number
  readonly inFlight: readonly number[]
  /** Nodes of each platform on PostgreSQL, one platform after the other. */
  readonly nodes: readonly number[]
  /** Whether to measure on PostgreSQL where it is found. */
  readonly postgres: boolean
  /** Length of one measurement, in seconds. */
  readonly seconds: number
  readonly rounds: number
  /** Past actions of the two users whose next action is compared. */
  readonly history: readonly [short: number, long: number]
  /** Sizes of the two logs that are compared. */
  readonly leaves: readonly [small: number, large: number]
  /** Repetitions of what is measured in process. */
  readonly repeats: number
  /** Where databases are made and removed again; must be on a real disk, because a sync in memory costs nothing. */
  readonly folder: string
  /** Where the brokers leave a CPU profile when they end. */
  readonly profile: string | null
  /** Compares with other MCP proxies, and measures nothing else. */
  readonly proxies: boolean
  /** Rounds of that comparison; null for as many as it takes. */
  readonly proxyRounds: number | null
  /** Measures what memory costs, and nothing else. */
  readonly memory: boolean
  readonly quick: boolean
}

const FULL = {
  grants: [1_000, 1_000_000],
  calledMost: 20_000,
  inFlight: [1, 64, 256],
  nodes: [1, 3],
  seconds: 2,
  rounds: 3,
  history: [100, 100_000],
  leaves: [1_000, 1_000_000],
  repeats: 60,
} as const

/** Everything once and small: shows that it runs, measures nothing. */
const QUICK = {
  grants: [20, 60],
  calledMost: 40,
  inFlight: [1, 4],
  nodes: [1, 3],
  seconds: 0.1,
  rounds: 1,
  history: [5, 300],
  leaves: [50, 700],
  repeats: 2,
} as const

/** In the project's folder: the system's temporary one may be in memory. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/bench', import.meta.url))

export const USAGE = `usage: npm run bench -- [--json] [--grants 1000,1000000] [--in-flight 1,64,256] [--seconds 2]
                        [--nodes 1,3] [--rounds 3] [--folder FOLDER] [--profile FOLDER] [--without-postgres] [--quick]
       npm run bench -- --proxies [--json] [--rounds 7] [--folder FOLDER] [--profile FOLDER] [--quick]
       npm run bench -- --memory [--json] [--folder FOLDER] [--quick]`

/** @throws Error saying what is wrong with the flags. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      proxies: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      grants: { type: 'string' },
      'in-flight': { type: 'string' },
      nodes: { type: 'string' },
      'without-postgres': { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      folder: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const base = values.quick ? QUICK : FULL
  return {
    ...base,
    json: values.json,
    grants: listOf('grants', values.grants) ?? base.grants,
    inFlight: listOf('in-flight', values['in-flight']) ?? base.inFlight,
    nodes: listOf('nodes', values.nodes) ?? base.nodes,
    postgres: !values['without-postgres'],
    seconds: numberOf('seconds', values.seconds) ?? base.seconds,
    rounds: listOf('rounds', values.rounds)?.[0] ?? base.rounds,
    folder: values.folder ?? FOLDER,
    profile: values.profile ?? null,
    proxies: values.proxies,
    memory: values.memory,
    proxyRounds: listOf('rounds', values.rounds)?.[0] ?? null,
    quick: values.quick,
  }
}

function listOf(name: string, text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined
  const numbers = text.split(',').map(Number)
  if (numbers.every((value) => Number.isSafeInteger(value) && value > 0)) return numbers.sort((a, b) => a - b)
  throw new Error(`--${name} takes whole numbers above zero`)
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (value > 0 && value <= 600) return value
  throw new Error(`--${name} takes a number from above 0 to 600`)
}
