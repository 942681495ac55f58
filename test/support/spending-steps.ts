import fc from 'fast-check'
import type { BudgetWindow } from '../../src/core/spending/budget-limit.ts'
import type { OwnedBudget } from './spending-oracle.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/Los_Angeles',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Etc/GMT+12',
]
const rolling = (ms: number): BudgetWindow => ({ kind: 'rolling', ms })
const calendar = (period: 'day' | 'week' | 'month'): BudgetWindow => ({ kind: 'calendar', period })
const cny = { measure: 'amount', currency: 'CNY' } as const
const usd = { measure: 'amount', currency: 'USD' } as const
const count = { measure: 'count' } as const
const grant = { owner: 'grant', agent: 'agt_1', skill: 'coffee' } as const
const otherGrant = { owner: 'grant', agent: 'agt_2', skill: 'coffee' } as const
const user = { owner: 'user', agent: '', skill: '' } as const

/** The same counter twice, every owner, every window; the limits are drawn. */
export const BUDGETS: readonly (OwnedBudget & { readonly limits: readonly number[] })[] = [
  { ...grant, budget: { ...cny, window: rolling(HOUR_MS), limit: 0 }, limits: [0, 100, 250] },
  { ...grant, budget: { ...cny, window: rolling(HOUR_MS), limit: 0 }, limits: [150, 300] },
  { ...grant, budget: { ...cny, window: { kind: 'per_action' }, limit: 0 }, limits: [60, 120] },
  { ...grant, budget: { ...count, window: rolling(10 * SECOND_MS), limit: 0 }, limits: [1, 3, 6] },
  { ...otherGrant, budget: { ...cny, window: calendar('week'), limit: 0 }, limits: [0, 300, 700] },
  { ...otherGrant, budget: { ...usd, window: calendar('day'), limit: 0, action: 'pay' }, limits: [80, 200] },
  {
    owner: 'agent',
    agent: 'agt_1',
    skill: '',
    budget: { ...cny, window: { kind: 'lifetime' }, limit: 0 },
    limits: [900, 5000],
  },
  {
    owner: 'skill',
    agent: '',
    skill: 'coffee',
    budget: { ...cny, window: calendar('month'), limit: 0 },
    limits: [300, 900],
  },
  {
    owner: 'skill',
    agent: '',
    skill: 'taxi',
    budget: { ...count, window: calendar('week'), limit: 0 },
    limits: [2, 5],
  },
  { ...user, budget: { ...cny, window: calendar('day'), limit: 0 }, limits: [0, 200, 400] },
  { ...user, budget: { ...usd, window: rolling(DAY_MS), limit: 0 }, limits: [100, 300] },
  { ...user, budget: { ...count, window: calendar('day'), limit: 0 }, limits: [4, 12] },
]

const pick = fc.nat(1000)
const agentAndSkill = { agent: fc.constantFrom('agt_1', 'agt_2'), skill: fc.constantFrom('coffee', 'taxi') }
/** One thing that happens in a user's life with budgets. */
export const stepArbitrary = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      ...agentAndSkill,
      action: fc.constantFrom('order', 'pay'),
      currency: fc.constantFrom('CNY', 'CNY', 'CNY', 'USD', 'USD', 'JPY', null),
      amountMinor: fc.constantFrom(0, 1, 10, 37, 50, 60, 100),
      asked: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      pick,
      minor: fc.integer({ min: -5, max: 130 }),
      currency: fc.constantFrom('CNY', 'USD'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('yes' as const), ...agentAndSkill }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('limit' as const), pick, limit: pick, inForce: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('move' as const), zone: fc.constantFrom(...ZONES) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.constantFrom(
          1,
          999,
          SECOND_MS,
          10 * SECOND_MS - 1,
          10 * SECOND_MS,
          HOUR_MS - 1,
          HOUR_MS,
          2 * HOUR_MS,
          DAY_MS,
        ),
        fc.integer({ min: 1, max: 20 * SECOND_MS }),
        fc.integer({ min: 1, max: 30 * HOUR_MS }),
        fc.integer({ min: 1, max: 9 * DAY_MS }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stepBack' as const),
      ms: fc.integer({ min: 1, max: 3 * DAY_MS }),
    }),
  },
  /** To the last millisecond of a day in the user's zone, where windows turn. */
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('toMidnight' as const), beforeMs: fc.constantFrom(0, 1) }),
  },
)
export type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never
