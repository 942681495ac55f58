import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { confirmGrant } from '../../src/broker/change-grant.ts'
import { destroyMemoryOf } from '../../src/broker/destroy-memory.ts'
import { forgetByAgent, forgetByUser } from '../../src/broker/forget-memory.ts'
import { liftLegalHold, placeLegalHold } from '../../src/broker/legal-hold.ts'
import { listMemory } from '../../src/broker/list-memory.ts'
import { recallMemory } from '../../src/broker/recall-memory.ts'
import { sweepExpiredMemory } from '../../src/broker/sweep-expired-memory.ts'
import type { Cells } from '../../src/ports/cells.ts'
import type { Store } from '../../src/ports/store.ts'
import { DAY_MS, latte, type MemoryWorld, memoryWorld, worldOf } from '../support/memory-world.ts'
import { backUp, publish, restoreBeside } from '../support/restored-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

const HOUR_MS = 3_600_000
let world: MemoryWorld
beforeEach(async () => {
  world = await memoryWorld()
})
afterEach(() => world.test.close())

const page = { limit: 50, before: null }
const soon = (ms = HOUR_MS) => latte({ expiresAtMs: world.test.broker.store.now().nowMs + ms })

async function rowsLeft(broker: Broker) {
  const { userId } = world.alice
  const rows = await broker.store.read(async (tx) => tx.memoryItems.headsOfUser(userId))
  return { rows: rows.length, keys: (await broker.cells.findAll(rows.map(({ cellId }) => cellId))).size }
}

/** How many items the log says were destroyed. */
async function destroyed(): Promise<number> {
  let items = 0
  for (const leaf of await world.test.leaves()) {
    if (leaf.type !== 'memory' || leaf.outcome !== 'destroyed') continue
    const core = await world.test.openPart(leaf.eventId, 'core')
    items += (core as { items: number }).items
  }
  return items
}

describe('expired memory', () => {
  it('is readable a millisecond before its time, and gone at it, on every way to it', async () => {
    const { test, alice, caller } = world
    const { itemId } = await world.kept(soon())
    test.clock.advance(HOUR_MS - 1)
    expect(await world.recall({ key: 'usual order' })).toHaveLength(1)
    test.clock.advance(1)
    for (const asked of [{}, { key: 'usual order' }, { words: 'latte' }, { class: 'order_history' }])
      expect(await world.recall(asked)).toEqual([])
    expect((await listMemory(test.broker, { userId: alice.userId, page })).items).toEqual([])
    expect(await forgetByUser(test.broker, { userId: alice.userId, itemId })).toEqual({ kind: 'not_found' })
    expect(await forgetByAgent(test.broker, caller, { itemId })).toEqual({ kind: 'not_found' })
  })

  it('does not hide the item that the same call made after it, before it is swept', async () => {
    await world.test.close()
    world = await memoryWorld({ retentionDays: { order_history: 1 } })
    const { test, caller } = world
    const { key: _, ...unnamed } = latte()
    const remember = () => world.remember(unnamed, caller, 'the-same-key')
    const first = await remember()
    if (first.kind !== 'remembered') throw new Error(first.kind)
    test.clock.advance(first.expiresAtMs - test.broker.store.now().nowMs)
    const second = await remember()
    expect(second).toMatchObject({ kind: 'remembered', isNew: true })
    expect(await remember()).toEqual({ ...second, isNew: false })
  })

  it('is not answered by a recall that began while it lived', async () => {
    const { test, caller } = world
    for (const nth of [1, 2]) {
      await world.kept(soon())
      test.clock.advance(HOUR_MS - 1)
      let asked = 0
      const cells: Cells = {
        ...test.broker.cells,
        async findAll(ids) {
          asked += 1
          const keys = await test.broker.cells.findAll(ids)
          if (asked === nth) test.clock.advance(1)
          return keys
        },
      }
      expect(await recallMemory({ ...test.broker, cells }, caller, { words: 'latte' })).toMatchObject({
        items: [],
      })
      expect(asked).toBe(nth)
    }
  })

  it('does not come back when the clock is set back, also across a restart', async () => {
    await world.kept(soon())
    world.test.clock.advance(HOUR_MS)
    expect(await world.recall()).toEqual([])
    world.test.clock.stepWall(-2 * HOUR_MS)
    expect(await world.recall()).toEqual([])
    const test = await world.test.reopen()
    world = worldOf(test, world.alice)
    expect(await world.recall()).toEqual([])
    expect((await listMemory(test.broker, { userId: world.alice.userId, page })).items).toEqual([])
  })

  it('survives a restart with its time, and no longer', async () => {
    await world.kept(soon())
    world.test.clock.advance(HOUR_MS - 1)
    const test = await world.test.reopen()
    world = worldOf(test, world.alice)
    expect(await world.recall()).toHaveLength(1)
    test.clock.advance(1)
    expect(await world.recall()).toEqual([])
  })

  it('stays away when the store comes back from a backup, and so does what was forgotten', async () => {
    const { test, alice } = world
    await world.kept(soon())
    const forgotten = await world.kept(latte({ key: 'to be forgotten' }))
    await world.kept(latte({ key: 'stays' }))
    await publish(test)
    const from = await backUp(test, join(tempFolder(), 'backup'))
    await forgetByUser(test.broker, { userId: alice.userId, itemId: forgotten.itemId })
    test.clock.advance(HOUR_MS)
    const restored = await restoreBeside(test, from, join(tempFolder(), 'restored'))
    try {
      const back = worldOf(restored, alice)
      expect(await back.recall()).toEqual([])
      await confirmGrant(restored.broker, { userId: alice.userId, grantId: alice.grant.id })
      expect((await back.recall()).map(({ key }) => key)).toEqual(['stays'])
      await sweepExpiredMemory(restored.broker)
      expect(await rowsLeft(restored.broker)).toEqual({ rows: 1, keys: 1 })
    } finally {
      await restored.close()
    }
  })

  it('is destroyed by the sweep, and the log says so once', async () => {
    await world.kept(soon())
    await world.kept(latte({ key: 'later' }))
    expect(await sweepExpiredMemory(world.test.broker)).toBe(0)
    world.test.clock.advance(HOUR_MS)
    expect(await sweepExpiredMemory(world.test.broker)).toBe(1)
    expect(await sweepExpiredMemory(world.test.broker)).toBe(0)
    expect(await rowsLeft(world.test.broker)).toEqual({ rows: 1, keys: 1 })
    expect(await destroyed()).toBe(1)
  })

  it('stays sealed and unreadable under a legal hold, and is destroyed when that is lifted', async () => {
    const { test, alice } = world
    await world.kept(soon())
    const { itemId } = await world.kept(latte({ key: 'forgotten' }))
    const act = { userId: alice.userId, operatorId: 'lin.wei', reason: 'a dispute about an order' }
    await placeLegalHold(test.broker, act)
    test.clock.advance(HOUR_MS)
    expect(await forgetByUser(test.broker, { userId: alice.userId, itemId })).toMatchObject({
      kind: 'forgotten',
    })
    expect(await sweepExpiredMemory(test.broker)).toBe(0)
    expect(await rowsLeft(test.broker)).toEqual({ rows: 2, keys: 2 })
    expect(await world.recall()).toEqual([])
    expect((await listMemory(test.broker, { userId: alice.userId, page })).items).toEqual([])
    await liftLegalHold(test.broker, act)
    expect(await sweepExpiredMemory(test.broker)).toBe(2)
    expect(await rowsLeft(test.broker)).toEqual({ rows: 0, keys: 0 })
  })

  it('of a session goes when the tokens of that session are taken back', async () => {
    const { test, alice, caller } = world
    await world.kept(latte({ sessionOnly: true }))
    await world.kept(latte({ key: 'for good' }))
    await test.broker.store.transaction(async (tx) => {
      await tx.tokenFamilies.insert({
        id: 'fam_1',
        userId: alice.userId,
        agentId: alice.agent.id,
        sessionId: caller.sessionId,
        clientId: 'client',
        createdAtMs: tx.nowMs,
        endedAtMs: null,
      })
    })
    expect(await sweepExpiredMemory(test.broker)).toBe(0)
    await test.broker.store.transaction(async (tx) => tx.tokenFamilies.end('fam_1', tx.nowMs))
    expect(await recallMemory(test.broker, caller, {})).toEqual({
      kind: 'refused',
      code: 'agent_not_connected',
    })
    expect(await sweepExpiredMemory(test.broker)).toBe(1)
    expect(await world.recall({}, { ...caller, sessionId: 'ses_new' })).toHaveLength(1)
  })
})

/** What a crash looks like: from the nth step on, nothing is done any more. The step itself is done, or not. */
function crashing(broker: Broker, after: number, isDone: boolean): { broker: Broker; steps: () => number } {
  let steps = 0
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    steps += 1
    if (steps > after + 1 || (steps === after + 1 && !isDone)) throw new Error('crashed')
    const result = await work()
    if (steps === after + 1) throw new Error('crashed')
    return result
  }
  const store: Store = {
    transaction: (work, owner) => step(() => broker.store.transaction(work, owner)),
    read: (work) => step(() => broker.store.read(work)),
    drained: () => broker.store.drained(),
    treeHead: () => broker.store.treeHead(),
    now: () => broker.store.now(),
    confirmClock: () => broker.store.confirmClock(),
    close: () => broker.store.close(),
  }
  const cells: Cells = {
    ...broker.cells,
    ensure: (names) => step(() => broker.cells.ensure(names)),
    destroy: (ids, why) => step(() => broker.cells.destroy(ids, why)),
  }
  return { broker: { ...broker, store, cells }, steps: () => steps }
}

describe('a crash', () => {
  it.each([
    [
      'of the sweep',
      (broker: Broker): Promise<unknown> => sweepExpiredMemory(broker),
      async (): Promise<void> => {
        world.test.clock.advance(HOUR_MS)
      },
    ],
    [
      'while all of it is forgotten',
      (broker: Broker): Promise<unknown> => destroyMemoryOf(broker, { userId: world.alice.userId }),
      async (): Promise<void> => undefined,
    ],
  ] as const)('%s, at any step, loses nothing and logs nothing twice', async (_, work, before) => {
    let finished = 0
    for (let after = 0; finished < 2 && after < 40; after += 1) {
      for (const isDone of [false, true]) {
        await world.kept(soon())
        await world.kept(latte({ ...soon(), key: 'another' }))
        await before()
        const told = await destroyed()
        const crash = crashing(world.test.broker, after, isDone)
        const outcome = await work(crash.broker).then(
          () => 'finished',
          () => 'crashed',
        )
        if (outcome === 'finished') finished += 1
        // Readable or not, it must be one or the other for both, and what is unreadable stays so.
        const readable = (await world.recall()).length
        expect([0, 2]).toContain(readable)
        await destroyMemoryOf(world.test.broker, { userId: world.alice.userId })
        await sweepExpiredMemory(world.test.broker)
        expect(await rowsLeft(world.test.broker)).toEqual({ rows: 0, keys: 0 })
        expect((await destroyed()) - told).toBe(2)
      }
    }
    expect(finished).toBe(2)
  })

  it('while it is remembered leaves all of it or nothing, and the same call tells which', async () => {
    const { test, alice } = world
    for (let after = 0; after < 8; after += 1) {
      for (const isDone of [false, true]) {
        const asked = latte({ key: `after ${after} ${isDone}` })
        const crash = crashing(test.broker, after, isDone)
        const key = `crash-${after}-${isDone}`
        await worldOf({ ...test, broker: crash.broker }, alice)
          .remember(asked, world.caller, key)
          .catch(() => undefined)
        const again = await world.remember(asked, world.caller, key)
        expect(again.kind).toBe('remembered')
        expect(await world.recall({ key: asked.key ?? '' })).toHaveLength(1)
      }
    }
    test.clock.advance(400 * DAY_MS)
    await sweepExpiredMemory(test.broker)
    expect(await rowsLeft(test.broker)).toEqual({ rows: 0, keys: 0 })
  })
})
