import { expect } from 'vitest'
import type { ActionRequest } from '../../src/broker/authorize-action.ts'
import { toCounter } from '../../src/broker/counter-rows.ts'
import { type Performed, performAction } from '../../src/broker/perform-action.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { ActionRow, ApprovalRow } from '../../src/ports/rows.ts'
import type { SkillCall, SkillReply } from '../../src/ports/skill-caller.ts'
import { answered } from './fake-skill.ts'
import { type Granted, grantAll, SECRET } from './granted-agent.ts'
import { sampleManifest } from './sample-manifest.ts'
import { createSkillKey } from './skill-key.ts'
import { createTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts'

export const COFFEE = sampleManifest('coffee.order')
/** Asks before every order. */
export const ALWAYS: Partial<GrantTerms> = { askFirst: [{ kind: 'always', actions: ['order_and_pay'] }] }
export const OPERATOR = { operatorId: 'opr_test', reason: 'what the test wants' }

/** What the coffee skill answers to `order_and_pay` when all is well. */
export function paid(chargedMinor: number): SkillReply {
  return answered({ order_id: 'O-1', charged_amount: chargedMinor, currency: 'CNY' })
}

/** The coffee skill on a good day: it answers everything in its own shape, and charges what it was told. */
export function coffeeSkill(call: SkillCall): SkillReply {
  const { total_amount = 0 } = JSON.parse(call.body.toString('utf8'))
  if (call.endpoint.endsWith('/menu')) return answered({ currency: 'CNY', items: [] })
  if (call.endpoint.endsWith('/quotes/show')) {
    const items = [{ sku: 'latte', quantity: 1 }]
    return answered({ store_id: 'LK-1', items, total_amount: 100, currency: 'CNY' })
  }
  return paid(total_amount)
}

export type CoffeeTest = {
  test: TestBroker
  alice: Granted
  /** Signs for the coffee skill. */
  key: ReturnType<typeof createSkillKey>
  perform(asked: ActionRequest): Promise<Performed>
  /** Sums over all of Alice's counters of money. */
  used(): Promise<{ held: number; captured: number }>
  row(actionId: string): Promise<ActionRow>
  approvals(): Promise<ApprovalRow[]>
}

/** A broker with the coffee skill and one agent of Alice's that may order. */
export async function coffeeTest(
  terms: Partial<GrantTerms> = {},
  options: TestBrokerOptions = {},
): Promise<CoffeeTest> {
  const test = await createTestBroker(options)
  const key = createSkillKey()
  test.secrets.set('coffee.order /payment_token', SECRET)
  const alice = await grantAll(test.broker, key.inManifest(COFFEE), terms)
  const { store } = test.broker
  return {
    test,
    alice,
    key,
    perform: (asked) => performAction(test.broker, asked),
    async used() {
      const rows = await store.read(async (tx) => tx.counters.list(alice.userId))
      const money = rows.map(toCounter).filter((counter) => counter.measure === 'amount')
      const sum = (field: 'held' | 'captured') => money.reduce((total, row) => total + row[field], 0)
      return { held: sum('held'), captured: sum('captured') }
    },
    async row(actionId) {
      const row = await store.read(async (tx) => tx.actions.find(actionId))
      if (!row) throw new Error(`no action ${actionId}`)
      return row
    },
    approvals: () =>
      store.read(async (tx) => tx.approvals.list(alice.userId, null, { limit: 50, before: null })),
  }
}

/** @throws if the answer is of another kind. */
export function expectKind<K extends Performed['kind']>(
  performed: Performed,
  kind: K,
): Extract<Performed, { kind: K }> {
  expect(performed.kind).toBe(kind)
  return performed as Extract<Performed, { kind: K }>
}

/** The code of a refusal. @throws if it was none. */
export function refusalOf(performed: Performed): string {
  return expectKind(performed, 'denied').refusal.code
}

/** A gate that a skill's answer waits at, and a way to know that the call has come. */
export function heldBack(reply: SkillReply) {
  let open: () => void = () => undefined
  let came: () => void = () => undefined
  const called = new Promise<void>((resolve) => {
    came = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    called,
    open,
    reply: async () => {
      came()
      await opened
      return reply
    },
  }
}
