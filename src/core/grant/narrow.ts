import { isQuestionKept } from './ask-first-implication.ts'
import { impliesConstraint } from './constraint-implication.ts'
import type { Constraint, GrantTerms } from './terms.ts'

export type NarrowFaultCode =
  | 'skill_differs'
  | 'action_not_asked'
  | 'action_named_twice'
  | 'constraint_loosened'
  | 'budget_removed'
  | 'budget_raised'
  | 'budget_not_asked'
  | 'ask_first_loosened'
  | 'unasked_added'
  | 'category_added'
  | 'recipient_added'
  | 'retention_added'
  | 'retention_longer'
  | 'deployments_widened'
  | 'one_time_removed'
  | 'expiry_later'
  | 'expiry_passed'
  | 'budget_sharing_added'

/** Something that is not proven narrower; the pointer leads to it in the terms given. */
export type NarrowFault = { readonly pointer: string; readonly code: NarrowFaultCode }
export type NarrowOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly faults: readonly NarrowFault[] }

/**
 * Proves that `given` allows nothing that `asked` does not: a user may only narrow, and a live grant may only
 * become narrower. What cannot be proven counts as wider, so a refusal here means "needs a new consent".
 */
export function checkNarrower(asked: GrantTerms, given: GrantTerms, nowMs: number): NarrowOutcome {
  const faults = [
    ...fault(asked.skill !== given.skill, '/skill', 'skill_differs'),
    ...actionFaults(asked, given),
    ...budgetFaults(asked, given),
    ...askFirstFaults(asked, given),
    ...givenFaults(given.unasked, '/unasked', 'unasked_added', (entry) =>
      asked.unasked.some((was) => was.rule === entry.rule && was.action === entry.action),
    ),
    ...givenFaults(given.categories, '/categories', 'category_added', (c) => asked.categories.includes(c)),
    ...givenFaults(given.recipients, '/recipients', 'recipient_added', (r) => asked.recipients.includes(r)),
    ...retentionFaults(asked, given),
    ...deploymentFaults(asked, given),
    ...fault(asked.oneTime && !given.oneTime, '/oneTime', 'one_time_removed'),
    ...fault(given.expiresAtMs > asked.expiresAtMs, '/expiresAtMs', 'expiry_later'),
    ...fault(given.expiresAtMs <= nowMs, '/expiresAtMs', 'expiry_passed'),
    ...fault(given.sharesBudget && !asked.sharesBudget, '/sharesBudget', 'budget_sharing_added'),
  ]
  return faults.length === 0 ? { ok: true } : { ok: false, faults }
}

function fault(isWider: boolean, pointer: string, code: NarrowFaultCode): NarrowFault[] {
  return isWider ? [{ pointer, code }] : []
}

function givenFaults<T>(
  given: readonly T[],
  pointer: string,
  code: NarrowFaultCode,
  wasAsked: (element: T) => boolean,
): NarrowFault[] {
  return given.flatMap((element, index) => fault(!wasAsked(element), `${pointer}/${index}`, code))
}

function actionFaults(asked: GrantTerms, given: GrantTerms): NarrowFault[] {
  return given.actions.flatMap((action, index) => {
    const pointer = `/actions/${index}`
    const was = asked.actions.filter(({ name }) => name === action.name)
    if (was.length === 0) return [{ pointer, code: 'action_not_asked' }]
    // A second entry for the same action would leave open which constraints hold.
    if (given.actions.findIndex(({ name }) => name === action.name) !== index) {
      return [{ pointer, code: 'action_named_twice' }]
    }
    const wanted = was.flatMap(({ constraints }) => constraints)
    return fault(!areKept(wanted, action.constraints), `${pointer}/constraints`, 'constraint_loosened')
  })
}

function areKept(asked: readonly Constraint[], given: readonly Constraint[]): boolean {
  return asked.every((wanted) => given.some((constraint) => impliesConstraint(constraint, wanted)))
}

type Budget = GrantTerms['budgets'][number]

function budgetKey(budget: Budget): string {
  const { window } = budget
  const span = window.kind === 'rolling' ? window.ms : window.kind === 'calendar' ? window.period : ''
  const currency = budget.measure === 'amount' ? budget.currency : ''
  return [budget.measure, currency, window.kind, span, budget.action ?? ''].join(' ')
}

function budgetFaults(asked: GrantTerms, given: GrantTerms): NarrowFault[] {
  const names = given.actions.map(({ name }) => name)
  const removedOrRaised = asked.budgets.flatMap((budget) => {
    // The budget of an action that is not given limits nothing any more.
    if (budget.action !== undefined && !names.includes(budget.action)) return []
    const same = given.budgets.filter((candidate) => budgetKey(candidate) === budgetKey(budget))
    if (same.length === 0) return fault(true, '/budgets', 'budget_removed')
    return fault(!same.some(({ limit }) => limit <= budget.limit), '/budgets', 'budget_raised')
  })
  // A currency without a budget is refused, so a first budget for it would allow something new.
  const added = givenFaults(given.budgets, '/budgets', 'budget_not_asked', (budget) => {
    if (budget.measure === 'count') return true
    const covered = budget.action === undefined ? names : names.filter((name) => name === budget.action)
    return covered.every((name) => hasAmountBudget(asked, budget.currency, name))
  })
  return [...removedOrRaised, ...added]
}

function hasAmountBudget(terms: GrantTerms, currency: string, action: string): boolean {
  return terms.budgets.some(
    (budget) =>
      budget.measure === 'amount' &&
      budget.currency === currency &&
      (budget.action === undefined || budget.action === action),
  )
}

function askFirstFaults(asked: GrantTerms, given: GrantTerms): NarrowFault[] {
  const names = given.actions.map(({ name }) => name)
  const areAllKept = asked.askFirst.every((rule) => isQuestionKept(rule, given.askFirst, names))
  return fault(!areAllKept, '/askFirst', 'ask_first_loosened')
}

function retentionFaults(asked: GrantTerms, given: GrantTerms): NarrowFault[] {
  return Object.entries(given.retentionDays).flatMap(([memoryClass, days]) => {
    const pointer = `/retentionDays/${memoryClass}`
    const wasDays = Object.hasOwn(asked.retentionDays, memoryClass)
      ? asked.retentionDays[memoryClass]
      : undefined
    if (wasDays === undefined) return fault(true, pointer, 'retention_added')
    return fault(days > wasDays, pointer, 'retention_longer')
  })
}

function deploymentFaults(asked: GrantTerms, given: GrantTerms): NarrowFault[] {
  if (asked.deployments.kind === 'registered') return []
  const { ids } = asked.deployments
  if (given.deployments.kind === 'registered') return fault(true, '/deployments', 'deployments_widened')
  return givenFaults(given.deployments.ids, '/deployments/ids', 'deployments_widened', (id) =>
    ids.includes(id),
  )
}
