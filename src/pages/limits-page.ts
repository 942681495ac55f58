import { html } from 'hono/html'
import { listBudgets, type UserBudgetView } from '../broker/list-budgets.ts'
import { listSkills } from '../broker/list-skills.ts'
import { type NamesForUser, namesForUser } from '../broker/names-for-user.ts'
import { listRecipients } from '../broker/save-recipient.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { CURRENCIES } from '../core/currency.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { isSteppedUp } from '../people/person.ts'
import { listThresholds } from '../people/step-up-threshold.ts'
import { csrfField, field, notice, select, shown } from './elements.ts'
import { EMPTY_FORM, type Form } from './form.ts'
import { keptForm, keptQuery } from './kept-form.ts'
import { changeLimits, type LimitsOutcome, limitNeedsStepUp } from './limits-changes.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { AUTHORITY } from './texts/authority.ts'
import { LIMITS } from './texts/limits.ts'
import type { LimitsTexts } from './texts/limits-en.ts'
import { usageBars } from './usage-bars.ts'

/** A person's own limits: budgets, time zone, saved recipients, and what passes without a passkey. */
export function limitsPages(deps: PageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/limits',
      who: 'user',
      run(visit) {
        const t = LIMITS[visit.locale]
        const entered = keptForm(deps.broker, visit)
        const isReady = visit.person !== null && isSteppedUp(visit.person, deps.nowMs())
        const said =
          entered !== null && isReady ? notice('good', t.stepUpDone) : doneNotice(visit.query.done, t)
        return show(deps, visit, entered ?? EMPTY_FORM, said)
      },
    },
    { method: 'post', path: '/limits', who: 'user', run: (visit) => change(deps, visit) },
  ]
}

async function change(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, form, locale } = visit
  if (!person) return { kind: 'not_found' }
  if (!isSteppedUp(person, deps.nowMs()) && (await limitNeedsStepUp(deps.broker, person.id, form))) {
    const kept = keptQuery(deps.broker, visit)
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(`/limits?${kept}`)}` }
  }
  const done = await changeLimits(deps.broker, person.id, form)
  if (done.startsWith('done')) return { kind: 'redirect', location: `/limits?done=${done}` }
  return show(deps, visit, form, notice('bad', LIMITS[locale][done]), 422)
}

function doneNotice(done: string | undefined, t: LimitsTexts): Html | null {
  const known: readonly LimitsOutcome[] = ['doneSet', 'doneRemoved', 'doneSaved', 'doneZone']
  const found = known.find((one) => one === done)
  return found ? notice('good', t[found]) : null
}

async function show(
  { broker }: PageDeps,
  { person, locale, csrf }: PageRequest,
  entered: Form,
  said: Html | null,
  status = 200,
): Promise<PageAnswer> {
  const t = LIMITS[locale]
  const userId = person?.id ?? ''
  const budgets = await listBudgets(broker, { userId })
  const skills = await listSkills(broker)
  const names = await namesForUser(broker, { userId, skillIds: skills.map(({ skill }) => skill) })
  const { timeZone } = await showTimeZone(broker, { userId })
  const speaker = speakerOf(locale, timeZone)
  const recipients = await listRecipients(broker, { userId })
  const thresholds = Object.entries(await listThresholds({ broker }, userId))
  const draw: Draw = { t, locale, csrf, speaker, entered }
  const skillTitles = skills.map(({ skill, title }) => [skill, title[locale]] as const)
  const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>${said ?? ''}
<section class="card"><h2>${t.budgetsTitle}</h2>${
    budgets.length === 0
      ? html`<p class="dim">${t.budgetsNone}</p>`
      : html`<div>${budgets.map((budget) => budgetItem(budget, draw, names, new Map(skillTitles)))}</div>`
  }
${budgetForm(draw, names, skillTitles)}</section>
<section class="card"><h2>${t.recipientsTitle}</h2><p class="dim small">${t.recipientsText}</p>${
    recipients.length === 0
      ? html`<p class="dim">${t.recipientsNone}</p>`
      : html`<div>${recipients.map(
          ({ id, label, value }) =>
            html`<div class="item"><div class="between"><span><strong>${shown(label)}</strong><br><span class="small">${shown(value)}</span></span>${removeForm(draw, 'recipient', id, label)}</div></div>`,
        )}</div>`
  }
<details${isOf(entered, 'save_recipient') ? html` open` : ''}><summary>${t.save}</summary><form method="post" action="/limits" class="stack">${csrfField(csrf)}
${field({ name: 'label', label: t.label }, (attributes) => html`<input ${attributes} maxlength="80" required autocomplete="off" value="${entered.get('label') ?? ''}">`)}
${field({ name: 'value', label: t.value }, (attributes) => html`<input ${attributes} maxlength="320" required autocomplete="off" value="${entered.get('value') ?? ''}">`)}
<div><button class="plain" name="do" value="save_recipient">${t.save}</button></div></form></details></section>
<section class="card"><h2>${t.thresholdTitle}</h2><p class="dim small">${t.thresholdText}</p>
${thresholds.length === 0 ? html`<p>${t.thresholdNone}</p>` : html`<ul class="plain">${thresholds.map(([currency, minor]) => html`<li>${t.thresholdIs(speaker.money(minor, currency))}</li>`)}</ul>`}
<details${isOf(entered, 'set_threshold') ? html` open` : ''}><summary>${t.set}</summary><form method="post" action="/limits" class="stack">${csrfField(csrf)}<div class="filters">${amountField(draw, 'threshold', t.threshold)}${currencyField(draw, 'threshold_currency')}</div>
<div><button class="plain" name="do" value="set_threshold">${t.set}</button></div></form></details></section>
<section class="card"><h2>${t.zoneTitle}</h2><p class="dim small">${t.zoneText}</p><form method="post" action="/limits" class="stack">${csrfField(csrf)}
${field({ name: 'zone', label: t.zone }, (attributes) => select(attributes, zones(timeZone), entered.get('zone') ?? timeZone))}
<div><button class="plain" name="do" value="set_zone">${t.set}</button></div></form></section>
<p class="dim small">${t.stepUpNote}</p>`
  return { kind: 'html', status, title: t.title, body }
}

type Draw = {
  readonly t: LimitsTexts
  readonly locale: Locale
  readonly csrf: string
  readonly speaker: Speaker
  readonly entered: Form
}

function isOf(entered: Form, what: string): boolean {
  return entered.get('do') === what
}

function zones(current: string): (readonly [string, string])[] {
  const known = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  return [...new Set([current, ...known])].map((zone) => [zone, zone] as const)
}

function budgetItem(
  budget: UserBudgetView,
  draw: Draw,
  names: NamesForUser,
  skillTitles: ReadonlyMap<string, string>,
): Html {
  const { t, speaker, locale } = draw
  const { owner, scopeId } = budget
  const scope =
    owner === 'agent'
      ? t.scope_agent(speaker.quote(names.agents.get(scopeId) ?? scopeId))
      : owner === 'skill'
        ? t.scope_skill(speaker.quote(skillTitles.get(scopeId) ?? scopeId))
        : t.scope_user
  return html`<div class="item"><div class="between"><h3>${scope}</h3>${removeForm(draw, 'budget', budget.budgetId, scope)}</div>
${usageBars([budget], speaker, AUTHORITY[locale], (name) => speaker.quote(name))}</div>`
}

function removeForm({ t, csrf }: Draw, kind: 'budget' | 'recipient', id: string, named: string): Html {
  return html`<form method="post" action="/limits">${csrfField(csrf)}<input type="hidden" name="id" value="${id}"><button class="quiet" name="do" value="remove_${kind}" aria-label="${t.removeNamed(named)}">${t.remove}</button></form>`
}

function budgetForm(
  draw: Draw,
  names: NamesForUser,
  skillTitles: readonly (readonly [string, string])[],
): Html {
  const { t, csrf, entered, speaker } = draw
  const scopes = [
    ['user', t.scope_user] as const,
    ...[...names.agents].map(([id, name]) => [`agent ${id}`, t.scope_agent(speaker.quote(name))] as const),
    ...skillTitles.map(([id, title]) => [`skill ${id}`, t.scope_skill(speaker.quote(title))] as const),
  ]
  const spans = (['day', 'week', 'month', 'per_action', 'lifetime'] as const).map(
    (span) => [span, t[span]] as const,
  )
  return html`<details${isOf(entered, 'set_budget') ? html` open` : ''}><summary>${t.addTitle}</summary><form method="post" action="/limits" class="stack">${csrfField(csrf)}
<div class="filters">${field({ name: 'scope', label: t.scope }, (attributes) => select(attributes, scopes, entered.get('scope') ?? 'user'))}
${amountField(draw, 'limit', t.amount)}${currencyField(draw, 'currency')}
${field({ name: 'span', label: t.span }, (attributes) => select(attributes, spans, entered.get('span') ?? 'day'))}</div>
<p class="dim small">${t.addHint}</p><div><button class="plain" name="do" value="set_budget">${t.set}</button></div></form></details>`
}

function amountField({ entered }: Draw, name: string, label: string): Html {
  return field(
    { name, label },
    (attributes) =>
      html`<input ${attributes} type="number" inputmode="decimal" min="0" step="any" required value="${entered.get(name) ?? ''}">`,
  )
}

function currencyField({ t, locale, entered }: Draw, name: string): Html {
  const options = CURRENCIES.map((currency) => [currency, currency] as const)
  const usual = locale === 'zh' ? 'CNY' : 'USD'
  return field({ name, label: t.currency }, (attributes) =>
    select(attributes, options, entered.get(name) ?? usual),
  )
}
