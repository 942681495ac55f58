import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { findPostgres } from '../support/postgres-server.ts'
import type { StoreKind } from './bench-store.ts'
import { LEFT_OUT } from './report-database.ts'
import { costsOf, sizingOf } from './sizing.ts'
import { median, percentile, seededRandom } from './statistics.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const positive = z.number().positive()
const nonnegative = z.number().nonnegative()
const store = z.enum(['sqlite', 'postgres'])
const reportShape = z.strictObject({
  machine: z.strictObject({
    cpu: z.string(),
    cores: positive,
    node: z.string(),
    sqlite: z.string(),
    postgres: z.string().nullable(),
    loadBefore: z.number().nonnegative(),
    fsyncsPerSecond: positive,
  }),
  options: z.strictObject({ seconds: positive, rounds: positive }),
  worlds: z.array(
    z.strictObject({ store, nodes: positive, grants: positive, called: positive, seedSeconds: positive }),
  ),
  cells: z.array(
    z.strictObject({
      server: z.enum(['bare', 'decision', 'action']),
      store: store.nullable(),
      nodes: positive.nullable(),
      grants: positive.nullable(),
      inFlight: positive,
      perSecond: positive,
      p50Ms: positive,
      p99Ms: positive,
      ratio: positive,
      cpuMicroseconds: positive,
      requests: positive,
      statements: positive.nullable(),
      roundTrips: nonnegative.nullable(),
      // The clock of /proc is too coarse for the few requests of a quick run.
      database: z.strictObject({ cpuMicroseconds: nonnegative, walBytes: positive }).nullable(),
      log: z.strictObject({ behindMs: nonnegative, caughtUpMs: nonnegative }).nullable(),
    }),
  ),
  disk: z.array(z.strictObject({ table: z.string(), bytesPerDecision: positive })),
  costs: z.array(z.strictObject({ inFlight: positive, factor: positive })),
  history: z.strictObject({
    users: z.array(z.strictObject({ pastActions: positive, microsecondsPerAction: positive })),
    factor: positive,
  }),
  logs: z.array(
    z.strictObject({
      leaves: positive,
      appendMicroseconds: positive,
      inclusionMicroseconds: positive,
      consistencyMicroseconds: positive,
      startMs: positive,
    }),
  ),
  bars: z.array(z.strictObject({ about: z.string(), bar: positive, measured: positive, met: z.boolean() })),
  sizing: z.array(
    z.strictObject({
      perSecond: positive,
      nodes: positive,
      databaseCores: nonnegative,
      diskGigabytesPerDay: positive,
      logGigabytesPerDay: nonnegative,
      walGigabytesPerDay: positive,
    }),
  ),
})

describe('npm run bench', () => {
  let report: z.infer<typeof reportShape>
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
    const args = ['--expose-gc', 'test/bench/main.ts', '--quick', '--json', '--folder', folder]
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 280_000 })
    report = reportShape.parse(JSON.parse(stdout))
  }, 300_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const hasPostgres = findPostgres() !== undefined
  const places: [StoreKind, number, number][] = [
    ['sqlite', 1, 20],
    ['sqlite', 1, 60],
    ...(hasPostgres ? [1, 3] : []).map((nodes): [StoreKind, number, number] => ['postgres', nodes, 20]),
  ]

  it('measures the bare route, decisions on each store and number of nodes, and whole actions', () => {
    const measured = report.cells.map(({ server, store: kind, nodes, grants, inFlight }) =>
      JSON.stringify([server, kind, nodes, grants, inFlight]),
    )
    const expected = [1, 4].flatMap((inFlight) => [
      ['bare', null, null, null, inFlight],
      ...places.map((place) => ['decision', ...place, inFlight]),
      ['action', 'sqlite', 1, 20, inFlight],
    ])
    expect(measured.sort()).toEqual(expected.map((row) => JSON.stringify(row)).sort())
  })

  it('says over how many of the grants requests are spread', () => {
    expect(report.worlds.map(({ store: kind, nodes, grants }) => [kind, nodes, grants])).toEqual(places)
    expect(report.worlds.map(({ grants, called }) => [grants, called]).slice(0, 2)).toEqual([
      [20, 20],
      [60, 40],
    ])
  })

  it('counts what a decision sends, and waits for no answer of an embedded database', () => {
    const decisions = report.cells.filter(({ server }) => server === 'decision')
    for (const { store: kind, statements, roundTrips } of decisions) {
      expect(statements).toBeGreaterThan(5)
      if (kind === 'sqlite') expect(roundTrips).toBe(0)
    }
    expect(report.cells.filter(({ statements }) => statements !== null)).toEqual(decisions)
  })

  it.runIf(hasPostgres)('finds six to nine round trips a request for a decision on PostgreSQL', () => {
    const trips = report.cells.filter(({ store: kind }) => kind === 'postgres').map((cell) => cell.roundTrips)
    for (const each of trips) {
      expect(each).toBeGreaterThanOrEqual(6)
      // Seven of the decision, one for its token; a lost race is decided again, and a connection that is new is looked at.
      expect(each).toBeLessThan(9.5)
    }
  })

  it.runIf(hasPostgres)('tells what the log did under load, and what decisions leave behind', () => {
    const onPostgres = report.cells.filter(({ store: kind }) => kind === 'postgres')
    expect(onPostgres.every(({ log, database }) => log !== null && database !== null)).toBe(true)
    expect(report.disk.map(({ table }) => table)).toContain('actions')
    expect(report.sizing.map(({ perSecond }) => perSecond)).toEqual([50, 500, 5_000])
  })

  it('compares users and logs of different pasts', () => {
    expect(report.history.users.map((user) => user.pastActions)).toEqual([5, 300])
    expect(report.logs.map((log) => log.leaves)).toEqual([50, 700])
  })

  it('holds what was measured beside every bar, and fails for none', () => {
    expect(report.bars.map(({ bar }) => bar)).toEqual([0.1, 40, 1.3])
  })

  it('leaves no database behind', () => {
    expect(readdirSync(folder)).toEqual([])
  })

  it('says plainly that PostgreSQL was left out', async () => {
    const args = ['--expose-gc', 'test/bench/main.ts', '--quick', '--without-postgres', '--folder', folder]
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 110_000 })
    expect(stdout).toContain(LEFT_OUT)
    expect(stdout).not.toContain('1 node')
  }, 120_000)

  it('refuses flags it does not know', async () => {
    const args = ['test/bench/main.ts', '--fast']
    await expect(run(process.execPath, args, { cwd: ROOT })).rejects.toMatchObject({ code: 2 })
  })
})

describe('sizing', () => {
  const costs = {
    nodeMicroseconds: 1_200,
    databaseMicroseconds: 600,
    walBytes: 10_000,
    diskBytes: 5_000,
    logBytes: 1_000,
  }

  it('uses six tenths of each core, and has one node to spare', () => {
    const [size] = sizingOf(costs, [1_000])
    // 1.2 cores of nodes and 0.6 of the database are busy.
    expect(size).toMatchObject({ nodes: 3, databaseCores: 1 })
  })

  it('fills disks for a whole day', () => {
    const [size] = sizingOf(costs, [1_000])
    expect(size?.diskGigabytesPerDay).toBeCloseTo(432)
    expect(size?.logGigabytesPerDay).toBeCloseTo(86.4)
    expect(size?.walGigabytesPerDay).toBeCloseTo(864)
  })

  it('makes nothing of what was not measured', () => {
    expect(sizingOf(costsOf({ cells: [], costs: [], disk: [] }, 64), [50])).toEqual([])
  })
})

describe('statistics', () => {
  it('finds the middle of odd and even numbers of values', () => {
    expect([median([5, 1, 3]), median([4, 1, 3, 2])]).toEqual([3, 2.5])
  })

  it('finds the value that a share of all are not above', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7])
  })

  it('has no median of nothing', () => {
    expect(() => median([])).toThrow(RangeError)
  })

  it('repeats its random numbers', () => {
    const [one, two] = [seededRandom(5), seededRandom(5)]
    const numbers = Array.from({ length: 50 }, one)
    expect(Array.from({ length: 50 }, two)).toEqual(numbers)
    expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true)
  })
})
