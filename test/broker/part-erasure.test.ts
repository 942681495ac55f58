import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findAgentCallback, setAgentCallback } from '../../src/broker/agent-callback.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { liftLegalHold, placeLegalHold } from '../../src/broker/legal-hold.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { openEventPart } from '../../src/broker/open-part.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestErasure } from '../../src/broker/request-erasure.ts'
import { requestPartErasure } from '../../src/broker/request-part-erasure.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { listPartErasures } from '../../src/broker/show-erasure.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf, rootOf } from '../../src/core/merkle/tree.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import { createErasable, type ErasablePerson, ordered } from '../support/erasable-person.ts'
import { broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE } from '../support/test-engine.ts'

const NOTHING_TO_CANCEL = async () => []
const WAIT_MS = 30_001

let test: TestBroker
let alice: ErasablePerson
/** Another agent of Alice's for the same skill. */
let second: Granted

beforeAll(async () => {
  test = await createTestBroker()
})
afterAll(() => test.close())
beforeEach(async () => {
  alice = await createErasable(test)
  second = await grantAll(test.broker, sampleManifest('coffee.order'), {}, { userId: alice.userId })
  test.skill.replyNext(ordered('O-second'))
  await performAction(test.broker, second.ask('order_and_pay', order(100, 'Q-second'), 'key-of-second'))
})

const run = (broker: Broker = test.broker) => runErasures(broker, NOTHING_TO_CANCEL)
const ask = (scope: 'skill' | 'agent', id: string) =>
  requestPartErasure(test.broker, { userId: alice.userId, scope, id })
const newest = async () => (await listPartErasures(test.broker, { userId: alice.userId }))[0]

async function toTheEnd(): Promise<void> {
  await run()
  test.clock.advance(WAIT_MS)
  await run()
}

function actionsOf(userId: string): Promise<ActionRow[]> {
  const search = { userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  return test.broker.store.read(async (tx) => tx.actions.list(search, { limit: 100, before: null }))
}

/** The parts of an action's decision and outcome that still open. */
async function readable(agentId: string): Promise<number> {
  let count = 0
  for (const row of (await actionsOf(alice.userId)).filter((one) => one.agentId === agentId)) {
    for (const event of [row.eventId, row.settleEventId])
      for (const part of ['core', 'subj', 'body'] as const)
        if ((await openEventPart(test.broker, event, part)) !== undefined) count += 1
  }
  return count
}

describe('erasing what one agent left', () => {
  it('makes all of it unreadable and nothing of any other agent', async () => {
    const before = await readable(second.agent.id)
    expect(await readable(alice.agent.id)).toBeGreaterThan(3)
    expect(await ask('agent', alice.agent.id)).toMatchObject({ kind: 'requested', isNew: true })
    expect(await ask('agent', alice.agent.id)).toMatchObject({ kind: 'requested', isNew: false })
    await toTheEnd()
    expect(await newest()).toMatchObject({ status: 'done', scope: 'agent', waitsFor: null })
    expect(await readable(alice.agent.id)).toBe(0)
    expect(await readable(second.agent.id)).toBe(before)
    const [left] = (await actionsOf(alice.userId)).filter((row) => row.agentId === alice.agent.id)
    expect(left).toMatchObject({ status: 'succeeded', capturedMinor: 100, requestDigest: '', sessionId: '' })
    const view = await newest()
    expect(view?.progress.total).toBeGreaterThan(5)
    expect(view?.progress.done).toBe(view?.progress.total)
  })

  it('ends its tokens and grants first: no key of its own is replayed', async () => {
    const asked = alice.ask('order_and_pay', order(100), 'a-key-that-was-used')
    test.skill.replyNext(ordered('O-replay'))
    expect((await performAction(test.broker, asked)).kind).toBe('done')
    await ask('agent', alice.agent.id)
    await run()
    const calls = test.skill.calls.length
    for (const waited of [0, WAIT_MS, WAIT_MS]) {
      test.clock.advance(waited)
      await run()
      const again = await performAction(test.broker, asked)
      expect(JSON.stringify(again)).not.toContain('O-replay')
    }
    expect((await performAction(test.broker, asked)).kind).not.toBe('done')
    expect(test.skill.calls.length).toBe(calls)
    const agent = await test.broker.store.read(async (tx) => tx.agents.find(alice.agent.id))
    expect(agent).toMatchObject({ status: 'disconnected', name: '' })
  })

  it('leaves nowhere it wanted to be told, and keeps that of another', async () => {
    const { broker } = test
    for (const agent of [alice.agent, second.agent])
      await setAgentCallback(broker, {
        userId: alice.userId,
        agentId: agent.id,
        url: `https://${agent.id.replace('_', '-')}.example/told`,
      })
    await ask('agent', alice.agent.id)
    await toTheEnd()
    const kept = (agentId: string) => findAgentCallback(broker, { userId: alice.userId, agentId })
    expect(await kept(alice.agent.id)).toBeUndefined()
    expect(await kept(second.agent.id)).toBeDefined()
  })

  it('of somebody else is not found', async () => {
    const bob = await createErasable(test)
    expect(await ask('agent', bob.agent.id)).toEqual({ kind: 'not_found' })
    expect(await ask('skill', 'no.such.skill')).toEqual({ kind: 'not_found' })
  })
})

describe('erasing what one skill left', () => {
  it('makes all of it unreadable, keeps the grant, and what is done from then on is kept anew', async () => {
    await ask('skill', 'coffee.order')
    await run()
    // Between the two: nothing that is written now is lost.
    test.skill.replyNext(ordered('O-between'))
    const between = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(between.kind).toBe('done')
    test.clock.advance(WAIT_MS)
    await run()
    expect((await newest())?.status).toBe('done')
    expect(await readable(second.agent.id)).toBe(0)
    test.skill.replyNext(ordered('O-after'))
    const after = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(after.kind).toBe('done')
    expect(await readable(alice.agent.id)).toBeGreaterThan(6)
  })

  it('does not let a key that was used be used again', async () => {
    const asked = alice.ask('order_and_pay', order(100), 'used-before-erasure')
    test.skill.replyNext(ordered('O-once'))
    await performAction(test.broker, asked)
    await ask('skill', 'coffee.order')
    await toTheEnd()
    const calls = test.skill.calls.length
    const again = await performAction(test.broker, asked)
    expect(again.kind).not.toBe('done')
    expect(test.skill.calls.length).toBe(calls)
  })

  it('is not the same of another user', async () => {
    const bob = await createErasable(test)
    const rows = await actionsOf(bob.userId)
    await ask('skill', 'coffee.order')
    await toTheEnd()
    expect(await openEventPart(test.broker, rows[0]?.eventId ?? '', 'body')).toBeDefined()
  })
})

describe('an erasure that could hide something', () => {
  const SEEN = { operatorId: 'lin.wei', reason: 'a dispute about an order' }

  it('waits for an incident of that skill, for a hold and for what is in doubt, and is listed as waiting', async () => {
    test.skill.replyNext(broken())
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    await reportIncident('coffee.order')
    await ask('skill', 'coffee.order')
    await run()
    expect(await newest()).toMatchObject({ status: 'waiting', waitsFor: 'incident' })
    await closeIncidents()
    await placeLegalHold(test.broker, { ...SEEN, userId: alice.userId })
    test.clock.advance(WAIT_MS)
    await run()
    expect(await newest()).toMatchObject({ waitsFor: 'legal_hold' })
    await liftLegalHold(test.broker, { ...SEEN, userId: alice.userId })
    test.clock.advance(WAIT_MS)
    await run()
    expect(await newest()).toMatchObject({ status: 'running', step: 'settle', waitsFor: 'in_doubt' })
    expect(await readable(second.agent.id)).toBeGreaterThan(3)
    await test.broker.store.transaction(async (tx) => {
      for (const row of await tx.actions.unsettled(alice.userId))
        await tx.actions.update({ ...row, status: 'failed', heldMinor: 0, nextCheckAtMs: null })
    })
    test.clock.advance(WAIT_MS)
    await toTheEnd()
    expect((await newest())?.status).toBe('done')
    const delays = (await test.leaves()).filter(
      (leaf) => leaf.type === 'erasure' && leaf.outcome === 'delayed',
    )
    expect(delays.slice(-3).map(({ reason }) => reason)).toEqual(['incident', 'legal_hold', 'in_doubt'])
  })

  it('does not wait for an incident of another skill', async () => {
    await reportIncident('pay.send')
    await ask('skill', 'coffee.order')
    await toTheEnd()
    expect((await newest())?.status).toBe('done')
    await closeIncidents()
  })

  it('says in the log how much it takes, and leaves at most so many marks', async () => {
    await ask('agent', alice.agent.id)
    await toTheEnd()
    const recorded = (await test.leaves()).findLast(({ outcome }) => outcome === 'recorded')
    const core = await test.openPart(recorded?.eventId ?? '', 'core')
    const id = (await newest())?.erasureId
    expect(core).toMatchObject({ erasure: id })
    const marks = await test.broker.store.read(async (tx) => tx.personalRows.partsAfter('', 100_000))
    expect(core).toMatchObject({ parts: marks.filter(({ cellId }) => cellId === id).length })
    expect(JSON.stringify(core)).not.toContain(alice.userId)
    expect(JSON.stringify(core)).not.toContain(alice.agent.id)
  })
})

describe('an erasure of a part that is killed', () => {
  it.each(['skill', 'agent'] as const)(
    'of one %s ends in the same state wherever that was',
    async (scope) => {
      for (let at = 0; ; at += 1) {
        alice = await createErasable(test)
        second = await grantAll(test.broker, sampleManifest('coffee.order'), {}, { userId: alice.userId })
        test.skill.replyNext(ordered('O-second'))
        await performAction(test.broker, second.ask('order_and_pay', order(100, 'Q-second')))
        const before = await readable(second.agent.id)
        await ask(scope, scope === 'skill' ? 'coffee.order' : alice.agent.id)
        const faulty = killedAt(test.broker, at)
        const steps = async () => {
          await run(faulty)
          test.clock.advance(WAIT_MS)
          await run(faulty)
        }
        const isOver = await steps().then(
          () => true,
          () => false,
        )
        for (let i = 0; i < 2; i += 1) {
          test.clock.advance(WAIT_MS)
          await run()
        }
        expect((await newest())?.status, `killed at ${at}`).toBe('done')
        expect(await readable(alice.agent.id), `killed at ${at}`).toBe(0)
        expect(await readable(second.agent.id), `killed at ${at}`).toBe(scope === 'skill' ? 0 : before)
        expect(await rootOfLeaves()).toEqual((await test.broker.store.treeHead()).rootHash)
        if (isOver) {
          expect(at).toBeGreaterThan(20)
          return
        }
      }
    },
    120_000,
  )
})

describe('an account that is erased later', () => {
  it('leaves nothing that says whose the earlier erasures were', async () => {
    await ask('agent', alice.agent.id)
    await toTheEnd()
    const first = (await newest())?.erasureId ?? ''
    await requestErasure(test.broker, { userId: alice.userId })
    test.clock.advance(ERASURE_AFTER_MS)
    await run()
    test.clock.advance(3_600_001)
    await run()
    expect(await listPartErasures(test.broker, { userId: alice.userId })).toEqual([])
    const whole = await test.broker.store.read(async (tx) => tx.erasures.newestOf(alice.userId))
    expect(whole?.status).toBe('done')
    expect(JSON.stringify(whole)).not.toContain(first)
    expect(await test.broker.store.read(async (tx) => tx.erasures.find(first))).toBeUndefined()
  })
})

describe.runIf(ENGINE === 'sqlite')('the files an erasure of a part leaves', () => {
  it('hold nothing of it that opens with the keys that are left, nor a planted word', async () => {
    const own = await createTestBroker()
    const person = await createErasable(own)
    const kept = own.folder
    const copy = join(kept, 'broker.sqlite')
    await own.broker.store.read(async (tx) => tx.users.find(person.userId))
    const stolen = Buffer.concat(
      [copy, `${copy}-wal`].filter((file) => existsSync(file)).map((file) => readFileSync(file)),
    )
    const rows = await own.broker.store.read(async (tx) => tx.personalRows.partsAfter('', 10_000))
    const sealed = await own.broker.store.read(async (tx) =>
      tx.log.part(rows[0]?.eventId ?? '', rows[0]?.part ?? ''),
    )
    expect(stolen.includes(sealed?.sealed ?? 'none')).toBe(true)
    const ofAgent = { userId: person.userId, scope: 'agent', id: person.agent.id } as const
    await requestPartErasure(own.broker, ofAgent)
    await runErasures(own.broker, NOTHING_TO_CANCEL)
    own.clock.advance(WAIT_MS)
    await runErasures(own.broker, NOTHING_TO_CANCEL)
    const mine = rows.filter(({ userId }) => userId === person.userId)
    const keys = await own.broker.cells.findAll(mine.map(({ cellId }) => cellId))
    expect(keys.size).toBe(0)
    const after = await own.reopen()
    const [, , , quote = ''] = person.planted
    for (const name of readdirSync(after.folder).filter((file) => /sqlite/.test(file)))
      expect(readFileSync(join(after.folder, name)).includes(quote), name).toBe(false)
    await after.close()
  })
})

/** A broker whose process ends at the n-th thing it does for good: before it, or after it and before it knows. */
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
    cells: {
      ...bound(cells),
      destroy: mortal(cells.destroy.bind(cells)),
      unname: mortal(cells.unname.bind(cells)),
      make: mortal(cells.make.bind(cells)),
    },
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

async function reportIncident(skillId: string): Promise<void> {
  const seal = await sealerFor(test.broker, { userId: alice.userId, skillId: '' })
  await test.broker.store.transaction(async (tx) => {
    await openIncident(test.broker, tx, seal, {
      kind: 'reported',
      userId: alice.userId,
      skillId,
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
