import type { Broker } from '../broker/broker.ts'
import { listBudgets } from '../broker/list-budgets.ts'
import { removeRecipient, saveRecipient, saveRecipientShape } from '../broker/save-recipient.ts'
import { removeBudget, setBudget, setBudgetShape } from '../broker/set-budget.ts'
import { setTimeZone, setTimeZoneShape } from '../broker/set-time-zone.ts'
import { isSameJson } from '../core/manifest/manifest-change.ts'
import { fromDecimalString } from '../core/money.ts'
import type { BudgetLimit, BudgetWindow } from '../core/spending/budget-limit.ts'
import { setThreshold } from '../people/step-up-threshold.ts'
import type { Form } from './form.ts'
import type { LimitsTexts } from './texts/limits-en.ts'

/** What is said of a change; the words stand in texts/limits-*.ts under the same name. */
export type LimitsOutcome = Extract<keyof LimitsTexts, `done${string}` | `fault${string}`>

const WINDOWS: Readonly<Record<string, BudgetWindow>> = {
  day: { kind: 'calendar', period: 'day' },
  week: { kind: 'calendar', period: 'week' },
  month: { kind: 'calendar', period: 'month' },
  per_action: { kind: 'per_action' },
  lifetime: { kind: 'lifetime' },
}

/** Whether a posted change takes a passkey: everything does but a new budget and one that becomes lower. */
export async function limitNeedsStepUp(broker: Broker, userId: string, form: Form): Promise<boolean> {
  if (form.get('do') !== 'set_budget') return true
  const wanted = readBudget(form)
  if (typeof wanted === 'string') return false
  const { scope, budget } = wanted
  const scopeId = scope.kind === 'agent' ? scope.agentId : scope.kind === 'skill' ? scope.skill : ''
  const budgets = await listBudgets(broker, { userId })
  return budgets.some(
    (one) =>
      one.owner === scope.kind &&
      // A budget of an agent belongs to its line, which may have another id: then it is asked for to be safe.
      (scope.kind === 'agent' || one.scopeId === scopeId) &&
      isSameJson({ ...one.budget, limit: 0 }, { ...budget, limit: 0 }) &&
      budget.limit > one.budget.limit,
  )
}

/** Does what one form of the page asks for, and names what to say of it. */
export async function changeLimits(broker: Broker, userId: string, form: Form): Promise<LimitsOutcome> {
  switch (form.get('do')) {
    case 'set_budget':
      return addBudget(broker, userId, form)
    case 'remove_budget': {
      const done = await removeBudget(broker, { userId, budgetId: form.get('id') ?? '' })
      return outcomeOf(done.kind, 'removed', 'doneRemoved')
    }
    case 'save_recipient': {
      const parsed = saveRecipientShape.safeParse({ label: form.get('label'), value: form.get('value') })
      if (!parsed.success) return 'faultText'
      return outcomeOf((await saveRecipient(broker, { userId, ...parsed.data })).kind, 'saved', 'doneSaved')
    }
    case 'remove_recipient': {
      const done = await removeRecipient(broker, { userId, recipientId: form.get('id') ?? '' })
      return outcomeOf(done.kind, 'removed', 'doneRemoved')
    }
    case 'set_zone': {
      const parsed = setTimeZoneShape.safeParse({ timeZone: form.get('zone') })
      if (!parsed.success) return 'faultZone'
      return outcomeOf((await setTimeZone(broker, { userId, ...parsed.data })).kind, 'set', 'doneZone')
    }
    case 'set_threshold':
      return changeThreshold(broker, userId, form)
    default:
      return 'faultChoice'
  }
}

async function addBudget(broker: Broker, userId: string, form: Form): Promise<LimitsOutcome> {
  const wanted = readBudget(form)
  if (typeof wanted === 'string') return wanted
  return outcomeOf((await setBudget(broker, { userId, ...wanted })).kind, 'set', 'doneSet')
}

async function changeThreshold(broker: Broker, userId: string, form: Form): Promise<LimitsOutcome> {
  const currency = form.get('threshold_currency') ?? ''
  const amount = fromDecimalString(form.get('threshold')?.trim() ?? '', currency)
  if (!amount.ok) return 'faultAmount'
  const { amountMinor } = amount
  return outcomeOf((await setThreshold({ broker }, { userId, currency, amountMinor })).kind, 'set', 'doneSet')
}

type Wanted = {
  readonly scope: { kind: 'user' } | { kind: 'agent'; agentId: string } | { kind: 'skill'; skill: string }
  readonly budget: BudgetLimit
}

function readBudget(form: Form): Wanted | 'faultAmount' | 'faultChoice' {
  const currency = form.get('currency') ?? ''
  const amount = fromDecimalString(form.get('limit')?.trim() ?? '', currency)
  if (!amount.ok) return 'faultAmount'
  const [kind, id] = (form.get('scope') ?? '').split(' ')
  const scope = kind === 'agent' ? { kind, agentId: id } : kind === 'skill' ? { kind, skill: id } : { kind }
  const span = form.get('span') ?? ''
  const window = Object.hasOwn(WINDOWS, span) ? WINDOWS[span] : undefined
  const budget = { measure: 'amount', currency, window, limit: amount.amountMinor }
  const parsed = setBudgetShape.safeParse({ scope, budget })
  return parsed.success ? parsed.data : 'faultChoice'
}

/** What use cases answer, as what is said of it. */
function outcomeOf(kind: string, good: string, done: LimitsOutcome): LimitsOutcome {
  if (kind === good) return done
  switch (kind) {
    case 'already_saved':
      return 'faultSaved'
    case 'too_many_budgets':
    case 'too_many_recipients':
    case 'too_many':
      return 'faultMany'
    case 'recovered_recently':
      return 'faultRecovered'
    case 'invalid':
      return 'faultAmount'
    default:
      return 'faultGone'
  }
}
