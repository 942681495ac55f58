import { join } from 'node:path'
import type { BenchOptions } from './bench-options.ts'
import { governNotes } from './governed-notes.ts'
import { describeMachine, type Machine, machineLine } from './machine.ts'
import { type Called, type Level, measureProxies, type ProxyCell, type Spread } from './measure-proxies.ts'
import { NOTE_TOOL } from './note-server.ts'
import { installProxies, PROXIES, type ProxyName, startProxy } from './proxies.ts'
import { startWorker } from './start-worker.ts'
import { count, table } from './text-table.ts'

export type ProxyReport = {
  readonly machine: Machine
  readonly rounds: number
  readonly proxies: typeof PROXIES
  readonly cells: readonly ProxyCell[]
}

const FULL = { rounds: 7, warmUpCalls: 2_000, levels: levels(400, 1_500) }
const QUICK = { rounds: 1, warmUpCalls: 64, levels: levels(20, 64) }

function levels(alone: number, together: number): readonly Level[] {
  return [
    { concurrency: 1, calls: alone },
    { concurrency: 32, calls: together },
  ]
}

/** One tool's call through the broker, through each of the proxies, and directly, in one run. */
export async function benchProxies(
  options: Pick<BenchOptions, 'profile' | 'quick' | 'proxyRounds'>,
  folder: string,
  progress: (text: string) => void,
): Promise<ProxyReport> {
  const closers: (() => Promise<void>)[] = []
  try {
    const extent = options.quick ? QUICK : FULL
    const rounds = options.proxyRounds ?? extent.rounds
    const machine = describeMachine(folder, 500, null)
    progress('installing what to compare with')
    const installed = join(folder, 'proxies')
    await installProxies(installed)
    const notes = await startWorker('note-worker', {})
    closers.push(() => notes.stop())
    const upstream = `http://127.0.0.1:${notes.port('http')}/mcp`
    const nodeOptions = options.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
    progress('starting the broker and the proxies')
    const governed = await governNotes(join(folder, 'governed'), upstream, 32, nodeOptions)
    closers.push(() => governed.stop())
    const servers: Called[] = [
      { name: 'direct', url: upstream, tool: NOTE_TOOL },
      { name: 'countersign', ...governed },
    ]
    for (const name of Object.keys(PROXIES) as ProxyName[]) {
      const proxy = await startProxy(name, installed, upstream)
      closers.push(() => proxy.stop())
      servers.push({ name, url: proxy.url, tool: NOTE_TOOL })
    }
    const cells = await measureProxies(servers, extent.levels, rounds, extent.warmUpCalls, progress)
    return { machine, rounds, proxies: PROXIES, cells }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

export function printProxyReport({ machine, rounds, cells }: ProxyReport): string {
  const lines = [
    machineLine(machine),
    `medians of ${rounds} rounds, [least..most]; ratios to direct in the same round`,
  ]
  for (const concurrency of [...new Set(cells.map((cell) => cell.concurrency))]) {
    const rows = cells
      .filter((cell) => cell.concurrency === concurrency)
      .map((cell) => [
        cell.name,
        cell.p50Ms.toFixed(2),
        shown(cell.p50Ratio),
        shown(cell.p99Ratio),
        count(Math.round(cell.perSecond)),
        shown(cell.perSecondRatio),
      ])
    const head = ['', 'p50 ms', 'p50 ratio', 'p99 ratio', 'calls/s', 'calls/s ratio']
    lines.push('', `${concurrency} at once`, ...table([head, ...rows]))
  }
  return `${lines.join('\n')}\n`
}

function shown({ median, least, most }: Spread): string {
  return `${median.toFixed(2)} [${least.toFixed(2)}..${most.toFixed(2)}]`
}
