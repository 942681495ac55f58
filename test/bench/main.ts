import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findPostgres } from '../support/postgres-server.ts'
import { benchMemory, printMemoryReport } from './bench-memory.ts'
import { type BenchOptions, parseBenchOptions, USAGE } from './bench-options.ts'
import { type BenchPostgres, openBenchPostgres } from './bench-postgres.ts'
import { benchProxies, printProxyReport } from './bench-proxies.ts'
import { type BenchStore, postgresStoreIn, sqliteStoreIn } from './bench-store.ts'
import { describeMachine } from './machine.ts'
import { measureHistory } from './measure-history.ts'
import { measureLogs } from './measure-log.ts'
import { measureRequests } from './measure-requests.ts'
import { openWorld, type World } from './open-world.ts'
import { BAR_IN_FLIGHT, barsOf, printReport, type Report } from './report.ts'
import { costsOf, RATES, sizingOf } from './sizing.ts'
import { seededRandom } from './statistics.ts'

const FSYNC_MS_PER_SECOND = 250

const startedMs = performance.now()

/** What goes on, for whoever waits; the report alone is on standard output. */
function progress(text: string): void {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)
}

async function bench(options: BenchOptions, folder: string, postgres: BenchPostgres | null): Promise<Report> {
  const machine = describeMachine(folder, options.seconds * FSYNC_MS_PER_SECOND, postgres?.version ?? null)
  progress(`logs of ${options.leaves.join(' and ')} leaves`)
  const logs = await measureLogs(
    (leaves) => join(folder, `log-${leaves}`),
    options.leaves,
    options.repeats,
    seededRandom(1),
  )
  progress(`users with ${options.history.join(' and ')} past actions`)
  const history = await measureHistory(join(folder, 'history'), options.history, options.repeats)

  const worlds: World[] = []
  const nodeOptions =
    options.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`]
  const open = async (store: BenchStore, nodes: number, grants: number) => {
    progress(`making ${grants} grants: ${store.kind}, ${nodes} of nodes`)
    worlds.push(await openWorld({ store, nodes, grants, calledMost: options.calledMost, nodeOptions }))
  }
  try {
    for (const grants of options.grants)
      await open(sqliteStoreIn(join(folder, `grants-${grants}`)), 1, grants)
    const [fewest = 0] = options.grants
    for (const nodes of postgres ? options.nodes : []) {
      if (postgres) await open(await postgresStoreIn(join(folder, `nodes-${nodes}`), postgres), nodes, fewest)
    }
    const measured = await measureRequests(worlds, { ...options, postgres, progress })
    return {
      machine,
      options: { seconds: options.seconds, rounds: options.rounds },
      worlds: worlds.map(({ store, nodes, grants, called, seedSeconds }) => ({
        store,
        nodes,
        grants,
        called,
        seedSeconds,
      })),
      ...measured,
      history,
      logs,
      bars: barsOf(measured),
      sizing: sizingOf(costsOf(measured, BAR_IN_FLIGHT), RATES),
    }
  } finally {
    for (const world of worlds) await world.stop()
  }
}

function readOptions(): BenchOptions {
  try {
    return parseBenchOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`)
    process.exit(2)
  }
}

const options = readOptions()
mkdirSync(options.folder, { recursive: true })
const folder = mkdtempSync(join(options.folder, 'run-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
if (options.proxies) {
  const report = await benchProxies(options, folder, progress)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printProxyReport(report))
  process.exit(0)
}
if (options.memory) {
  const report = await benchMemory(options, folder, progress)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printMemoryReport(report))
  process.exit(0)
}
const postgres = options.postgres && findPostgres() !== undefined ? await openBenchPostgres() : null
const report = await bench(options, folder, postgres).finally(() => postgres?.stop())
process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printReport(report))
