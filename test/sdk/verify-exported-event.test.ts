import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportPerson } from '../../src/broker/export-person.ts'
import type { ExportPlace } from '../../src/broker/export-place.ts'
import { openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import { requestPartErasure } from '../../src/broker/request-part-erasure.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { verifyExportedEvent } from '../../src/sdk/verify-exported-event.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { createErasable, type ErasablePerson } from '../support/erasable-person.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let alice: ErasablePerson
let vkey: string

beforeEach(async () => {
  test = await createTestBroker()
  alice = await createErasable(test)
})
afterEach(() => test.close())

type Exported = { parts: Record<string, { verdict: string; value: JsonValue; salt: string }> }

async function exported(): Promise<Exported[]> {
  const register = openCheckpointRegisterFile(join(test.folder, 'register.json'))
  const publisher = openCheckpointPublisher(test.broker, register)
  await publisher.publishNow()
  vkey = openLogReader(test.broker, publisher).vkey() ?? ''
  const events: JsonValue[] = []
  let place: ExportPlace | null = null
  do {
    const page = await exportPerson(test.broker, publisher, { userId: alice.userId, place })
    if (page.part === 'events') events.push(...page.items)
    place = page.next
  } while (place !== null)
  return events.map((event) => JSON.parse(JSON.stringify(event)) as Exported)
}

const verdictsOf = (event: unknown) => {
  const verdict = verifyExportedEvent(event, vkey)
  return verdict.kind === 'verified' ? Object.values(verdict.parts) : verdict
}

describe('an event of an export', () => {
  it('verifies offline: every part that is shown is what its leaf commits to', async () => {
    const events = await exported()
    expect(events.length).toBeGreaterThan(1)
    for (const event of events)
      expect(verdictsOf(event)).toEqual(Object.keys(event.parts).map(() => 'present'))
  })

  it('still verifies after parts were erased, those and those that were kept under another key', async () => {
    await requestPartErasure(test.broker, { userId: alice.userId, scope: 'agent', id: alice.agent.id })
    await runErasures(test.broker, async () => [])
    test.clock.advance(30_001)
    await runErasures(test.broker, async () => [])
    const verdicts: unknown[] = []
    for (const event of await exported()) verdicts.push(...[verdictsOf(event)].flat())
    expect(verdicts).toContain('erased')
    expect(verdicts.filter((verdict) => verdict !== 'erased' && verdict !== 'present')).toEqual([])
  })

  it('does not with another value, another salt, a part left out, another leaf or another key', async () => {
    const [event] = await exported()
    if (!event) throw new Error('nothing was exported')
    const [name = ''] = Object.keys(event.parts)
    const part = event.parts[name]
    const withPart = (changes: object) => ({
      ...event,
      parts: { ...event.parts, [name]: { ...part, ...changes } },
    })
    expect(verdictsOf(withPart({ value: { forged: true } }))).toContain('MISMATCH')
    expect(verdictsOf(withPart({ salt: Buffer.alloc(32).toString('base64url') }))).toContain('MISMATCH')
    const { [name]: _, ...others } = event.parts
    expect(verdictsOf({ ...event, parts: others })).toContain('MISSING')
    expect(verdictsOf({ ...event, parts: { ...event.parts, extra: part } })).toContain('MISMATCH')
    expect(verdictsOf({ ...event, eventId: 'evt_other' })).toMatchObject({ code: 'malformed' })
    const stranger = `${vkey.slice(0, -4)}AAA=`
    expect(verifyExportedEvent(event, stranger)).toMatchObject({ kind: 'refused' })
  })
})
