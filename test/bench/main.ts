import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type BenchOptions, parseBenchOptions, USAGE } from './bench-options.ts'
import { describeMachine } from './machine.ts'
import { measureHistory } from './measure-history.ts'
import { measureLogs } from './measure-log.ts'
import { measureRequests } from './measure-requests.ts'
import { openWorld, type World } from './open-world.ts'
import { barsOf, printReport, type Report } from './report.ts'
import { seededRandom } from './statistics.ts'

const FSYNC_MS_PER_SECOND = 250

const startedMs = performance.now()

/** What goes on, for whoever waits; the report alone is on standard output. */
function progress(text: string): void {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)
}

async function bench(options: BenchOptions, folder: string): Promise<Report> {
  const machine = describeMachine(folder, options.seconds * FSYNC_MS_PER_SECOND)
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
  try {
    for (const grants of options.grants) {
      progress(`making ${grants} grants`)
      worlds.push(
        await openWorld({
          folder: join(folder, `grants-${grants}`),
          grants,
          calledMost: options.calledMost,
          nodeOptions:
            options.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`],
        }),
      )
    }
    const measured = await measureRequests(worlds, { ...options, progress })
    return {
      machine,
      options: { seconds: options.seconds, rounds: options.rounds },
      worlds: worlds.map(({ grants, called, seedSeconds }) => ({ grants, called, seedSeconds })),
      ...measured,
      history,
      logs,
      bars: barsOf(measured),
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
const report = await bench(options, folder)
process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printReport(report))
