import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { BudgetLimit } from '../../src/core/spending/budget-limit.ts'
import { loadSampleManifest } from '../../src/demo/skills/sample-skill.ts'

/** What is asked for in every request: one spend of the sample coffee skill. */
export const ACTION = 'order_and_pay'
export const AMOUNT_MINOR = 3_200
export const CURRENCY = 'CNY'
export const DEPLOYMENT = 'dep_bench'
export const ARGUMENTS = {
  quote_id: 'q_7Hk2mPx9',
  store_id: 'LK-0571-022',
  total_amount: AMOUNT_MINOR,
  currency: CURRENCY,
  pickup: 'store',
} as const satisfies JsonValue

/** What the broker fills in after deciding; without it nothing would be sent. */
export const SKILL_SECRETS = { 'coffee.order': { '/payment_token': 'tok_bench' } }

const HOUR_MS = 3_600_000
/** Never reached, whatever the run: a refusal would be quicker than a permit. */
const LIMIT = 1_000_000_000_000

/** The four windows of every grant. */
export const BUDGETS: BudgetLimit[] = [
  { measure: 'amount', currency: CURRENCY, window: { kind: 'rolling', ms: HOUR_MS }, limit: LIMIT },
  { measure: 'amount', currency: CURRENCY, window: { kind: 'calendar', period: 'day' }, limit: LIMIT },
  { measure: 'amount', currency: CURRENCY, window: { kind: 'calendar', period: 'month' }, limit: LIMIT },
  { measure: 'count', window: { kind: 'rolling', ms: HOUR_MS }, limit: LIMIT },
]

/** The sample's manifest for a server at this address. */
export function manifestAt(baseUrl: string): Manifest {
  const sample = loadSampleManifest('coffee.order')
  return { ...sample, endpoint: { transport: 'http', baseUrl } }
}

/** The terms of every grant: this skill's spending, narrowed by a constraint and four windows. */
export function termsFor(manifest: Manifest, expiresAtMs: number): GrantTerms {
  return {
    skill: manifest.skill,
    actions: [
      { name: 'get_menu', constraints: [] },
      { name: ACTION, constraints: [{ kind: 'range', pointer: '/total_amount', max: 20_000 }] },
    ],
    budgets: BUDGETS,
    askFirst: [],
    unasked: [],
    categories: Object.keys(manifest.categories),
    recipients: manifest.recipients.map((recipient) => recipient.id),
    retentionDays: { order_history: 30 },
    deployments: { kind: 'registered' },
    oneTime: false,
    expiresAtMs,
    sharesBudget: false,
  }
}
