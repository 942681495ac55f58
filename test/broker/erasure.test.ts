import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { cancelErasure } from '../../src/broker/cancel-erasure.ts'
import { resumeGrant } from '../../src/broker/change-grant.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { liftLegalHold, placeLegalHold } from '../../src/broker/legal-hold.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { resumeAgent } from '../../src/broker/pause-agent.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { erasedMark, redoErasures } from '../../src/broker/redo-erasures.ts'
import { requestErasure } from '../../src/broker/request-erasure.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { listErasures, showErasure } from '../../src/broker/show-erasure.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf, rootOf } from '../../src/core/merkle/tree.ts'
import { createErasable, type ErasablePerson, leftOf, ordered } from '../support/erasable-person.ts'
import { broken } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE } from '../support/test-engine.ts'

const NOTHING_TO_CANCEL = async () => []
const HOUR_MS = 3_600_000

let test: TestBroker
let alice: ErasablePerson

beforeAll(async () => {
  test = await createTestBroker()
})
afterAll(() => test.close())
beforeEach(async () => {
  alice = await createErasable(test)
})

const request = (userId = alice.userId) => requestErasure(test.broker, { userId })
const cancel = () => cancelErasure(test.broker, { userId: alice.userId })
const run = (broker: Broker = test.broker) => runErasures(broker, NOTHING_TO_CANCEL)
const view = () => showErasure(test.broker, { userId: alice.userId })
const statusOf = async () => (await view())?.status

/** To the end: the last message has an hour to be delivered, and nobody delivers here. */
async function eraseAll(): Promise<void> {
  test.clock.advance(ERASURE_AFTER_MS)
  await run()
  test.clock.advance(HOUR_MS + 1)
  await run()
}

const ERASED = {
  person: 'erased',
  erasure: 'done',
  agents: 0,
  grants: 0,
  sessions: 0,
  passkeys: 0,
  codes: 0,
  channels: 0,
  messages: 0,
  recipients: 0,
  actions: [{ status: 'succeeded', capturedMinor: 100, isKnown: false }],
  captured: [{ held: 0, captured: 100 }],
  readableTexts: 0,
  readableParts: 0,
}

describe('asking for an erasure', () => {
  it('pauses everything at once, and permits nothing until it is due', async () => {
    expect(await request()).toMatchObject({ kind: 'requested', isNew: true })
    expect(await request()).toMatchObject({ kind: 'requested', isNew: false })
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(done.kind).not.toBe('done')
    const about = { userId: alice.userId, grantId: alice.grant.id }
    expect(await resumeGrant(test.broker, about)).toEqual({ kind: 'not_possible', state: 'paused' })
    const agent = { userId: alice.userId, agentId: alice.agent.id }
    expect(await resumeAgent(test.broker, agent)).toEqual({ kind: 'erasure_pending' })
    test.clock.advance(ERASURE_AFTER_MS - 1)
    await run()
    expect(await statusOf()).toBe('waiting')
    await cancel()
  })

  it('cancelled in time lets go on what it paused, and nothing else', async () => {
    const bob = await createErasable(test)
    await test.broker.store.transaction(async (tx) => tx.agents.setStatus(bob.agent.id, 'paused'))
    await request(bob.userId)
    await request()
    test.clock.advance(ERASURE_AFTER_MS - 1)
    expect(await cancel()).toMatchObject({
      kind: 'cancelled',
      heldBack: false,
      resumed: { agents: [alice.agent.id], grants: [alice.grant.id] },
    })
    expect(await cancel()).toEqual({ kind: 'not_requested' })
    const theirs = await cancelErasure(test.broker, { userId: bob.userId })
    expect(theirs).toMatchObject({ kind: 'cancelled', resumed: { agents: [], grants: [bob.grant.id] } })
    test.skill.replyNext(ordered('O-2'))
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(done).toMatchObject({ kind: 'done' })
    await run()
    expect(await statusOf()).toBe('cancelled')
  })

  it('is not cancelled into authority that somebody reported meanwhile', async () => {
    await request()
    test.clock.advance(1000)
    await reportIncident()
    expect(await cancel()).toMatchObject({ kind: 'cancelled', heldBack: true, resumed: { agents: [] } })
    await closeIncidents()
  })
})

describe('an erasure that is due', () => {
  it('leaves no way in, no row in the open and nothing that opens, and the ledger as it was', async () => {
    const bob = await createErasable(test)
    const before = await leftOf(test.broker, bob)
    await request()
    await eraseAll()
    expect(await leftOf(test.broker, alice)).toEqual(ERASED)
    expect(await leftOf(test.broker, bob)).toEqual(before)
    expect(await cancel()).toEqual({ kind: 'under_way' })
    expect(await request()).toEqual({ kind: 'under_way' })
  })

  it('cannot be followed by a replay under a key that was used', async () => {
    const asked = alice.ask('order_and_pay', order(100), 'stolen-key-01')
    test.skill.replyNext(ordered('O-3'))
    expect((await performAction(test.broker, asked)).kind).toBe('done')
    const calls = test.skill.calls.length
    await request()
    await eraseAll()
    const again = await performAction(test.broker, asked)
    expect(again.kind).not.toBe('done')
    expect(JSON.stringify(again)).not.toContain('O-3')
    expect(test.skill.calls.length).toBe(calls)
  })

  it('waits for an incident and for a hold, visibly and once in the log, and goes on after', async () => {
    await request()
    await reportIncident()
    test.clock.advance(ERASURE_AFTER_MS)
    await run()
    expect(await view()).toMatchObject({ status: 'waiting', waitsFor: 'incident' })
    const act = { userId: alice.userId, operatorId: 'lin.wei', reason: 'a dispute about an order' }
    expect(await placeLegalHold(test.broker, act)).toEqual({ kind: 'held', isNew: true })
    await closeIncidents()
    for (let i = 0; i < 3; i += 1) {
      test.clock.advance(30_000)
      await run()
    }
    expect(await view()).toMatchObject({ status: 'waiting', waitsFor: 'legal_hold' })
    expect((await listErasures(test.broker)).map(({ userId }) => userId)).toEqual([alice.userId])
    const delays = (await test.leaves()).filter(({ outcome }) => outcome === 'delayed')
    expect(delays.slice(-2).map(({ reason }) => reason)).toEqual(['incident', 'legal_hold'])
    expect(await liftLegalHold(test.broker, act)).toEqual({ kind: 'lifted' })
    test.clock.advance(30_000)
    await eraseAll()
    expect((await leftOf(test.broker, alice)).erasure).toBe('done')
  })

  it('waits for what is in doubt, with every token ended and everything still to be looked into', async () => {
    test.skill.replyNext(broken())
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(done.kind).not.toBe('refused')
    const before = await leftOf(test.broker, alice)
    await request()
    test.clock.advance(ERASURE_AFTER_MS)
    await run()
    expect(await view()).toMatchObject({ status: 'running', step: 'settle', waitsFor: 'in_doubt' })
    const left = await leftOf(test.broker, alice)
    expect(left).toMatchObject({ sessions: 0, passkeys: 0, codes: 0 })
    expect(left.readableParts).toBeGreaterThanOrEqual(before.readableParts)
    const row = (await test.broker.store.read(async (tx) => tx.actions.unsettled(alice.userId)))[0]
    expect(row).toBeDefined()
    await test.broker.store.transaction(async (tx) => {
      if (row) await tx.actions.update({ ...row, status: 'failed', heldMinor: 0, nextCheckAtMs: null })
    })
    test.clock.advance(30_000)
    await eraseAll()
    expect((await leftOf(test.broker, alice)).readableParts).toBe(0)
  })

  it('says in the log how much it made unreadable, without a name or an index, and every leaf still verifies', async () => {
    await request()
    await eraseAll()
    const leaves = (await test.leaves()).filter(({ type }) => type === 'erasure').slice(-4)
    expect(leaves.map(({ outcome }) => outcome)).toEqual(['requested', 'begun', 'recorded', 'done'])
    const recorded = leaves[2]?.eventId ?? ''
    const core = await test.openPart(recorded, 'core')
    expect(core).toMatchObject({ basis: 'request', events: expect.any(Number), parts: expect.any(Number) })
    expect(JSON.stringify(core)).not.toContain(alice.userId)
    expect(await test.openPart(leaves[0]?.eventId ?? '', 'core')).toBeUndefined()
    expect(await rootOfLeaves()).toEqual((await test.broker.store.treeHead()).rootHash)
  })
})

describe('an erasure that is killed', () => {
  it('ends in the same state wherever that was', async () => {
    for (let at = 0; ; at += 1) {
      const person = await createErasable(test)
      await request(person.userId)
      test.clock.advance(ERASURE_AFTER_MS)
      const faulty = killedAt(test.broker, at)
      const isOver = await run(faulty).then(
        () => true,
        () => false,
      )
      await run()
      test.clock.advance(HOUR_MS + 1)
      await run()
      expect(await leftOf(test.broker, person), `killed at ${at}`).toEqual(ERASED)
      if (isOver) {
        expect(at).toBeGreaterThan(15)
        return
      }
    }
  })
})

describe('a database that was restored from before an erasure', () => {
  it('has it done again, because the key store knows', async () => {
    await test.broker.cells.ensure([erasedMark(alice.userId)])
    const bob = await createErasable(test)
    expect(await redoErasures(test.broker)).toBe(1)
    expect(await redoErasures(test.broker)).toBe(0)
    await run()
    test.clock.advance(HOUR_MS + 1)
    await run()
    expect(await leftOf(test.broker, alice)).toEqual(ERASED)
    expect((await leftOf(test.broker, bob)).person).toBe('active')
    expect(await test.broker.cells.has(erasedMark(bob.userId))).toBe(false)
  })
})

describe.runIf(ENGINE === 'sqlite')('the files an erasure leaves behind', () => {
  it('hold neither arguments, names nor addresses in a form that can be read', async () => {
    const own = await createTestBroker()
    const person = await createErasable(own)
    const [, , label = ''] = person.planted
    expect(bytesOf(own.folder, label)).toBe(true)
    await requestErasure(own.broker, { userId: person.userId })
    own.clock.advance(ERASURE_AFTER_MS)
    await runErasures(own.broker, NOTHING_TO_CANCEL)
    own.clock.advance(HOUR_MS + 1)
    await runErasures(own.broker, NOTHING_TO_CANCEL)
    const after = await own.reopen()
    for (const word of person.planted) expect(bytesOf(after.folder, word), word).toBe(false)
    await after.close()
  })
})

/** A broker whose process ends at the n-th thing it writes: before it, or after it and before it knows. */
function killedAt(broker: Broker, at: number): Broker {
  let left = at
  const mortal =
    <Args extends unknown[], Out>(work: (...args: Args) => Promise<Out>) =>
    async (...args: Args): Promise<Out> => {
      left -= 1
      if (left === -1) throw new Error('killed before')
      const out = await work(...args)
      left -= 1
      if (left === -1) throw new Error('killed after')
      if (left < -1) throw new Error('dead')
      return out
    }
  const { store, cells } = broker
  return {
    ...broker,
    store: {
      ...bound(store),
      transaction: mortal(store.transaction.bind(store)) as typeof store.transaction,
    },
    cells: { ...bound(cells), destroy: mortal(cells.destroy.bind(cells)) },
  }
}

function bound<T extends object>(whole: T): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

async function reportIncident(): Promise<void> {
  const seal = await sealerFor(test.broker, { userId: alice.userId, skillId: '' })
  await test.broker.store.transaction(async (tx) => {
    await openIncident(test.broker, tx, seal, {
      kind: 'reported',
      userId: alice.userId,
      skillId: 'coffee.order',
      actionId: null,
      detail: 'a test',
      stopsSpending: false,
    })
  })
}

async function closeIncidents(): Promise<void> {
  await test.broker.store.transaction(async (tx) => {
    for (const { id } of await tx.incidents.openOf(alice.userId)) await tx.incidents.close(id, tx.nowMs)
  })
}

async function rootOfLeaves(): Promise<Buffer> {
  const { treeSize } = await test.broker.store.treeHead()
  const rows = await test.broker.store.read(async (tx) => tx.log.leaves(0, treeSize))
  let edge: Edge = EMPTY_EDGE
  for (const row of rows) edge = appendLeafHash(edge, hashLeaf(row.leaf)).edge
  return rootOf(edge)
}

function bytesOf(folder: string, word: string): boolean {
  return ['broker.sqlite', 'broker.sqlite-wal', 'cells.sqlite', 'cells.sqlite-wal'].some((name) => {
    const file = join(folder, name)
    return existsSync(file) && readFileSync(file).includes(word)
  })
}
