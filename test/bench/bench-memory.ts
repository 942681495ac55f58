import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { recallMemory } from '../../src/broker/recall-memory.ts'
import { rememberMemory } from '../../src/broker/remember-memory.ts'
import { sweepExpiredMemory } from '../../src/broker/sweep-expired-memory.ts'
import type { Granted } from '../support/granted-agent.ts'
import { callerOf, latte } from '../support/memory-world.ts'
import type { BenchOptions } from './bench-options.ts'
import { describeMachine, type Machine, machineLine } from './machine.ts'
import { contentOf, keyOfItem, type MemoryStore, seedMemory } from './seed-memory.ts'
import { percentile, seededRandom } from './statistics.ts'
import { count, table } from './text-table.ts'

type Latency = { readonly p50Ms: number; readonly p99Ms: number }

const ASKED = [
  'remember',
  'recall by key',
  'recall by words',
  'full grant, by key',
  'full grant, by words',
] as const
type Asked = (typeof ASKED)[number]

type MemoryCost = {
  readonly items: number
  readonly users: number
  readonly itemsEach: number
  readonly fullestItems: number
  readonly latency: Readonly<Record<Asked, Latency>>
  readonly swept: number
  readonly sweptPerSecond: number
}

export type MemoryReport = {
  readonly machine: Machine
  readonly few: MemoryCost
  readonly many: MemoryCost
}

const HOUR_MS = 3_600_000
const FULL = {
  few: 10_000,
  many: 1_000_000,
  itemsEach: 100,
  fullest: 5_000,
  expiringMost: 50_000,
  calls: 1_500,
  fullCalls: 100,
}
const QUICK = { few: 60, many: 200, itemsEach: 10, fullest: 20, expiringMost: 100, calls: 4, fullCalls: 2 }

/** What memory costs in a store with few items and in one with many, call by call in turns, one at a time. */
export async function benchMemory(
  options: Pick<BenchOptions, 'quick'>,
  folder: string,
  progress: (text: string) => void,
): Promise<MemoryReport> {
  const sizes = options.quick ? QUICK : FULL
  const machine = describeMachine(folder, 500, null)
  const stores: MemoryStore[] = []
  try {
    for (const items of [sizes.few, sizes.many]) {
      progress(`${count(items)} items`)
      const own = join(folder, `memory-${items}`)
      mkdirSync(own)
      const { itemsEach, expiringMost } = sizes
      stores.push(await seedMemory(own, { items, itemsEach, expiringMost, fullestItems: sizes.fullest }))
    }
    const taken = stores.map(() => new Map<Asked, number[]>())
    const random = seededRandom(1)
    for (const asked of ASKED) {
      progress(asked)
      const calls = asked.startsWith('full') ? sizes.fullCalls : sizes.calls
      // The first calls are those that warm up.
      for (let call = -Math.ceil(calls / 10); call < calls; call += 1) {
        for (const [i, store] of stores.entries()) {
          const ms = await timeOf(store, asked, random)
          if (call >= 0) taken[i]?.set(asked, [...(taken[i]?.get(asked) ?? []), ms])
        }
      }
    }
    const costs: MemoryCost[] = []
    for (const [i, store] of stores.entries()) {
      progress(`sweeping ${count(store.expiring)} of ${count(store.items)}`)
      costs.push(await costOf(store, taken[i] ?? new Map()))
    }
    const [few, many] = costs
    if (!few || !many) throw new Error('two stores were measured')
    return { machine, few, many }
  } finally {
    for (const { test } of stores) await test.close()
  }
}

let written = 0

async function timeOf(store: MemoryStore, asked: Asked, random: () => number): Promise<number> {
  const { test, users, itemsEach, fullest, fullestItems } = store
  const at = Math.floor(random() * users.length)
  // Those that expire later in the run are not asked for, nor do they matter: half of each user's stay.
  const nth = Math.floor(random() * itemsEach)
  const user = users[at] as Granted
  const startedMs = performance.now()
  switch (asked) {
    case 'remember': {
      written += 1
      const item = latte({ key: `written ${written}`, content: contentOf(written) })
      const done = await rememberMemory(test.broker, callerOf(user), {
        ...item,
        idempotencyKey: `bench-${written}`,
      })
      if (done.kind !== 'remembered') throw new Error(JSON.stringify(done))
      break
    }
    case 'recall by key':
      await found(test, user, { key: keyOfItem(nth) })
      break
    case 'recall by words':
      await found(test, user, { words: `note${at * itemsEach + nth} coffee` })
      break
    case 'full grant, by key':
      await found(test, fullest, { key: keyOfItem(nth), limit: 1 })
      break
    case 'full grant, by words':
      await found(test, fullest, {
        words: `note${users.length * itemsEach + Math.floor(random() * fullestItems)}`,
        limit: 1,
      })
      break
  }
  return performance.now() - startedMs
}

async function found(test: MemoryStore['test'], user: Granted, asked: Parameters<typeof recallMemory>[2]) {
  const recalled = await recallMemory(test.broker, callerOf(user), asked)
  if (recalled.kind !== 'recalled' || recalled.items.length === 0)
    throw new Error(`nothing recalled for ${JSON.stringify(asked)}: ${JSON.stringify(recalled)}`)
}

async function costOf(store: MemoryStore, taken: ReadonlyMap<Asked, readonly number[]>): Promise<MemoryCost> {
  const { test, items, users, itemsEach, fullestItems, expiring } = store
  test.clock.advance(HOUR_MS)
  const startedMs = performance.now()
  const swept = await sweepExpiredMemory(test.broker)
  const seconds = (performance.now() - startedMs) / 1000
  if (swept !== expiring) throw new Error(`${swept} swept, and ${expiring} were due`)
  const latency = Object.fromEntries(
    ASKED.map((asked) => {
      const values = taken.get(asked) ?? []
      return [asked, { p50Ms: percentile(values, 0.5), p99Ms: percentile(values, 0.99) }]
    }),
  ) as Record<Asked, Latency>
  return {
    items,
    users: users.length + 1,
    itemsEach,
    fullestItems,
    latency,
    swept,
    sweptPerSecond: swept / seconds,
  }
}

export function printMemoryReport({ machine, few, many }: MemoryReport): string {
  const rows = ASKED.map((asked) => {
    const [a, b] = [few.latency[asked], many.latency[asked]]
    return [
      asked,
      ...[a.p50Ms, a.p99Ms, b.p50Ms, b.p99Ms].map((ms) => ms.toFixed(2)),
      (b.p50Ms / a.p50Ms).toFixed(2),
      (b.p99Ms / a.p99Ms).toFixed(2),
    ]
  })
  const heads = [count(few.items), count(many.items)].flatMap((items) => [`${items}: p50 ms`, 'p99 ms'])
  return [
    machineLine(machine),
    `SQLite, one call at a time; ${few.itemsEach} items of about 200 bytes a user, and one grant with ${count(few.fullestItems)}.`,
    '',
    ...table([['items', ...heads, 'ratio p50', 'ratio p99'], ...rows]),
    '',
    ...table([
      ['items', 'swept', 'swept/s'],
      ...[few, many].map((cost) => [
        count(cost.items),
        count(cost.swept),
        count(Math.round(cost.sweptPerSecond)),
      ]),
    ]),
    '',
  ].join('\n')
}
