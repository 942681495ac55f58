import { html } from 'hono/html'
import {
  type AlwaysLimits,
  type AlwaysOffer,
  allowAlways,
  offerAlways,
  showAlways,
} from '../broker/allow-always.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { currencyExponent } from '../core/currency.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { fromDecimalString, toDecimalString } from '../core/money.ts'
import { needsStepUp } from '../core/people/step-up-policy.ts'
import { isSteppedUp } from '../people/person.ts'
import { check, csrfField, field, notice, select } from './elements.ts'
import { EMPTY_FORM, type Form } from './form.ts'
import { keptForm, keptQuery } from './kept-form.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { legend, sentenceList } from './sentences.ts'
import { ALWAYS } from './texts/always.ts'
import { CONSENT } from './texts/consent.ts'

const DAYS = [1, 7, 30, 90]

/** From one question to a permission with explicit limits: choose them, read what they allow, say yes. */
export function alwaysPages(deps: PageDeps): Page[] {
  const path = '/approvals/{id}/always'
  return [
    {
      method: 'get',
      path,
      who: 'user',
      run: (visit) => choose(deps, visit, keptForm(deps.broker, visit), null),
    },
    { method: 'post', path, who: 'user', run: (visit) => answer(deps, visit) },
  ]
}

function whichOf({ person, params }: PageRequest) {
  return { userId: person?.id ?? '', approvalId: params.id ?? '' }
}

async function choose(
  { broker }: PageDeps,
  visit: PageRequest,
  entered: Form | null,
  said: Html | null,
  status = 200,
): Promise<PageAnswer> {
  const { locale, csrf } = visit
  const t = ALWAYS[locale]
  const which = whichOf(visit)
  const offer = await offerAlways(broker, which)
  if (!offer) {
    const body = html`<section class="card narrow"><h1>${t.title}</h1><p>${t.notOffered}</p><p><a class="button plain" href="/approvals/${which.approvalId}">${t.back}</a></p></section>`
    return { kind: 'html', status: 404, title: t.title, body }
  }
  const { timeZone } = await showTimeZone(broker, which)
  const speaker = speakerOf(locale, timeZone)
  const form = entered ?? EMPTY_FORM
  const { amount } = offer.shown
  const intro = t.intro(speaker.quote(offer.agentName), speaker.title(offer.action.title))
  const body = html`<form method="post" action="/approvals/${which.approvalId}/always" class="stack">${csrfField(csrf)}
<section class="card"><div class="head"><h1>${t.title}</h1><p class="dim">${intro}</p></div>${said ?? ''}
<fieldset><legend>${t.sameTitle}</legend><p class="dim small">${t.sameHint}</p><div class="tight">${sameBoxes(offer, speaker, visit, entered)}</div></fieldset></section>
<section class="card">${field(
    { name: 'times', label: t.times },
    (attributes) =>
      html`<input ${attributes} type="number" inputmode="numeric" min="1" max="1000" step="1" required value="${form.get('times') ?? '1'}">`,
  )}
${amount ? moneyField(t.dayLimit, amount, form) : ''}
${field({ name: 'days', label: t.days }, (attributes) =>
  select(
    attributes,
    DAYS.map((days) => [String(days), speaker.days(days)] as const),
    form.get('days') ?? '7',
  ),
)}</section>
<div class="decide"><div class="answers"><a class="button plain" href="/approvals/${which.approvalId}">${t.back}</a><button name="do" value="review">${t.review}</button></div></div></form>`
  return { kind: 'html', status, title: t.title, body }
}

function sameBoxes(
  offer: AlwaysOffer,
  speaker: Speaker,
  { locale }: PageRequest,
  entered: Form | null,
): Html[] {
  const t = ALWAYS[locale]
  const said = offer.shown[locale].arguments
  return offer.same.sent.map(({ pointer, isFixed, constraint }) => {
    const value = said.find((one) => one.pointer === pointer)
    const most =
      constraint.kind === 'range' && offer.shown.amount
        ? speaker.money(offer.shown.amount.minor, offer.shown.amount.currency)
        : null
    const label = html`<span class="dim small"><bdi>${value?.label ?? pointer}</bdi></span><br><bdi>${most === null ? (value?.value ?? '') : t.atMost(most)}</bdi>`
    if (isFixed) return html`<p class="between"><span>${label}</span><span class="tag">${t.fixed}</span></p>`
    return check({
      name: 'same',
      value: pointer,
      label,
      isChecked: entered ? entered.all('same').includes(pointer) : true,
    })
  })
}

function moneyField(
  label: string,
  { minor, currency }: { minor: number; currency: string },
  form: Form,
): Html {
  const exponent = currencyExponent(currency) ?? 0
  const step = exponent === 0 ? '1' : `0.${'1'.padStart(exponent, '0')}`
  return field(
    { name: 'limit', label },
    (attributes) =>
      html`<span class="amount"><input ${attributes} type="number" inputmode="decimal" min="0" step="${step}" required value="${form.get('limit') ?? toDecimalString(minor, currency)}"><span>${currency}</span></span>`,
  )
}

function limitsOf(offer: AlwaysOffer, form: Form): AlwaysLimits | undefined {
  const { amount } = offer.shown
  const limit = amount ? fromDecimalString(form.get('limit')?.trim() ?? '', amount.currency) : null
  if (limit?.ok === false) return undefined
  const whole = (name: string) => (/^[1-9]\d{0,3}$/.test(form.get(name) ?? '') ? Number(form.get(name)) : 0)
  const same = form.all('same')
  return {
    mayDiffer: offer.same.sent.map(({ pointer }) => pointer).filter((pointer) => !same.includes(pointer)),
    timesADay: whole('times'),
    dayLimitMinor: limit?.ok ? limit.amountMinor : 0,
    days: DAYS.find((days) => String(days) === form.get('days')) ?? 0,
  }
}

async function answer(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { broker } = deps
  const { form, locale, person } = visit
  const t = ALWAYS[locale]
  const which = whichOf(visit)
  const offer = await offerAlways(broker, which)
  if (!offer || !person) return choose(deps, visit, form, null)
  const limits = limitsOf(offer, form)
  if (!limits) return choose(deps, visit, form, notice('bad', t.invalid), 422)
  if (form.get('do') !== 'allow') return review(deps, visit, limits)
  const isGrave = needsStepUp({ kind: 'give_grant', effects: offer.action.effects })
  if (isGrave && !isSteppedUp(person, deps.nowMs())) {
    const back = `/approvals/${which.approvalId}/always?${keptQuery(broker, visit)}`
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(back)}` }
  }
  const done = await allowAlways(broker, {
    ...which,
    limits,
    shownAtMs: Number(form.get('shown_at') ?? 0),
    shownDigest: form.get('shown') ?? '',
  })
  switch (done.kind) {
    case 'allowed':
      return { kind: 'redirect', location: `/me/grants/${done.grantId}?done=given` }
    case 'not_found':
      return { kind: 'not_found' }
    case 'shown_differs':
      return choose(deps, visit, form, notice('bad', t.shownDiffers), 409)
    case 'recovered_recently':
      return choose(deps, visit, form, notice('bad', t.recovered), 409)
    default:
      return choose(deps, visit, form, notice('bad', t.invalid), 422)
  }
}

/** The sentences of exactly this grant; the yes is bound to their digest. */
async function review(deps: PageDeps, visit: PageRequest, limits: AlwaysLimits): Promise<PageAnswer> {
  const { locale, form, csrf } = visit
  const t = ALWAYS[locale]
  const words = CONSENT[locale]
  const which = whichOf(visit)
  const { nowMs } = deps.broker.store.now()
  const made = await showAlways(deps.broker, { ...which, limits, fromMs: nowMs })
  if (made.kind !== 'shown') return choose(deps, visit, form, notice('bad', t.invalid), 422)
  const description = made.shown[locale]
  const all = [...description.claims, ...description.questions.flatMap(({ sentences }) => sentences)]
  const carried = ['times', 'limit', 'days', 'same'].flatMap((name) =>
    form.all(name).map((value) => html`<input type="hidden" name="${name}" value="${value}">`),
  )
  const body = html`<header class="card"><div class="head"><p class="dim small">${t.reviewTitle}</p><h1>${description.title}</h1></div></header>${legend(all, words)}
${description.questions.map(({ id, heading, sentences }) => html`<section class="card" aria-labelledby="q-${id}"><h2 id="q-${id}">${heading}</h2>${sentenceList(sentences, words)}</section>`)}
<section class="card">${sentenceList(description.claims, words)}</section>
<p class="dim small">${t.stepUpNote}</p>
<form method="post" action="/approvals/${which.approvalId}/always" class="decide">${csrfField(csrf)}${carried}<input type="hidden" name="shown" value="${made.shown.digest}"><input type="hidden" name="shown_at" value="${String(nowMs)}">
<div class="answers"><a class="button plain" href="/approvals/${which.approvalId}/always?${keptQuery(deps.broker, visit)}">${t.back}</a><button name="do" value="allow">${t.allow}</button></div></form>`
  return { kind: 'html', title: t.reviewTitle, body }
}
