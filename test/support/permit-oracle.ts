import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { isJsonObject, type JsonValue } from '../../src/core/json-value.ts'
import type { BudgetLimit } from '../../src/core/spending/budget-limit.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import type { TestBroker } from './test-broker.ts'

const DAY_MS = 86_400_000

/** A permit as the log tells it, with what became of it so far. */
type Spent = {
  row: ActionRow
  amountMinor: number
  agentId: string
  skill: string
  asked: boolean
  /** What counts of it now; null once it was released. */
  countsMinor: number | null
}

export type OracleCounts = Record<
  'permits' | 'refusals' | 'settled' | 'released' | 'overtaken' | 'yesesUsed',
  number
>

/**
 * Reads the whole log in order and holds every permit against what was in force at its leaf: which grants and freezes
 * stood, which yes was given, and what every window held, added up from nothing but the permits before it.
 *
 * @param termsOf the terms of a grant that was ever given.
 * @returns how often each thing happened, so that a run that proves nothing is noticed.
 * @throws Error that names the first permit which should not be.
 */
export async function auditPermits(
  test: TestBroker,
  termsOf: (grantId: string) => GrantTerms | undefined,
): Promise<OracleCounts> {
  const counts: OracleCounts = {
    permits: 0,
    refusals: 0,
    settled: 0,
    released: 0,
    overtaken: 0,
    yesesUsed: 0,
  }
  const revoked = new Set<string>()
  const frozen = new Set<string>()
  const budgets = new Map<string, SharedBudget>()
  const yeses = new Set<string>()
  const spent: Spent[] = []
  const byId = new Map<string, Spent>()

  for (const leaf of await test.leaves()) {
    const part = async (name: 'core' | 'subj' | 'body') => asObject(await test.openPart(leaf.eventId, name))
    switch (`${leaf.type} ${leaf.outcome}`) {
      case 'grant revoked':
        for (const id of asTexts((await part('subj')).grants)) revoked.add(id)
        break
      case 'freeze frozen':
        frozen.add(`${leaf.reason}:${(await part('subj')).target}`)
        break
      case 'freeze unfrozen':
        frozen.delete(`${leaf.reason}:${(await part('subj')).target}`)
        break
      case 'budget set': {
        const subj = await part('subj')
        const budget = (await part('body')).budget as BudgetLimit
        const scope = String(subj.scope)
        const scopeId = String(subj.scopeId)
        const userId = String(subj.user)
        const key = JSON.stringify([userId, scope, scopeId, { ...budget, limit: 0 }])
        budgets.set(key, { userId, scope, scopeId, budget })
        break
      }
      case 'approval approved':
        yeses.add(String((await part('subj')).approval))
        break
      case 'decision deny':
        counts.refusals += 1
        break
      case 'outcome succeeded':
      case 'outcome failed':
      case 'outcome refused':
      case 'outcome overtaken': {
        const entry = byId.get(String((await part('subj')).actionId))
        if (!entry) throw new Error('an outcome of what was never permitted')
        if (entry.row.settleEventId !== leaf.eventId) throw new Error(`${entry.row.id} was settled twice`)
        const captured = Number((await part('core')).captured)
        if (captured > entry.amountMinor) throw new Error(`${entry.row.id} captured more than was held`)
        entry.countsMinor = leaf.outcome === 'succeeded' ? captured : null
        counts[leaf.outcome === 'succeeded' ? 'settled' : 'released'] += 1
        if (leaf.outcome === 'overtaken') counts.overtaken += 1
        break
      }
      case 'decision permit': {
        counts.permits += 1
        const [core, subj] = [await part('core'), await part('subj')]
        const row = await test.broker.store.read(async (tx) => tx.actions.find(String(subj.actionId)))
        if (!row || row.eventId !== leaf.eventId) throw new Error('a permit without its action')
        const entry: Spent = {
          row,
          amountMinor: Number(core.amount ?? 0),
          agentId: row.agentId,
          skill: row.skillId,
          asked: row.approvalId !== null,
          countsMinor: Number(core.amount ?? 0),
        }
        const terms = termsOf(String(subj.grant))
        if (!terms) throw new Error(`${row.id} was permitted under no grant`)
        if (revoked.has(String(subj.grant))) throw new Error(`${row.id} was permitted under a revoked grant`)
        for (const id of freezesOf(row)) {
          if (frozen.has(id)) throw new Error(`${row.id} was permitted under the freeze ${id}`)
        }
        if (row.approvalId !== null && !yeses.delete(row.approvalId)) {
          throw new Error(`${row.id} was permitted by a yes that was not there, or used before`)
        }
        if (row.approvalId !== null) counts.yesesUsed += 1
        holdAgainstLimits(entry, spent, limitsOver(entry, terms, budgets.values()))
        holdAgainstQuestions(entry, spent, terms)
        spent.push(entry)
        byId.set(row.id, entry)
        break
      }
    }
  }
  return counts
}

type SharedBudget = { userId: string; scope: string; scopeId: string; budget: BudgetLimit }
type Limit = { owner: string; budget: BudgetLimit; covers: (entry: Spent) => boolean }

function limitsOver(entry: Spent, terms: GrantTerms, budgets: Iterable<SharedBudget>): Limit[] {
  const own: Limit[] = terms.budgets.map((budget) => ({
    owner: 'grant',
    budget,
    covers: (other) => other.agentId === entry.agentId && other.skill === entry.skill,
  }))
  const ofUser = [...budgets].filter(({ userId }) => userId === entry.row.userId)
  const shared: Limit[] = ofUser.map(({ scope, scopeId, budget }) => ({
    owner: scope,
    budget,
    covers: (other) =>
      scope === 'user' || (scope === 'agent' ? other.agentId === scopeId : other.skill === scopeId),
  }))
  return [...own, ...shared.filter((limit) => limit.covers(entry))].filter(
    ({ budget }) => budget.action === undefined || budget.action === entry.row.action,
  )
}

function holdAgainstLimits(entry: Spent, before: readonly Spent[], limits: readonly Limit[]): void {
  const { row } = entry
  let hasAmountLimit = false
  for (const { owner, budget, covers } of limits) {
    if (budget.measure === 'amount' && budget.currency !== row.currency) continue
    hasAmountLimit ||= budget.measure === 'amount'
    const weight = (one: Spent) =>
      one.countsMinor === null ? 0 : budget.measure === 'count' ? 1 : one.countsMinor
    const sum = before
      .filter(
        (one) => one.row.userId === row.userId && covers(one) && isInWindow(budget.window, one.row, row),
      )
      .filter((one) => budget.action === undefined || one.row.action === budget.action)
      .filter((one) => budget.measure === 'count' || one.row.currency === budget.currency)
      .reduce((total, one) => total + weight(one), weight(entry))
    if (sum > budget.limit) {
      throw new Error(`${row.id} makes ${sum} of ${JSON.stringify(budget)} of the ${owner}`)
    }
  }
  if (row.currency !== null && !hasAmountLimit) throw new Error(`${row.id} spends what no budget covers`)
}

/** Days are those of UTC: zones have tests of their own. */
function isInWindow(window: BudgetLimit['window'], earlier: ActionRow, now: ActionRow): boolean {
  const [thenMs, nowMs] = [timeOf(earlier), timeOf(now)]
  switch (window.kind) {
    case 'per_action':
      return false
    case 'rolling':
      return thenMs > nowMs - window.ms
    case 'lifetime':
      return true
    case 'calendar': {
      if (window.period !== 'day') throw new Error('the oracle knows days only')
      return Math.floor(thenMs / DAY_MS) === Math.floor(nowMs / DAY_MS)
    }
  }
}

function holdAgainstQuestions(entry: Spent, before: readonly Spent[], terms: GrantTerms): void {
  if (entry.asked || entry.row.currency === null) return
  for (const rule of terms.askFirst) {
    if (rule.kind === 'above_amount' && entry.amountMinor > rule.amountMinor) {
      throw new Error(`${entry.row.id} went without a yes above ${rule.amountMinor}`)
    }
    if (rule.kind !== 'above_unasked') continue
    const mine = before.filter(
      (one) =>
        one.row.userId === entry.row.userId &&
        one.agentId === entry.agentId &&
        one.skill === entry.skill &&
        timeOf(one.row) > timeOf(entry.row) - rule.windowMs,
    )
    const lastYes = mine.findLastIndex((one) => one.asked)
    const sum = mine
      .slice(lastYes + 1)
      .reduce((total, one) => total + (one.countsMinor ?? 0), entry.amountMinor)
    if (sum > rule.amountMinor) throw new Error(`${entry.row.id} makes ${sum} that went without a yes`)
  }
}

function timeOf(row: ActionRow): number {
  if (row.reservedAtMs === null) throw new Error(`${row.id} was permitted at no time`)
  return row.reservedAtMs
}

function freezesOf(row: ActionRow): string[] {
  return [
    `user:${row.userId}`,
    `agent:${row.agentId}`,
    `skill:${row.skillId}`,
    `action:${row.skillId}/${row.action}`,
    'platform:*',
  ]
}

function asObject(value: JsonValue | undefined): Record<string, JsonValue | undefined> {
  if (value === undefined || !isJsonObject(value)) throw new Error('a part of a leaf cannot be opened')
  return value
}

function asTexts(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value)) throw new Error('expected a list')
  return value.map(String)
}
