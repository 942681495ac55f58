import { createHash } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Broker } from '../../src/broker/broker.ts'
import { sealMemory } from '../../src/broker/seal-memory.ts'
import { idOf } from '../../src/core/ids.ts'
import type { Cell } from '../../src/ports/cells.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { HISTORY } from '../support/memory-world.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { insertMany, rowInserter } from './bulk-insert.ts'

export type MemoryStore = {
  readonly test: TestBroker
  readonly items: number
  /** Each remembers as many items. */
  readonly users: readonly Granted[]
  readonly itemsEach: number
  /** One who remembers as many items as a grant may. */
  readonly fullest: Granted
  readonly fullestItems: number
  /** How many items expire an hour after the beginning. */
  readonly expiring: number
}

export type SeedSizes = {
  readonly items: number
  readonly itemsEach: number
  readonly fullestItems: number
  readonly expiringMost: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const AT_ONCE = 5_000
const USERS_AT_ONCE = 250
const WORDS = ['coffee', 'window', 'seat', 'invoice', 'allergy', 'bicycle', 'garden', '拿铁', '靠窗', '发票']

/** About 200 bytes of words; each item has one of its own. */
export function contentOf(index: number): string {
  const words = Array.from({ length: 28 }, (_, i) => WORDS[(index * 7 + i * 3) % WORDS.length])
  return `note${index} ${words.join(' ')}`
}

export const keyOfItem = (index: number) => `key ${index}`

/** Makes a store with so many items, sealed as the broker seals them and put in past it. */
export async function seedMemory(folder: string, sizes: SeedSizes): Promise<MemoryStore> {
  const { items, itemsEach, fullestItems } = sizes
  const test = await createTestBroker({ folder, engine: 'sqlite', seed: folder })
  const { broker } = test
  const manifest = sampleManifest('coffee.order')
  const users: Granted[] = []
  const wanted = Math.ceil((items - fullestItems) / itemsEach)
  while (users.length < wanted) {
    // Together, so that they share commits.
    const some = Array.from({ length: Math.min(USERS_AT_ONCE, wanted - users.length) }, () =>
      grantAll(broker, manifest, HISTORY),
    )
    users.push(...(await Promise.all(some)))
  }
  const fullest = await grantAll(broker, manifest, HISTORY)
  const owners = [...users.flatMap((user) => Array.from({ length: itemsEach }, () => user))]
  for (let i = 0; i < fullestItems; i += 1) owners.push(fullest)
  const expiring = Math.min(sizes.expiringMost, Math.floor((users.length * itemsEach) / 2))

  const db = new Database(join(folder, 'broker.sqlite'))
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -262144')
  const insert = rowInserter(db, sqliteTables.memoryItems)
  const { nowMs } = broker.store.now()
  for (let from = 0; from < owners.length; from += AT_ONCE) {
    const some = owners.slice(from, from + AT_ONCE)
    const cells = await broker.cells.make(some.map(() => Math.floor((nowMs + 30 * DAY_MS) / DAY_MS)))
    insertMany(db, some.length, (i) => {
      const index = from + i
      const owner = some[i]
      const cell = cells[i]
      if (!owner || !cell) return
      const nth = index % itemsEach
      insert(
        rowOf(
          broker,
          owner,
          cell,
          index,
          nth,
          isExpiring(index, nth, itemsEach, expiring) ? nowMs + HOUR_MS : nowMs + 30 * DAY_MS,
        ),
      )
    })
  }
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.exec('ANALYZE')
  db.close()
  return { test, items: owners.length, users, itemsEach, fullest, fullestItems, expiring }
}

/** Half of what each of the first users has. */
function isExpiring(index: number, nth: number, itemsEach: number, expiring: number): boolean {
  return nth < itemsEach / 2 && index < expiring * 2
}

function rowOf(
  broker: Broker,
  { userId, agent, grant }: Granted,
  cell: Cell,
  index: number,
  nth: number,
  expiresAtMs: number,
) {
  const bytes = createHash('sha256').update(`item ${index}`).digest()
  const id = idOf('memory', index, bytes.subarray(0, 16))
  const content = contentOf(index)
  const { nowMs } = broker.store.now()
  const head = {
    key: keyOfItem(nth),
    category: 'order',
    purpose: 'to order the same again',
    originActionId: null,
    limitedBy: 'grant' as const,
    untrusted: false,
    categories: [],
    requestDigest: '',
  }
  return {
    id,
    userId,
    agentId: agent.id,
    grantId: grant.id,
    skillId: 'coffee.order',
    memoryClass: 'order_history',
    sessionId: null,
    requestHash: bytes,
    cellId: cell.cellId,
    sizeBytes: Buffer.byteLength(content),
    ...sealMemory(cell.key, { id, userId }, head, content),
    createdAtMs: nowMs - 1000 + (index % 1000),
    expiresAtMs,
    ended: null,
  }
}
