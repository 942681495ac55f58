import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { median, percentile, seededRandom } from './statistics.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const positive = z.number().positive()
const reportShape = z.strictObject({
  machine: z.strictObject({
    cpu: z.string(),
    cores: positive,
    node: z.string(),
    sqlite: z.string(),
    fsyncsPerSecond: positive,
  }),
  options: z.strictObject({ seconds: positive, rounds: positive }),
  worlds: z.array(z.strictObject({ grants: positive, called: positive, seedSeconds: positive })),
  cells: z.array(
    z.strictObject({
      server: z.enum(['bare', 'decision', 'action']),
      grants: positive.nullable(),
      inFlight: positive,
      perSecond: positive,
      p50Ms: positive,
      p99Ms: positive,
      ratio: positive,
      cpuMicroseconds: positive,
      requests: positive,
    }),
  ),
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
})

describe('npm run bench', () => {
  let report: z.infer<typeof reportShape>
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
    const args = ['--expose-gc', 'test/bench/main.ts', '--quick', '--json', '--folder', folder]
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 100_000 })
    report = reportShape.parse(JSON.parse(stdout))
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('measures the bare route, decisions over few and many grants, and whole actions', () => {
    const measured = report.cells.map(({ server, grants, inFlight }) => [server, grants, inFlight])
    expect(measured.sort()).toEqual(
      [1, 4]
        .flatMap((inFlight) => [
          ['bare', null, inFlight],
          ['decision', 20, inFlight],
          ['decision', 60, inFlight],
          ['action', 20, inFlight],
        ])
        .sort(),
    )
  })

  it('says over how many of the grants requests are spread', () => {
    expect(report.worlds.map(({ grants, called }) => [grants, called])).toEqual([
      [20, 20],
      [60, 40],
    ])
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

  it('refuses flags it does not know', async () => {
    const args = ['test/bench/main.ts', '--fast']
    await expect(run(process.execPath, args, { cwd: ROOT })).rejects.toMatchObject({ code: 2 })
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
