import type { Cell, DiskCost } from './measure-requests.ts'
import type { Size } from './sizing.ts'
import { count, table } from './text-table.ts'

/** Said where the rows of PostgreSQL would be. */
export const LEFT_OUT =
  'PostgreSQL 15 or newer was not found, or was not asked for: the rows on it were left out. To get them: apt-get install postgresql'

/** What decisions on PostgreSQL take of the server, of its disk and of the log. */
export function databaseLines(
  cells: readonly Cell[],
  disk: readonly DiskCost[],
  sizing: readonly Size[],
): string[] {
  const measured = cells.filter(({ store }) => store === 'postgres')
  if (measured.length === 0) return [LEFT_OUT]
  return [
    ...table([
      [
        'nodes',
        'in flight',
        'database CPU µs',
        'WAL bytes',
        'checkpoint behind at most ms',
        'caught up after ms',
      ],
      ...measured.map(({ nodes, inFlight, database, log }) => [
        String(nodes),
        String(inFlight),
        (database?.cpuMicroseconds ?? 0).toFixed(0),
        count(Math.round(database?.walBytes ?? 0)),
        (log?.behindMs ?? 0).toFixed(0),
        (log?.caughtUpMs ?? 0).toFixed(0),
      ]),
    ]),
    '',
    `Bytes on disk for each decision, indexes included: ${disk.map(diskText).join(', ')}.`,
    'For so many decisions in every second, with each core used to six tenths and one node to spare:',
    ...table([
      ['decisions/s', 'nodes', 'database cores', 'disk GB/day', 'of it the log', 'WAL GB/day'],
      ...sizing.map((size) => [
        count(size.perSecond),
        String(size.nodes),
        String(size.databaseCores),
        size.diskGigabytesPerDay.toFixed(1),
        size.logGigabytesPerDay.toFixed(1),
        size.walGigabytesPerDay.toFixed(1),
      ]),
    ]),
  ]
}

function diskText({ table: name, bytesPerDecision }: DiskCost): string {
  return `${name} ${count(Math.round(bytesPerDecision))}`
}
