import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditParts, type PartAudit } from '../../src/broker/audit-parts.ts'
import { erasureLeaf } from '../../src/broker/erasure-leaf.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestErasure } from '../../src/broker/request-erasure.ts'
import { requestPartErasure } from '../../src/broker/request-part-erasure.ts'
import { expireParts } from '../../src/broker/retention.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import type { PartPlace } from '../../src/ports/erasure-rows.ts'
import { createErasable, type ErasablePerson, ordered } from '../support/erasable-person.ts'
import { order } from '../support/granted-agent.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE } from '../support/test-engine.ts'

const DAY_MS = 86_400_000
const NOTHING_TO_CANCEL = async () => []

let test: TestBroker
let alice: ErasablePerson
beforeEach(async () => {
  test = await createTestBroker()
  await expireParts(test.broker)
  alice = await createErasable(test)
})
afterEach(() => test.close())

function audit(see?: Parameters<typeof auditParts>[1]): Promise<PartAudit> {
  const { store, cells, settings } = test.broker
  return auditParts({ store, cells, keepPartsDays: settings.keepPartsDays, nowMs: test.clock.nowMs() }, see)
}

async function eraseAgent(person = alice): Promise<void> {
  await requestPartErasure(test.broker, { userId: person.userId, scope: 'agent', id: person.agent.id })
  await runErasures(test.broker, NOTHING_TO_CANCEL)
  test.clock.advance(30_001)
  await runErasures(test.broker, NOTHING_TO_CANCEL)
}

const places = (): Promise<PartPlace[]> =>
  test.broker.store.read(async (tx) => tx.personalRows.partsAfter('', 100_000))

describe('the verdict on every part', () => {
  it('is present while it opens, erased once an erasure of the log took it, and nothing is missing on the way', async () => {
    const before = await audit()
    expect(before.counts).toMatchObject({ erased: 0, expired: 0, MISSING: 0, MISMATCH: 0 })
    await requestPartErasure(test.broker, { userId: alice.userId, scope: 'agent', id: alice.agent.id })
    await runErasures(test.broker, NOTHING_TO_CANCEL)
    expect((await audit()).alarms).toEqual([])
    test.clock.advance(30_001)
    await runErasures(test.broker, NOTHING_TO_CANCEL)
    const seen: (number | null)[] = []
    const after = await audit(({ verdict, erasedByLeaf }) => {
      if (verdict === 'erased') seen.push(erasedByLeaf)
    })
    const [erasure] = after.erasures
    expect(after.alarms).toEqual([])
    expect(after.counts.erased).toBe(erasure?.logged)
    expect(erasure?.marked).toBe(erasure?.logged)
    const leaves = await test.leaves()
    expect([...new Set(seen)].map((index) => leaves[index ?? -1]?.outcome)).toEqual(['recorded'])
  })

  it('holds while a whole account is erased, and after', async () => {
    const bob = await createErasable(test)
    await requestErasure(test.broker, { userId: alice.userId })
    test.clock.advance(ERASURE_AFTER_MS)
    await runErasures(test.broker, NOTHING_TO_CANCEL)
    expect((await audit()).alarms).toEqual([])
    test.clock.advance(3_600_001)
    await runErasures(test.broker, NOTHING_TO_CANCEL)
    const { alarms, counts } = await audit()
    expect(alarms).toEqual([])
    expect(counts.erased).toBeGreaterThan(5)
    const theirs = (await places()).filter(({ userId }) => userId === bob.userId)
    expect((await test.broker.cells.findAll(theirs.map(({ cellId }) => cellId))).size).toBeGreaterThan(0)
  })

  it('is expired once its days are over, not before, and not where the clock is doubted', async () => {
    const { keepPartsDays } = test.broker.settings
    test.clock.advance(keepPartsDays.body * DAY_MS)
    await expireParts(test.broker)
    expect((await audit()).counts.expired).toBe(0)
    test.clock.advance(2 * DAY_MS)
    expect(await expireParts(test.broker)).toBeGreaterThan(0)
    expect(await expireParts(test.broker)).toBe(0)
    const { counts, alarms } = await audit()
    expect(alarms).toEqual([])
    expect(counts.expired).toBeGreaterThan(0)
    expect((await test.lastLeaf('retention')).outcome).toBe('expired')
    const left = counts.present
    test.clock.stepWall(3_000 * DAY_MS)
    expect(test.broker.store.now().clockTrusted).toBe(false)
    expect(await expireParts(test.broker)).toBe(0)
    test.clock.stepWall(-3_000 * DAY_MS)
    expect((await audit()).counts.present).toBeGreaterThanOrEqual(left)
  })

  it('is MISSING for a key that was destroyed without an erasure', async () => {
    const [place] = (await places()).filter(({ userId }) => userId === alice.userId)
    await test.broker.cells.destroy([place?.cellId ?? ''])
    const { alarms } = await audit()
    expect(alarms.map(({ verdict }) => verdict)).toContain('MISSING')
    expect(alarms.map(({ eventId }) => eventId)).toContain(place?.eventId)
  })

  it('is MISSING for a mark in the name of an erasure that the log does not know', async () => {
    const [place] = (await places()).filter(({ userId }) => userId === alice.userId)
    if (!place) throw new Error('no part')
    await test.broker.store.transaction(async (tx) => tx.personalRows.markErased(place, 'ers_never'))
    expect((await audit()).alarms).toMatchObject([
      { verdict: 'MISSING', eventId: place.eventId, part: place.part },
    ])
  })

  it('is MISSING for all of an erasure that took more than the log says', async () => {
    const bob = await createErasable(test)
    await eraseAgent()
    const id = (await audit()).erasures[0]?.erasureId ?? ''
    const [place] = (await places()).filter(({ userId }) => userId === bob.userId)
    if (!place) throw new Error('no part')
    await test.broker.store.transaction(async (tx) => tx.personalRows.markErased(place, id))
    const { alarms, erasures } = await audit()
    expect(erasures[0]?.marked).toBe((erasures[0]?.logged ?? 0) + 1)
    expect(alarms.length).toBe(erasures[0]?.marked)
    expect(alarms.every(({ verdict }) => verdict === 'MISSING')).toBe(true)
  })

  it('believes no erasure whose leaf somebody else’s bytes stand for', async () => {
    await eraseAgent()
    const seal = await sealerFor(test.broker, { userId: '', skillId: '' })
    const leaf = (await test.leaves()).findLast(({ outcome }) => outcome === 'recorded')
    const forged = seal(erasureLeaf('recorded', 'request', { erasure: 'ers_x', parts: 999 }), FORGED_AT_MS)
    const sealed = forged.parts[0]?.sealed ?? Buffer.alloc(0)
    const cellId = forged.parts[0]?.cellId ?? ''
    const row = await test.broker.store.read(async (tx) => tx.log.part(leaf?.eventId ?? '', 'core'))
    const part = { eventId: leaf?.eventId ?? '', part: 'core', userId: row?.userId ?? '', cellId, sealed }
    await test.broker.store.transaction(async (tx) => tx.personalRows.keepResealed(part, row?.cellId ?? ''))
    const { alarms, counts } = await audit()
    expect(alarms).toContainEqual(
      expect.objectContaining({ verdict: 'MISMATCH', part: 'core', eventId: leaf?.eventId }),
    )
    expect(counts.erased).toBe(0)
  })
})

const FORGED_AT_MS = Date.UTC(2026, 10, 23)

describe.runIf(ENGINE === 'sqlite')('somebody who writes to the database', () => {
  const changed = async (sql: string, ...values: unknown[]) => {
    const db = new Database(join(test.folder, 'broker.sqlite'))
    db.prepare(sql).run(...values)
    db.close()
  }

  it.each([
    ['deletes a part', 'DELETE FROM leaf_parts WHERE event_id = ? AND part = ?', 'MISSING'],
    [
      'changes its bytes',
      "UPDATE leaf_parts SET sealed = X'00112233445566778899aabbccddeeff0011' WHERE event_id = ? AND part = ?",
      'MISMATCH',
    ],
    [
      'changes its commitment',
      'UPDATE leaf_parts SET commitment = zeroblob(32) WHERE event_id = ? AND part = ?',
      'MISMATCH',
    ],
  ])('and %s is found', async (_, sql, verdict) => {
    const [place] = (await places()).filter(({ userId }) => userId === alice.userId)
    await changed(sql, place?.eventId, place?.part)
    expect((await audit()).alarms).toEqual([
      expect.objectContaining({ verdict, eventId: place?.eventId, part: place?.part }),
    ])
  })

  it('and exchanges the parts of two events is found', async () => {
    test.skill.replyNext(ordered('O-2'))
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    const [a, b] = (await places()).filter(({ userId, part }) => userId === alice.userId && part === 'core')
    await changed(
      'UPDATE leaf_parts SET sealed = (SELECT sealed FROM leaf_parts WHERE event_id = ? AND part = ?) WHERE event_id = ? AND part = ?',
      a?.eventId,
      'core',
      b?.eventId,
      'core',
    )
    expect((await audit()).alarms).toMatchObject([{ verdict: 'MISMATCH', eventId: b?.eventId }])
  })
})
