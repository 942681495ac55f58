import { currencyExponent } from '../core/currency.ts'
import { DAY_MS } from '../core/grant/grant-state.ts'
import type { AskFirstRule, Constraint, GrantTerms } from '../core/grant/terms.ts'
import { fromDecimalString } from '../core/money.ts'
import type { Form } from './form.ts'

/** What is wrong with one entry; `most` is what was asked for, as the field would show it. */
export type EntryFault =
  | { readonly code: 'number' | 'precise' | 'actions' | 'models' | 'choice' }
  | { readonly code: 'above'; readonly most: number }

export type NarrowedForm = {
  /** What the entries say, with what was asked wherever an entry is at fault. */
  readonly terms: GrantTerms
  /** By field name. */
  readonly faults: ReadonlyMap<string, EntryFault>
}

type Budget = GrantTerms['budgets'][number]
type Faults = Map<string, EntryFault>

const DIGITS_MOST = 20

/**
 * Reads how a person narrowed terms. What a form does not name is taken away where it is a box to tick, and stays as
 * asked where it is a value: a form cut short can only allow less. Nothing here decides whether the result is narrower.
 *
 * @param nowMs when the form was sent; durations count from it.
 */
export function readNarrowing(asked: GrantTerms, form: Form, nowMs: number): NarrowedForm {
  const faults: Faults = new Map()
  const names = asked.actions.map(({ name }) => name).filter((name) => form.all('action').includes(name))
  if (names.length === 0) faults.set('action', { code: 'actions' })
  const isKept = (name: string | undefined) => name === undefined || names.includes(name)
  const actions = asked.actions.flatMap(({ name, constraints }, at) =>
    isKept(name)
      ? [
          {
            name,
            constraints: constraints.map((limit, index) => readLimit(limit, `${at}.${index}`, form, faults)),
          },
        ]
      : [],
  )
  const terms: GrantTerms = {
    ...asked,
    actions: actions.length > 0 ? actions : asked.actions,
    budgets: asked.budgets.flatMap((budget, index) =>
      isKept(budget.action) ? [readBudget(budget, `limit.${index}`, form, faults)] : [],
    ),
    askFirst: [...keptRules(asked, names), ...addedRules(asked, names, form, faults)],
    unasked: asked.unasked.filter(
      (entry, index) => isKept(entry.action) && form.all('unasked').includes(String(index)),
    ),
    categories: asked.categories.filter((name) => form.all('category').includes(name)),
    recipients: asked.recipients.filter((id) => form.all('recipient').includes(id)),
    retentionDays: readRetention(asked, form, faults),
    deployments: readDeployments(asked, form, faults),
    oneTime: asked.oneTime || form.get('once') === 'yes',
    expiresAtMs: readExpiry(asked, form, nowMs, faults),
    sharesBudget: asked.sharesBudget && form.get('shares') === 'yes',
  }
  return { terms, faults }
}

/** Days a class may be kept that a form offers, the asked number last. */
export function daysOffered(askedDays: number): number[] {
  return [...[0, 1, 7, 30, 90, 365].filter((days) => days < askedDays), askedDays]
}

/** Spans after which a grant can be made to end, in milliseconds, all sooner than asked. */
export function spansOffered(asked: Pick<GrantTerms, 'expiresAtMs'>, nowMs: number): number[] {
  const hourMs = DAY_MS / 24
  return [hourMs, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 180 * DAY_MS].filter(
    (ms) => nowMs + ms < asked.expiresAtMs,
  )
}

/** Currencies of the amount budgets, each once. */
export function currenciesOf(asked: GrantTerms): string[] {
  const found = asked.budgets.flatMap((budget) => (budget.measure === 'amount' ? [budget.currency] : []))
  return [...new Set(found)]
}

function readBudget(budget: Budget, field: string, form: Form, faults: Faults): Budget {
  const text = form.get(field)?.trim()
  if (text === undefined) return budget
  const limit =
    budget.measure === 'amount'
      ? readMoney(text, budget.currency, field, faults)
      : readWhole(text, field, faults)
  if (limit === undefined) return budget
  if (limit <= budget.limit) return { ...budget, limit }
  faults.set(field, { code: 'above', most: budget.limit })
  return budget
}

function readMoney(text: string, currency: string, field: string, faults: Faults): number | undefined {
  // Trailing zeros of a browser's own number field, such as 5.00 for yen, are refused too: another unit may be meant.
  const parsed = text.length > DIGITS_MOST ? undefined : fromDecimalString(text, currency)
  if (parsed?.ok) return parsed.amountMinor
  const isPrecise = parsed?.code === 'amount_too_precise' && currencyExponent(currency) !== undefined
  faults.set(field, { code: isPrecise ? 'precise' : 'number' })
  return undefined
}

function readWhole(text: string, field: string, faults: Faults): number | undefined {
  const value = Number(text)
  if (/^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value)) return value
  faults.set(field, { code: 'number' })
  return undefined
}

/** A range's upper end and a length can be lowered; every other constraint stays as it was asked. */
function readLimit(limit: Constraint, at: string, form: Form, faults: Faults): Constraint {
  const field = `${limit.kind}.${at}`
  if (limit.kind === 'length') {
    const text = form.get(field)?.trim()
    const max = text === undefined ? undefined : readWhole(text, field, faults)
    return max === undefined ? limit : lowered(limit, max, field, faults)
  }
  if (limit.kind !== 'range' || limit.max === undefined) return limit
  const text = form.get(field)?.trim()
  if (text === undefined) return limit
  const currency = form.get(`${field}.currency`)
  const max =
    currency === undefined ? readNumber(text, field, faults) : readMoney(text, currency, field, faults)
  return max === undefined ? limit : lowered(limit, max, field, faults)
}

function lowered<Limit extends { max?: number | undefined }>(
  limit: Limit,
  max: number,
  field: string,
  faults: Faults,
): Limit {
  if (limit.max === undefined || max <= limit.max) return { ...limit, max }
  faults.set(field, { code: 'above', most: limit.max })
  return limit
}

function readNumber(text: string, field: string, faults: Faults): number | undefined {
  const value = Number(text)
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(text) && Number.isFinite(value)) return value
  faults.set(field, { code: 'number' })
  return undefined
}

/** Rules lose the actions that are not given; a rule of nothing else goes with them. */
function keptRules(asked: GrantTerms, names: readonly string[]): AskFirstRule[] {
  return asked.askFirst.flatMap((rule) => {
    if (!rule.actions) return [rule]
    const actions = rule.actions.filter((name) => names.includes(name))
    return actions.length === 0 ? [] : [{ ...rule, actions }]
  })
}

function addedRules(asked: GrantTerms, names: readonly string[], form: Form, faults: Faults): AskFirstRule[] {
  const actions = names.filter((name) => form.all('ask').includes(name))
  const always: AskFirstRule[] = actions.length === 0 ? [] : [{ kind: 'always', actions }]
  const above = currenciesOf(asked).flatMap((currency): AskFirstRule[] => {
    const field = `above.${currency}`
    const text = form.get(field)?.trim() ?? ''
    const amountMinor = text === '' ? undefined : readMoney(text, currency, field, faults)
    return amountMinor === undefined ? [] : [{ kind: 'above_amount', currency, amountMinor }]
  })
  return [...always, ...above]
}

function readRetention(asked: GrantTerms, form: Form, faults: Faults): GrantTerms['retentionDays'] {
  const kept = Object.entries(asked.retentionDays).map(([name, days]): [string, number] => {
    const field = `keep.${name}`
    const text = form.get(field)
    if (text === undefined) return [name, days]
    const chosen = daysOffered(days).find((offered) => String(offered) === text)
    if (chosen !== undefined) return [name, chosen]
    faults.set(field, { code: 'choice' })
    return [name, days]
  })
  return Object.fromEntries(kept)
}

function readDeployments(asked: GrantTerms, form: Form, faults: Faults): GrantTerms['deployments'] {
  const { deployments } = asked
  const ids = [...new Set(form.all('model'))].slice(0, 16)
  if (deployments.kind === 'registered' && form.get('models') !== 'only') return deployments
  const allowed = deployments.kind === 'only' ? ids.filter((id) => deployments.ids.includes(id)) : ids
  if (allowed.length > 0) return { kind: 'only', ids: allowed }
  faults.set('model', { code: 'models' })
  return deployments
}

function readExpiry(asked: GrantTerms, form: Form, nowMs: number, faults: Faults): number {
  const text = form.get('expires')
  if (text === undefined || text === 'asked') return asked.expiresAtMs
  const span = spansOffered(asked, nowMs).find((ms) => String(ms) === text)
  // A page that lay open may offer a span that by now ends later than what was asked.
  if (span !== undefined) return nowMs + span
  if (/^\d{1,15}$/.test(text) && nowMs + Number(text) >= asked.expiresAtMs) return asked.expiresAtMs
  faults.set('expires', { code: 'choice' })
  return asked.expiresAtMs
}
