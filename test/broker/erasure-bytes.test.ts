import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { turnEpoch } from '../../src/broker/key-epoch.ts'
import { requestErasure } from '../../src/broker/request-erasure.ts'
import { requestPartErasure } from '../../src/broker/request-part-erasure.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import { commitmentOf, openPart, partSecrets } from '../../src/core/log/part.ts'
import type { LeafPartRow } from '../../src/ports/rows.ts'
import { createErasable, type ErasablePerson } from '../support/erasable-person.ts'
import { plantedIn } from '../support/planted-bytes.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE, testDatabaseUrl } from '../support/test-engine.ts'

const NOTHING_TO_CANCEL = async () => []

let test: TestBroker
let alice: ErasablePerson
beforeEach(async () => {
  test = await createTestBroker()
  alice = await createErasable(test)
})
afterEach(() => test.close())

/** What of a person was sealed: a saved recipient is in the open, where PostgreSQL keeps deleted bytes for a while. */
const words = (person: ErasablePerson) =>
  person.planted.filter((word) => ENGINE === 'sqlite' || !word.startsWith('mother-'))

async function planted(person = alice): Promise<string[]> {
  const url = await testDatabaseUrl(test.folder)
  if (url !== null) {
    const at = new URL(url)
    at.username = 'root_of_tests'
    const client = new Client({ connectionString: at.href })
    await client.connect()
    await client.query('checkpoint')
    await client.end()
  }
  const folders = url === null ? [test.folder] : [test.folder, join(inject('postgres').folder, 'data')]
  return folders.flatMap((folder) => plantedIn(folder, words(person)))
}

/** Every sealed part there is about a user, with its bytes where it opens: what somebody copied in time. */
async function copied(userId: string): Promise<{ row: LeafPartRow; bytes: Buffer | undefined }[]> {
  const places = await test.broker.store.read(async (tx) => tx.personalRows.partsAfter('', 100_000))
  const rows: { row: LeafPartRow; bytes: Buffer | undefined }[] = []
  for (const { eventId, part } of places.filter((place) => place.userId === userId)) {
    const row = await test.broker.store.read(async (tx) => tx.log.part(eventId, part, userId))
    const key = row && (await test.broker.cells.find(row.cellId))
    if (row) rows.push({ row, bytes: key && openPart(key, eventId, part, row) })
  }
  return rows
}

async function livingKeys() {
  const db = new Database(join(test.folder, 'cells.sqlite'), { readonly: true })
  const ids = db.prepare<[], { id: string }>('SELECT cell_id AS id FROM cells').all()
  db.close()
  return [...(await test.broker.cells.findAll(ids.map(({ id }) => id))).values()]
}

async function eraseAll(person: ErasablePerson): Promise<void> {
  await requestErasure(test.broker, { userId: person.userId })
  test.clock.advance(ERASURE_AFTER_MS)
  await runErasures(test.broker, NOTHING_TO_CANCEL)
  test.clock.advance(3_600_001)
  await runErasures(test.broker, NOTHING_TO_CANCEL)
}

async function erasePart(scope: 'skill' | 'agent', id: string): Promise<void> {
  await requestPartErasure(test.broker, { userId: alice.userId, scope, id })
  await runErasures(test.broker, NOTHING_TO_CANCEL)
  test.clock.advance(30_001)
  await runErasures(test.broker, NOTHING_TO_CANCEL)
}

/** No key that is left opens what was copied, nor gives the commitment of bytes that somebody knows or guesses. */
async function expectDead(parts: Awaited<ReturnType<typeof copied>>): Promise<void> {
  expect(parts.length).toBeGreaterThan(3)
  for (const key of await livingKeys())
    for (const { row, bytes } of parts) {
      expect(openPart(key, row.eventId, row.part, row)).toBeUndefined()
      const { salt } = partSecrets(key, row.eventId, row.part)
      const again = commitmentOf(salt, row.eventId, row.part, bytes ?? Buffer.alloc(0))
      expect(again.equals(row.commitment)).toBe(false)
    }
}

describe('what an erasure leaves behind', () => {
  it('of an account: no word in any file, no key that opens a copy, no commitment that can be computed again', async () => {
    const parts = await copied(alice.userId)
    expect(parts.every(({ bytes }) => bytes !== undefined)).toBe(true)
    await eraseAll(alice)
    expect(await planted()).toEqual([])
    await expectDead(parts)
    test.clock.advance(30 * 86_400_000)
    expect(await turnEpoch(test.broker)).toBe('done')
    await expectDead(parts)
    expect(
      test.logged.some(({ facts }) => alice.planted.some((word) => JSON.stringify(facts).includes(word))),
    ).toBe(false)
  })

  it('of one agent’s data: the same, for what its actions said', async () => {
    const events = new Set(
      (await test.broker.store.read(async (tx) => tx.personalRows.actionEvents(alice.userId))).flatMap(
        (row) => [row.eventId, row.settleEventId],
      ),
    )
    const parts = (await copied(alice.userId)).filter(({ row }) => events.has(row.eventId))
    await erasePart('agent', alice.agent.id)
    await expectDead(parts)
  })

  it('of one skill’s data: the same', async () => {
    const parts = await copied(alice.userId)
    await erasePart('skill', 'coffee.order')
    await expectDead(parts)
  })

  it('of two accounts of one person says nothing that both have in common', async () => {
    const again = await createErasable(test)
    await eraseAll(alice)
    await eraseAll(again)
    const leaves = (await test.leaves()).filter(
      (leaf) => leaf.type === 'erasure' && leaf.outcome === 'recorded',
    )
    const [first, second] = await Promise.all(leaves.map(({ eventId }) => test.openPart(eventId, 'core')))
    const texts = (core: unknown): readonly string[] =>
      JSON.stringify(core).match(/[A-Za-z0-9_-]{20,}/g) ?? []
    expect(texts(first).length).toBeGreaterThan(2)
    expect(texts(first).filter((text) => texts(second).includes(text))).toEqual([])
    const places = await test.broker.store.read(async (tx) => tx.personalRows.partsAfter('', 100_000))
    const marksOf = (userId: string) =>
      new Set(places.filter((place) => place.userId === userId).map(({ cellId }) => cellId))
    expect([...marksOf(alice.userId)].filter((mark) => marksOf(again.userId).has(mark))).toEqual([])
    expect(marksOf(alice.userId).size).toBe(1)
  })
})
