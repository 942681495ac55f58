import { html } from 'hono/html'
import type { RegisteredDeployment } from '../broker/agent-deployments.ts'
import { currencyExponent } from '../core/currency.ts'
import { fieldName } from '../core/grant/consent-subject.ts'
import { modelName } from '../core/grant/describe-claims.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import type { Constraint, GrantTerms } from '../core/grant/terms.ts'
import { findAction, type Manifest, type ManifestAction } from '../core/manifest/manifest.ts'
import { toDecimalString } from '../core/money.ts'
import { check, field, select } from './elements.ts'
import { EMPTY_FORM, type Form } from './form.ts'
import type { Locale } from './locale.ts'
import { currenciesOf, daysOffered, type EntryFault, spansOffered } from './narrow-form.ts'
import type { Html } from './page.ts'
import { CONSENT } from './texts/consent.ts'
import type { ConsentTexts } from './texts/consent-en.ts'

export type NarrowFacts = {
  readonly asked: GrantTerms
  readonly manifest: Manifest
  readonly deployments: readonly RegisteredDeployment[]
  readonly zone: string
  readonly nowMs: number
  readonly locale: Locale
  /** What was entered before; null where the page shows what was asked. */
  readonly entered: Form | null
  readonly faults: ReadonlyMap<string, EntryFault>
}

/** The controls of each question, all set as it was asked: a person can only take away and lower. */
export type NarrowControls = {
  /** The box of one action; its name is what the form posts. */
  actionBox(name: string, label: Html | string): Html
  actionLimits(name: string): Html | null
  readonly models: Html | null
  readonly spend: Html | null
  readonly memory: Html | null
  readonly takeBack: Html
  readonly recipients: Html | null
  /** Whether something was entered before. */
  readonly isEntered: boolean
}

type Drawing = NarrowFacts & { readonly t: ConsentTexts; readonly speaker: Speaker; readonly form: Form }

export function narrowControls(facts: NarrowFacts): NarrowControls {
  const drawing: Drawing = {
    ...facts,
    t: CONSENT[facts.locale],
    speaker: speakerOf(facts.locale, facts.zone),
    form: facts.entered ?? EMPTY_FORM,
  }
  return {
    actionBox: (name, label) =>
      check({ name: 'action', value: name, label, isChecked: isTicked(drawing, 'action', name) }),
    actionLimits: (name) => actionLimits(drawing, name),
    models: models(drawing),
    spend: spend(drawing),
    memory: memory(drawing),
    takeBack: takeBack(drawing),
    recipients: recipients(drawing),
    isEntered: facts.entered !== null,
  }
}

/** A title of the manifest's in this language, quoted. */
function titleOf({ manifest, speaker }: Drawing, name: string): string {
  const action = findAction(manifest, name)
  return action ? speaker.title(action.title) : speaker.quote(name)
}

function isTicked({ entered }: Drawing, name: string, value: string): boolean {
  return entered ? entered.all(name).includes(value) : true
}

export function faultText(
  t: ConsentTexts,
  fault: EntryFault | undefined,
  say: (most: number) => string,
): string | undefined {
  if (!fault) return undefined
  return fault.code === 'above' ? t.fault_above(say(fault.most)) : t[`fault_${fault.code}`]
}

function actionLimits(drawing: Drawing, name: string): Html | null {
  const at = drawing.asked.actions.findIndex((entry) => entry.name === name)
  const action = findAction(drawing.manifest, name)
  const limits = (drawing.asked.actions[at]?.constraints ?? []).flatMap(
    (limit, index) => constraintField(drawing, action, limit, `${at}.${index}`) ?? [],
  )
  return limits.length === 0 ? null : html`<div class="adjust">${limits}</div>`
}

function constraintField(
  drawing: Drawing,
  action: ManifestAction | undefined,
  limit: Constraint,
  at: string,
): Html | null {
  const { t, speaker } = drawing
  if ((limit.kind !== 'range' && limit.kind !== 'length') || limit.max === undefined) return null
  const { max, pointer } = limit
  const name = `${limit.kind}.${at}`
  const title = action ? speaker.title(action.title) : ''
  const what = fieldName(speaker, action, pointer)
  const currency = limit.kind === 'range' ? soleCurrency(action, pointer) : undefined
  const label = limit.kind === 'range' ? t.rangeLabel(title, what) : t.lengthLabel(title, what)
  return currency === undefined
    ? numberField(drawing, { name, label, most: max })
    : html`${moneyField(drawing, { name, label, most: max, currency })}<input type="hidden" name="${name}.currency" value="${currency}">`
}

/** The currency of a field of minor units, where it can be one only. */
function soleCurrency(action: ManifestAction | undefined, pointer: string): string | undefined {
  const place = action?.spends?.amount
  if (place?.pointer !== pointer || place.form !== 'minor') return undefined
  if ('currency' in place) return place.currency
  const currencies = Object.keys(action?.spends?.most ?? {})
  return currencies.length === 1 ? currencies[0] : undefined
}

type LimitField = { readonly name: string; readonly label: string; readonly most: number }

function moneyField(
  drawing: Drawing,
  { name, label, most, currency }: LimitField & { currency: string },
): Html {
  const { t, speaker, form, faults } = drawing
  const exponent = currencyExponent(currency) ?? 0
  const asked = toDecimalString(most, currency)
  const fault = faultText(t, faults.get(name), (minor) => speaker.money(minor, currency))
  return field(
    { name, label, hint: t.asAsked(speaker.money(most, currency)), fault },
    (attributes) =>
      html`<span class="amount"><input ${attributes} type="number" inputmode="decimal" min="0" max="${asked}" step="${exponent === 0 ? '1' : `0.${'1'.padStart(exponent, '0')}`}" value="${form.get(name) ?? asked}" required><span>${currency}</span></span>`,
  )
}

function numberField(drawing: Drawing, { name, label, most }: LimitField): Html {
  const { t, form, faults } = drawing
  const fault = faultText(t, faults.get(name), String)
  return field(
    { name, label, hint: t.asAsked(String(most)), fault },
    (attributes) =>
      html`<span class="amount"><input ${attributes} type="number" inputmode="decimal" max="${String(most)}" step="${Number.isInteger(most) ? '1' : 'any'}" value="${form.get(name) ?? String(most)}" required></span>`,
  )
}

function models(drawing: Drawing): Html | null {
  const { t, asked, deployments, speaker, entered, faults, form } = drawing
  const isAny = asked.deployments.kind === 'registered'
  const offered =
    asked.deployments.kind === 'registered'
      ? deployments
      : asked.deployments.ids.map(
          (id) => deployments.find((known) => known.id === id) ?? { id, deployment: undefined },
        )
  if (offered.length === 0 || (!isAny && offered.length === 1)) return null
  const boxes = offered.map(({ id, deployment }) =>
    check({
      name: 'model',
      value: id,
      label: speaker.quote(deployment ? modelName(deployment) : id),
      isChecked: isTicked(drawing, 'model', id),
    }),
  )
  const isOnly = entered !== null && form.get('models') === 'only'
  const fault = faultText(t, faults.get('model'), String)
  return html`<fieldset class="adjust"><legend>${t.modelsTitle}</legend>
${
  isAny
    ? html`${check({ name: 'models', value: 'any', label: t.modelsAny, isChecked: !isOnly, type: 'radio' })}
${check({ name: 'models', value: 'only', label: t.modelsOnly, isChecked: isOnly, type: 'radio' })}`
    : ''
}<div class="tight">${boxes}</div>${fault === undefined ? '' : html`<p class="error">${fault}</p>`}</fieldset>`
}

function spend(drawing: Drawing): Html | null {
  const { asked, manifest, t, speaker, entered, form, faults } = drawing
  const limits = asked.budgets.map((budget, index) => {
    const name = `limit.${index}`
    const window = speaker.window(budget.window)
    if (budget.measure === 'amount') {
      const what = budget.action === undefined ? t.limitAll : t.limitAction(titleOf(drawing, budget.action))
      return moneyField(drawing, {
        name,
        label: t.limitLabel(what, window),
        most: budget.limit,
        currency: budget.currency,
      })
    }
    const what = budget.action === undefined ? t.countAll : t.countAction(titleOf(drawing, budget.action))
    return numberField(drawing, { name, label: t.limitLabel(what, window), most: budget.limit })
  })
  const changing = asked.actions.filter(({ name }) =>
    findAction(manifest, name)?.effects.some((effect) => effect !== 'read'),
  )
  const alwaysAsked = asked.askFirst.flatMap((rule) =>
    rule.kind === 'always' ? (rule.actions ?? changing.map(({ name }) => name)) : [],
  )
  const askable = changing.filter(({ name }) => !alwaysAsked.includes(name))
  const asks = askable.map(({ name }) =>
    check({
      name: 'ask',
      value: name,
      label: titleOf(drawing, name),
      isChecked: entered?.all('ask').includes(name) ?? false,
    }),
  )
  const unasked = asked.unasked.map(({ rule, action }, index) =>
    check({
      name: 'unasked',
      value: String(index),
      label: t[`unasked_${rule}`](titleOf(drawing, action)),
      isChecked: isTicked(drawing, 'unasked', String(index)),
    }),
  )
  const above = currenciesOf(asked).map((currency) => {
    const name = `above.${currency}`
    const exponent = currencyExponent(currency) ?? 0
    const fault = faultText(t, faults.get(name), String)
    return field(
      { name, label: t.aboveLabel(currency), fault },
      (attributes) =>
        html`<span class="amount"><input ${attributes} type="number" inputmode="decimal" min="0" step="${exponent === 0 ? '1' : `0.${'1'.padStart(exponent, '0')}`}" value="${form.get(name) ?? ''}"><span>${currency}</span></span>`,
    )
  })
  const shares = asked.sharesBudget
    ? check({
        name: 'shares',
        value: 'yes',
        label: t.sharesLabel,
        isChecked: isTicked(drawing, 'shares', 'yes'),
      })
    : ''
  if (limits.length + asks.length + unasked.length + above.length === 0 && shares === '') return null
  return html`<div class="adjust">${limits}
${asks.length === 0 ? '' : html`<fieldset><legend>${t.askTitle}</legend><div class="tight">${asks}</div></fieldset>`}
${above}
${unasked.length === 0 ? '' : html`<fieldset><legend>${t.unaskedTitle}</legend><div class="tight">${unasked}</div></fieldset>`}${shares}</div>`
}

function memory(drawing: Drawing): Html | null {
  const { asked, manifest, t, speaker, form, faults } = drawing
  const fields = Object.entries(asked.retentionDays).flatMap(([name, days]) => {
    const declared = manifest.memory.find((entry) => entry.class === name)
    if (days === 0 || declared?.sessionOnly) return []
    const title = declared ? speaker.title(declared.title) : speaker.quote(name)
    const options = daysOffered(days).map(
      (offered) => [String(offered), offered === 0 ? t.keepNot : speaker.days(offered)] as const,
    )
    const facts = {
      name: `keep.${name}`,
      label: t.keepLabel(title),
      hint: t.asAsked(speaker.days(days)),
      fault: faultText(t, faults.get(`keep.${name}`), String),
    }
    return [field(facts, (attributes) => select(attributes, options, form.get(facts.name) ?? String(days)))]
  })
  return fields.length === 0 ? null : html`<div class="adjust">${fields}</div>`
}

function takeBack(drawing: Drawing): Html {
  const { asked, t, speaker, form, faults, nowMs, entered } = drawing
  const options = [
    ['asked', t.expiresAsked(speaker.instant(asked.expiresAtMs))],
    ...spansOffered(asked, nowMs).map((ms) => [String(ms), t.expiresIn(speaker.span(ms))] as const),
  ] as const
  const fault = faultText(t, faults.get('expires'), String)
  const once = asked.oneTime
    ? ''
    : check({ name: 'once', value: 'yes', label: t.onceLabel, isChecked: entered?.get('once') === 'yes' })
  return html`<div class="adjust">${field({ name: 'expires', label: t.expiresLabel, fault }, (attributes) =>
    select(attributes, options, form.get('expires') ?? 'asked'),
  )}${once}</div>`
}

function recipients(drawing: Drawing): Html | null {
  const { asked, manifest, t, speaker } = drawing
  const categories = asked.categories.map((name) => {
    const title = Object.hasOwn(manifest.categories, name) ? manifest.categories[name] : undefined
    const label = title ? speaker.title(title) : speaker.quote(name)
    return check({ name: 'category', value: name, label, isChecked: isTicked(drawing, 'category', name) })
  })
  const thirdParties = asked.recipients.map((id) => {
    const declared = manifest.recipients.find((entry) => entry.id === id)
    const label = declared ? speaker.title(declared.title) : speaker.quote(id)
    return check({ name: 'recipient', value: id, label, isChecked: isTicked(drawing, 'recipient', id) })
  })
  if (categories.length + thirdParties.length === 0) return null
  return html`<div class="adjust">
${categories.length === 0 ? '' : html`<fieldset><legend>${t.categoriesTitle}</legend><div class="tight">${categories}</div></fieldset>`}
${thirdParties.length === 0 ? '' : html`<fieldset><legend>${t.recipientsTitle}</legend><div class="tight">${thirdParties}</div></fieldset>`}</div>`
}
