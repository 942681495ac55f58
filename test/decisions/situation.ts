import { ruleCounters } from '../../src/core/decision/asked-before.ts'
import { checkArguments } from '../../src/core/decision/check-arguments.ts'
import type { CandidateGrant, DecisionRequest, Enforcement, Facts } from '../../src/core/decision/decision.ts'
import type { SavedRecipient } from '../../src/core/grant/constraint.ts'
import type { GrantState } from '../../src/core/grant/grant-state.ts'
import type { AskFirstRule, GrantTerms } from '../../src/core/grant/terms.ts'
import { isJsonObject, type JsonValue } from '../../src/core/json-value.ts'
import { loadManifest } from '../../src/core/manifest/loaded-manifest.ts'
import type { ManifestChangeCode } from '../../src/core/manifest/manifest-change.ts'
import { type CoveringLimit, coveringLimit } from '../../src/core/spending/budget.ts'
import type { BudgetLimit } from '../../src/core/spending/budget-limit.ts'
import {
  type BudgetOwner,
  type Counter,
  counterSpecOf,
  type Subject,
} from '../../src/core/spending/counter.ts'
import { newCounter } from '../../src/core/spending/window.ts'
import { actionAt, type Edit, type SampleSkill, sampleManifest } from '../support/sample-manifest.ts'

export const NOW_MS = Date.UTC(2026, 10, 23, 8, 0, 0)

type Used = { owner: BudgetOwner; budget: BudgetLimit; used: number }

type SituationGrant = {
  id: string
  state: GrantState
  oneTime: boolean
  newlyAsked: ManifestChangeCode[]
  /** What takes the place of the terms that allow everything. */
  terms: Partial<GrantTerms>
  /** What is used of each budget of the terms, in their order. */
  used: number[]
}

/** A request and all that is known about it, in words a table can hold. */
export type Situation = {
  skill: SampleSkill
  skillState: 'approved' | 'suspended' | 'unknown'
  action: string
  arguments: JsonValue
  /** What one call can cost, in place of what the sample says. */
  most: Record<string, number> | null
  deployment: string
  /** What the agent says it runs on; empty for an agent that says nothing. */
  registered: string[]
  frozenBy: string[]
  agent: 'connected' | 'disconnected' | 'unknown'
  clockTrusted: boolean
  spendingStopped: boolean
  deletionOverdue: boolean
  readUntrusted: boolean
  readCategories: string[]
  newRecipient: boolean
  minuteOfDay: number
  savedRecipients: SavedRecipient[]
  /** Who carries it out in the broker's place; null where nobody does. */
  enforcement: Enforcement | null
  debt: Facts['debt']
  approval: 'waiting' | 'approved' | 'refused' | 'expired' | null
  mayAsk: Facts['mayAsk']
  accounts: Facts['accounts']
  /** Null for none at all. */
  grants: Record<string, Partial<SituationGrant>> | null
  /** Budgets beside the grants. */
  shared: Used[]
  /** Counters that no limit uses any more. */
  unlimited: Used[]
  /** What went before under each counting rule. */
  before: number
  /** How long ago the store was restored, in milliseconds; null for never. */
  restoredMsAgo: number | null
}

/** An agent with one grant over everything orders a coffee: permitted unless something is changed. */
const ORDER: Situation = {
  skill: 'coffee.order',
  skillState: 'approved',
  action: 'order_and_pay',
  arguments: {
    quote_id: 'Q-1',
    store_id: 'LK-0571-022',
    total_amount: 2000,
    currency: 'CNY',
    pickup: 'store',
  },
  most: null,
  deployment: 'dep_registered',
  registered: ['dep_registered', 'dep_other'],
  frozenBy: [],
  agent: 'connected',
  clockTrusted: true,
  spendingStopped: false,
  deletionOverdue: false,
  readUntrusted: false,
  readCategories: [],
  newRecipient: false,
  minuteOfDay: 600,
  savedRecipients: [],
  enforcement: null,
  debt: { kind: 'none' },
  approval: null,
  mayAsk: 'yes',
  accounts: { unlinked: [], unavailable: [] },
  grants: { first: {} },
  shared: [],
  unlimited: [],
  before: 0,
  restoredMsAgo: null,
}

const money = (amount: string) => ({ amount, currency: 'CNY' })
const DEBT = { payee: 'payee-shop', amountMinor: 1690, currency: 'CNY', paid: false }

/** What tables start from. */
export const BASES = {
  order: ORDER,
  /** What a guard asks before a coding agent runs a command. */
  command: {
    ...ORDER,
    skill: 'coding.local',
    action: 'run_command',
    arguments: { command: 'npm test', folder: '/work', inBackground: false },
    enforcement: { by: 'guard', reportWithinMs: null },
  },
  menu: { ...ORDER, action: 'get_menu', arguments: { store_id: 'LK-0571-022' } },
  /** Pays an order's debt of 16.90 to the payee it named. */
  payment: {
    ...ORDER,
    skill: 'pay.transfer',
    action: 'pay_order',
    arguments: { order_execution_id: 'act_order', payee_id: 'payee-shop', ...money('16.90') },
    debt: { kind: 'known', debt: DEBT, payee: 'payee-shop' },
  },
  /** 100.00 twelve times. */
  schedule: {
    ...ORDER,
    skill: 'pay.transfer',
    action: 'schedule_transfer',
    arguments: {
      payee_id: 'payee-rent',
      ...money('100.00'),
      interval: 'month',
      count: 12,
      first_on: '2026-12-01',
    },
  },
  /** Adds somebody who can be paid. */
  payee: {
    ...ORDER,
    skill: 'pay.transfer',
    action: 'add_payee',
    arguments: { display_name: 'Shop', account_number: '6222020000000000' },
  },
  /** Sends an address, which may carry anything, to a site. */
  page: {
    ...ORDER,
    skill: 'web.browse',
    action: 'open_page',
    arguments: { url: 'https://shop.example/' },
  },
} satisfies Record<string, Situation>

/** JSON Merge Patch (RFC 7396), except that null is a value here and removes nothing. */
export function patched(base: JsonValue, patch: JsonValue): JsonValue {
  if (!isJsonObject(base) || !isJsonObject(patch)) return patch
  const merged: Record<string, JsonValue> = { ...base }
  for (const [name, value] of Object.entries(patch)) {
    const before = merged[name]
    merged[name] = before === undefined ? value : patched(before, value)
  }
  return merged
}

/** What `decide` is asked in a situation. */
export function asFacts(at: Situation): { request: DecisionRequest; facts: Facts } {
  const isDeclared = sampleManifest(at.skill).actions.some(({ name }) => name === at.action)
  const edits: Edit[] =
    at.most && isDeclared ? [[`${actionAt(at.skill, at.action)}/spends/most`, at.most]] : []
  const loaded = loadManifest('digest', sampleManifest(at.skill, ...edits))
  const action = loaded.actions.get(at.action) ?? null
  const checked = action
    ? checkArguments(action, at.arguments)
    : { arguments: at.arguments, amount: null, recipients: [], faults: [] }
  const subject: Subject = { agentLineage: 'lineage', skill: at.skill, action: at.action }
  const counters = new Map<string, Counter>()
  const keep = (owner: BudgetOwner, budget: BudgetLimit, used: number) => {
    const spec = counterSpecOf(owner, subject, budget)
    if (!spec) return
    const counter = newCounter(spec, { held: 0, captured: used }, NOW_MS, 'UTC')
    if (!counters.has(counter.counterId)) counters.set(counter.counterId, counter)
  }
  const limitOf = ({ owner, budget }: Pick<Used, 'owner' | 'budget'>) => coveringLimit(owner, subject, budget)
  for (const { owner, budget, used } of [...at.shared, ...at.unlimited]) keep(owner, budget, used)

  const grants = Object.entries(at.grants ?? {}).map(([id, given]): CandidateGrant => {
    const terms = termsFor(at.skill, loaded.manifest, given.terms ?? {})
    terms.budgets.forEach((budget, i) => {
      keep('grant', budget, given.used?.[i] ?? 0)
    })
    for (const rule of terms.askFirst) keepRule(rule, terms)
    const limits = [...terms.budgets.map((budget) => ({ owner: 'grant' as const, budget })), ...at.shared]
    return {
      id,
      state: given.state ?? 'active',
      oneTime: given.oneTime ?? false,
      terms,
      newlyAsked: (given.newlyAsked ?? []).map((code) => ({ code, pointer: '/actions' })),
      limits: limits.map(limitOf).filter((limit): limit is CoveringLimit => limit !== null),
    }
  })
  function keepRule(rule: AskFirstRule, terms: GrantTerms) {
    if (rule.kind !== 'above_unasked' && rule.kind !== 'too_many') return
    for (const spec of ruleCounters(rule, terms, loaded.manifest.actions, subject)) {
      if (spec.scope.action !== at.action) continue
      const counter = newCounter(spec, { held: 0, captured: at.before }, NOW_MS, 'UTC')
      counters.set(counter.counterId, counter)
    }
  }

  return {
    request: {
      userId: 'usr_a',
      agentId: 'agt_a',
      skill: at.skill,
      action: at.action,
      deploymentId: at.deployment,
      arguments: at.arguments,
      ...(at.enforcement ? { enforcement: at.enforcement } : {}),
    },
    facts: {
      nowMs: NOW_MS,
      reservedAtMs: NOW_MS,
      clockTrusted: at.clockTrusted,
      frozenBy: at.frozenBy,
      agent:
        at.agent === 'unknown'
          ? null
          : {
              connected: at.agent === 'connected',
              lineageId: 'lineage',
              deploymentIds: at.registered,
            },
      skill: at.skillState === 'approved' ? { kind: 'approved', loaded, action } : { kind: at.skillState },
      arguments: checked.arguments,
      argumentFaults: checked.faults,
      amount: checked.amount,
      recipients: checked.recipients,
      savedRecipients: at.savedRecipients,
      newRecipient: at.newRecipient,
      minuteOfDay: at.minuteOfDay,
      forgotten:
        at.restoredMsAgo === null
          ? []
          : [{ epoch: 1, fromMs: NOW_MS - at.restoredMsAgo - 3_600_000, toMs: NOW_MS - at.restoredMsAgo }],
      session: { readUntrusted: at.readUntrusted, categories: at.readCategories },
      spendingStopped: at.spendingStopped,
      deletionOverdue: at.deletionOverdue,
      debt: at.debt,
      grants,
      counters: [...counters.values()],
      approval: at.approval && { id: 'apr_a', state: at.approval },
      mayAsk: at.mayAsk,
      accounts: at.accounts,
    },
  }
}

function termsFor(
  skill: SampleSkill,
  manifest: ReturnType<typeof sampleManifest>,
  terms: Partial<GrantTerms>,
): GrantTerms {
  return {
    skill,
    actions: manifest.actions.map(({ name }) => ({ name, constraints: [] })),
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 1_000_000 }],
    askFirst: [],
    unasked: [],
    categories: Object.keys(manifest.categories),
    recipients: manifest.recipients.map((recipient) => recipient.id),
    retentionDays: {},
    deployments: { kind: 'registered' },
    oneTime: false,
    expiresAtMs: NOW_MS + 86_400_000,
    sharesBudget: false,
    ...terms,
  }
}
