import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Authorization, authorizeAction } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { freeze } from '../../src/broker/freeze.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { revokePublisherKey } from '../../src/broker/revoke-publisher-key.ts'
import { suspendManifest } from '../../src/broker/suspend-manifest.ts'
import type { FreezeKind } from '../../src/core/decision/freeze-ids.ts'
import type { Store } from '../../src/ports/store.ts'
import { DEPLOYMENT, type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'
import { ENGINE, openTestEngine } from '../support/test-engine.ts'

const OPERATOR = { operatorId: 'op_ada', reason: 'what the test wants' }
/** Long enough for an acknowledgement that waits for nothing, on a slow machine; shorter than what ends such a decision. */
const HELD_MS = 600

let test: TestBroker
let alice: Granted
/** Where what is taken back is taken back: another process on the same database, where there may be one. */
let other: Broker
let otherStore: Store | undefined

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'))
  // A first decision, so that nothing is loaded for the first time later.
  await authorizeAction(test.broker, alice.ask('order_and_pay', order(100)))
  const clocks = { wallMs: test.clock.nowMs, monotonicMs: () => 1_000 }
  otherStore = ENGINE === 'postgres' ? await openTestEngine(test.folder, { clocks }) : undefined
  other = { ...test.broker, store: otherStore ?? test.broker.store }
})
afterEach(async () => {
  await otherStore?.close()
  await test.close()
})

/** A decision that has read and written everything and does not commit before it is let go. */
function holdDecision() {
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const { store } = test.broker
  const holding: Store = {
    transaction: (work, owner) =>
      store.transaction(async (tx) => {
        const value = await work(tx)
        reached.resolve()
        await gate.promise
        return value
      }, owner),
    read: (work) => store.read(work),
    drained: () => store.drained(),
    treeHead: () => store.treeHead(),
    now: () => store.now(),
    confirmClock: () => store.confirmClock(),
    close: () => store.close(),
  }
  const decision = authorizeAction({ ...test.broker, store: holding }, alice.ask('order_and_pay', order(100)))
  return { decision: decision.catch((error: unknown) => ({ kind: 'failed' as const, error })), reached, gate }
}

type Act = { unsettled?: readonly { actionId: string }[] }

const FREEZES: [FreezeKind, () => string][] = [
  ['user', () => alice.userId],
  ['agent', () => alice.agent.id],
  ['skill', () => 'coffee.order'],
  ['action', () => 'coffee.order/order_and_pay'],
  ['publisher', () => sampleManifest('coffee.order').publisher],
  ['deployment', () => DEPLOYMENT],
  ['platform', () => '*'],
]

async function revoke(scope: Parameters<typeof revokeAuthority>[1]['scope']): Promise<Act> {
  const done = await revokeAuthority(other, { userId: alice.userId, scope }, async () => [])
  if (done.kind !== 'revoked') throw new Error(done.kind)
  return done.revocation
}

const ACTS: [string, () => Promise<Act>][] = [
  ...FREEZES.map(([kind, target]): [string, () => Promise<Act>] => [
    `a freeze of a ${kind}`,
    async () => {
      const done = await freeze(other, async () => [], {
        ...OPERATOR,
        kind,
        target: target(),
        includesCleanUp: false,
      })
      if (done.kind !== 'frozen') throw new Error(done.kind)
      return done
    },
  ]),
  ['a revoke of the grant', () => revoke({ kind: 'grant', id: alice.grant.id })],
  ['a revoke of the agent', () => revoke({ kind: 'agent', id: alice.agent.id })],
  ['a revoke of the skill', () => revoke({ kind: 'skill', id: 'coffee.order' })],
  ['a revoke of everything', () => revoke({ kind: 'everything' })],
  [
    'the end of the connection',
    async () => {
      await disconnectAgent(other, { userId: alice.userId, agentId: alice.agent.id }, async () => [])
      return {}
    },
  ],
  [
    'the suspension of the version',
    async () => {
      expect(await suspendManifest(other, { ...OPERATOR, digest: alice.digest })).toMatchObject({
        kind: 'suspended',
      })
      return {}
    },
  ],
  [
    'the revocation of the key that signed it',
    async () => {
      const publisherId = sampleManifest('coffee.order').publisher
      const kid = 'not-looked-at'
      await other.store.transaction(async (tx) => {
        await tx.publishers.insertKey({
          publisherId,
          kid,
          jwk: JSON.stringify({
            ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
            kid: 'A'.repeat(43),
            alg: 'EdDSA',
          }),
          state: 'living',
          addedBy: JSON.stringify({ kind: 'operator', operatorId: 'op_ada' }),
          addedAtMs: tx.nowMs,
        })
      })
      const by = { kind: 'operator', ...OPERATOR } as const
      expect(await revokePublisherKey(other, { publisherId, kid, by })).toMatchObject({ kind: 'revoked' })
      return {}
    },
  ],
]

describe('a decision that is held open between its reads and its commit', () => {
  it.each(ACTS)('fails, or is waited for by %s (P3)', async (_, act) => {
    const { decision, reached, gate } = holdDecision()
    let decided: Authorization | { kind: 'failed' } | undefined
    const deciding = decision.then((outcome) => {
      decided = outcome
    })
    await reached.promise

    let acknowledged: Act | undefined
    const acting = act().then((answer) => {
      acknowledged = answer
    })
    await new Promise((resolve) => setTimeout(resolve, HELD_MS))
    if (ENGINE === 'postgres') expect([acknowledged, decided]).toEqual([undefined, undefined])
    gate.resolve()
    await Promise.all([deciding, acting])

    // An engine with one writer never waits for anything inside a unit of work.
    expect(decided?.kind).toBe(ENGINE === 'sqlite' ? 'failed' : 'permit')
    if (decided?.kind === 'permit' && acknowledged?.unsettled) {
      const permitted = decided.permit.row.id
      expect(acknowledged.unsettled.map(({ actionId }) => actionId)).toContain(permitted)
    }
    for (const broker of [test.broker, other]) {
      const later = await authorizeAction(broker, alice.ask('order_and_pay', order(100)))
      expect(later.kind).toBe('denied')
    }
  })
})
