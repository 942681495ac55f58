import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import {
  createTestBroker,
  NOW_MS,
  registerSkill,
  suspendSkill,
  type TestBroker,
} from '../support/test-broker.ts'

describe('the broker tests are run on', () => {
  let t: TestBroker
  beforeEach(async () => {
    t = await createTestBroker()
  })
  afterEach(() => t.close())

  async function append(reason: string) {
    const seal = await sealerFor(t.broker, { userId: 'usr_a', skillId: '' })
    await t.broker.store.transaction(async (tx) =>
      tx.log.append(seal({ type: 'budget', outcome: 'done', reason, body: { reason } }, tx.nowMs), tx.nowMs),
    )
  }

  it('keeps rows, leaves and their keys over a restart', async () => {
    const digest = await registerSkill(t.broker, sampleManifest('coffee.order'))
    await append('one')
    t = await t.reopen()
    await append('two')
    expect((await t.leaves()).map(({ type, reason }) => [type, reason])).toEqual([
      ['budget', 'one'],
      ['budget', 'two'],
    ])
    const [first] = await t.leaves()
    expect(await t.openPart(first?.eventId ?? '', 'body')).toEqual({ reason: 'one' })
    const skill = await t.broker.store.read(async (tx) => tx.skills.find('coffee.order'))
    expect(skill?.currentDigest).toBe(digest)
    await suspendSkill(t.broker, 'coffee.order')
  })

  it('has a clock that goes on only when told, and is doubted when only the wall clock moves', () => {
    expect(t.broker.store.now()).toEqual({ nowMs: NOW_MS, clockTrusted: true })
    t.clock.advance(60_000)
    expect(t.broker.store.now()).toEqual({ nowMs: NOW_MS + 60_000, clockTrusted: true })
    t.clock.stepWall(60_000)
    expect(t.broker.store.now().clockTrusted).toBe(false)
  })
})
