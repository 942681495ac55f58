import type { MemoryCaller } from '../../src/broker/memory-authority.ts'
import { type Recall, type RecalledItem, recallMemory } from '../../src/broker/recall-memory.ts'
import { type Remembered, rememberMemory } from '../../src/broker/remember-memory.ts'
import type { Remember } from '../../src/broker/remember-shape.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { DEPLOYMENT, type Granted, grantAll } from './granted-agent.ts'
import { sampleManifest } from './sample-manifest.ts'
import { createTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts'

export const DAY_MS = 86_400_000
export const HISTORY: Partial<GrantTerms> = { retentionDays: { order_history: 30, location: 0 } }

/** An item of the class `order_history`, which the coffee skill's manifest keeps for 180 days. */
export function latte(about: Partial<Remember> = {}): Remember {
  return {
    skill: 'coffee.order',
    class: 'order_history',
    category: 'order',
    purpose: 'to order the same again',
    key: 'usual order',
    content: 'Oat latte, no sugar, 燕麦拿铁',
    ...about,
  }
}

export type MemoryWorld = {
  readonly test: TestBroker
  readonly alice: Granted
  readonly caller: MemoryCaller
  /** Remembers under an idempotency key of its own, unless one is given. */
  remember(asked?: Remember, by?: MemoryCaller, key?: string): Promise<Remembered>
  /** The same, for a test that goes on with it. @throws Error when it was refused. */
  kept(asked?: Remember, by?: MemoryCaller): Promise<Extract<Remembered, { kind: 'remembered' }>>
  /** @throws Error when it was refused. */
  recall(asked?: Recall, by?: MemoryCaller): Promise<readonly RecalledItem[]>
}

let keys = 0

/** A broker, and Alice with an agent that may remember what she ordered for 30 days. */
export async function memoryWorld(
  terms: Partial<GrantTerms> = {},
  options: TestBrokerOptions = {},
): Promise<MemoryWorld> {
  const test = await createTestBroker(options)
  const alice = await grantAll(test.broker, sampleManifest('coffee.order'), { ...HISTORY, ...terms })
  return worldOf(test, alice)
}

/** The same around a broker that is there already, such as one that was started again. */
export function worldOf(test: TestBroker, alice: Granted): MemoryWorld {
  const { broker } = test
  const caller = callerOf(alice)
  const remember: MemoryWorld['remember'] = (asked = latte(), by = caller, key) => {
    keys += 1
    return rememberMemory(broker, by, { ...asked, idempotencyKey: key ?? `remember-${keys}` })
  }
  return {
    test,
    alice,
    caller,
    remember,
    async kept(asked, by) {
      const done = await remember(asked, by)
      if (done.kind !== 'remembered') throw new Error(`not remembered: ${JSON.stringify(done)}`)
      return done
    },
    async recall(asked = {}, by = caller) {
      const done = await recallMemory(broker, by, asked)
      if (done.kind !== 'recalled') throw new Error(`not recalled: ${done.code}`)
      return done.items
    },
  }
}

/** The agent of a grant, in a session. */
export function callerOf({ userId, agent }: Granted, sessionId = 'ses_test'): MemoryCaller {
  return { userId, agentId: agent.id, sessionId, deploymentId: DEPLOYMENT }
}
