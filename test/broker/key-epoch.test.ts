import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { askForEpoch, showEpoch, turnEpoch } from '../../src/broker/key-epoch.ts'
import { openText, sealText } from '../../src/broker/seal-text.ts'
import type { KeyRotation } from '../../src/ports/key-rotation.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const DAYS_30_MS = 30 * 86_400_000

let test: TestBroker
let texts: string[]
beforeEach(async () => {
  test = await createTestBroker()
  texts = []
  for (let i = 0; i < 20; i += 1)
    texts.push(await sealText(test.broker, { userId: 'usr_a', skillId: '' }, `text ${i}`))
})
afterEach(() => test.close())

const epochLeaves = async () =>
  (await test.leaves()).filter(({ type }) => type === 'key_epoch').map(({ outcome }) => outcome)

async function everythingOpens(): Promise<void> {
  expect(await Promise.all(texts.map((text) => openText(test.broker, text)))).toEqual(
    texts.map((_, i) => `text ${i}`),
  )
}

describe('the epoch of the key-encryption key', () => {
  it('gives way to the next one after 30 days, not a millisecond before, with a leaf for begun and done', async () => {
    expect(await turnEpoch(test.broker)).toBe('not_due')
    const { dueAtMs } = await showEpoch(test.broker)
    expect(dueAtMs).toBe(test.clock.nowMs() + DAYS_30_MS)
    test.clock.advance(DAYS_30_MS - 1)
    expect(await turnEpoch(test.broker)).toBe('not_due')
    test.clock.advance(1)
    expect(await turnEpoch(test.broker)).toBe('done')
    expect(await turnEpoch(test.broker)).toBe('not_due')
    expect(await showEpoch(test.broker)).toMatchObject({ epoch: 2, older: [], standing: 'settled' })
    expect(await epochLeaves()).toEqual(['begun', 'done'])
    const done = await test.lastLeaf('key_epoch')
    expect(await test.openPart(done.eventId, 'core')).toMatchObject({ epoch: 2 })
    await everythingOpens()
  })

  it('gives way at once when an operator says why, once', async () => {
    const by = { operatorId: 'lin.wei', reason: 'a copy of the key file got out' }
    expect(await askForEpoch(test.broker, { ...by, reason: '' })).toMatchObject({ kind: 'reason_refused' })
    expect(await askForEpoch(test.broker, by)).toEqual({ kind: 'asked' })
    expect((await showEpoch(test.broker)).standing).toBe('asked')
    expect(await turnEpoch(test.broker)).toBe('done')
    expect(await turnEpoch(test.broker)).toBe('not_due')
    expect((await test.leaves()).slice(-3).map(({ outcome }) => outcome)).toEqual([
      'key_epoch_asked',
      'begun',
      'done',
    ])
    await everythingOpens()
  })

  it('is overdue after a long stop, and turned once', async () => {
    test.clock.advance(10 * DAYS_30_MS)
    test = await test.reopen()
    expect(await turnEpoch(test.broker)).toBe('done')
    expect((await showEpoch(test.broker)).epoch).toBe(2)
    expect(await turnEpoch(test.broker)).toBe('not_due')
  })

  it('ends in the same state wherever the process was killed, with one leaf of each kind', async () => {
    for (let at = 0; ; at += 1) {
      test.clock.advance(DAYS_30_MS)
      const before = (await epochLeaves()).length
      const isOver = await turnEpoch(killedAt(test.broker, at)).then(
        () => true,
        () => false,
      )
      test = await test.reopen()
      await turnEpoch(test.broker)
      const { older, remaining, epoch } = await showEpoch(test.broker)
      expect({ older, remaining, epoch }, `killed at ${at}`).toEqual({
        older: [],
        remaining: 0,
        epoch: at + 2,
      })
      expect((await epochLeaves()).slice(before), `killed at ${at}`).toEqual(['begun', 'done'])
      await everythingOpens()
      if (isOver) {
        expect(at).toBeGreaterThan(10)
        return
      }
    }
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
  const { rotation } = broker.cells
  const fragile: KeyRotation = {
    state: () => rotation.state(),
    begin: mortal(rotation.begin),
    activate: mortal(rotation.activate),
    // A few at a time, so that there is a middle.
    rewrap: mortal((limit: number) => rotation.rewrap(Math.min(limit, 9))),
    retire: mortal(rotation.retire),
  }
  return {
    ...broker,
    store: {
      ...bound(broker.store),
      transaction: mortal(broker.store.transaction.bind(broker.store)) as typeof broker.store.transaction,
    },
    cells: { ...bound(broker.cells), rotation: fragile },
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
