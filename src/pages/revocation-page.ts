import { html } from 'hono/html'
import { type NamesForUser, namesForUser } from '../broker/names-for-user.ts'
import { revocationReceiptFor } from '../broker/revocation-receipt.ts'
import { listRevocations, type RevocationView, showRevocation } from '../broker/show-revocation.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { pageAnswer, pageOf } from '../http/cursor.ts'
import type { RevocationRow } from '../ports/revocation-rows.ts'
import { shown } from './elements.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { REVOCATION } from './texts/revocation.ts'
import type { RevocationTexts } from './texts/revocation-en.ts'
import { when } from './when.ts'

const SCOPES = ['grant', 'agent', 'skill', 'everything', 'freeze'] as const
type ScopeKind = (typeof SCOPES)[number]

/** Where a revocation is looked after: whom it reached, and what became of what was under way. */
export function revocationPages(deps: PageDeps): Page[] {
  const path = '/me/revocations/{id}'
  return [
    { method: 'get', path: '/me/revocations', who: 'user', run: (visit) => list(deps, visit) },
    { method: 'get', path, who: 'user', run: (visit) => show(deps, visit) },
    { method: 'get', path: `${path}/receipt`, who: 'user', run: (visit) => receipt(deps, visit) },
  ]
}

async function list({ broker }: PageDeps, { person, locale, query }: PageRequest): Promise<PageAnswer> {
  const t = REVOCATION[locale]
  const userId = person?.id ?? ''
  const page = pageOf({ cursor: query.cursor })
  const rows = await listRevocations(broker, { userId, page: { ...page, limit: page.limit + 1 } })
  const { zone } = await namesForUser(broker, { userId, skillIds: [] })
  const place = (row: RevocationRow) => ({ atMs: row.atMs, id: row.id })
  const { items, nextCursor } = pageAnswer(
    rows,
    page.limit,
    place,
    (row) =>
      html`<div class="item"><h2><a href="/me/revocations/${row.id}">${t[`scope_${kindOf(row.scopeKind)}`]}</a></h2><p class="small dim">${when(row.atMs, zone, locale)}</p></div>`,
  )
  const body = html`<div class="head"><h1>${t.listTitle}</h1><p class="dim">${t.listIntro}</p></div>
<section class="card">${items.length === 0 ? html`<p class="dim">${t.listNone}</p>` : html`<div>${items}</div>`}</section>
<p class="actions"><a class="button plain" href="/me/activity">${t.back}</a>${nextCursor === null ? '' : html`<a class="button plain" href="/me/revocations?${new URLSearchParams({ cursor: nextCursor }).toString()}">${t.older}</a>`}</p>`
  return { kind: 'html', title: t.listTitle, body }
}

async function show({ broker }: PageDeps, { person, params, locale }: PageRequest): Promise<PageAnswer> {
  const t = REVOCATION[locale]
  const userId = person?.id ?? ''
  const found = await showRevocation(broker, { userId, revocationId: params.id ?? '' })
  if (found.kind === 'not_found') return { kind: 'not_found' }
  const { revocation } = found
  const skillIds = [...revocation.told.filter(({ kind }) => kind === 'skill').map(({ id }) => id)]
  for (const { skill } of revocation.actions) skillIds.push(skill)
  const names = await namesForUser(broker, { userId, skillIds })
  const speaker = speakerOf(locale, names.zone)
  const body = html`<section class="card narrow"><h1>${t.title}</h1><p class="dim">${t[`scope_${kindOf(revocation.scope.kind)}`]}</p>
<p>${t.at(when(revocation.atMs, names.zone, locale))}</p>
<h2>${t.toldTitle}</h2>${told(revocation, names, locale)}
<h2>${t.flightTitle}</h2>${flights(revocation, names, speaker, t)}
<p class="dim small">${t.already}</p>
<div class="tight"><p><a href="/me/revocations/${revocation.revocationId}/receipt">${t.receipt}</a></p><p class="dim small">${t.receiptText}</p></div>
<p class="actions"><a class="button plain" href="/me/revocations">${t.all}</a><a class="button plain" href="/me">${t.back}</a></p></section>`
  return { kind: 'html', title: t.title, body }
}

/** Everybody it had to reach, and what each of them said; only a receiver's own word is a confirmation. */
function told(revocation: RevocationView, names: NamesForUser, locale: Locale): Html {
  const t = REVOCATION[locale]
  const line = (who: string, state: string, kind: string, more: Html | string = '') =>
    html`<li class="tight"><div class="between"><span>${shown(who)}</span><span class="tag ${kind}">${state}</span></div>${more}</li>`
  const listed = revocation.grants.flatMap(({ status }) => (status ? [status.says] : []))
  const agents = revocation.sessionsOf.map((id) => names.agents.get(id) ?? id).join(', ')
  return html`<ul class="plain">${line(t.toldDecision, t.toldDecisionState, 'tag-good')}
${[...new Set(listed)].map((says) => line(t.toldList, t[`list_${says}`], says === 'invalid' ? 'tag-good' : 'tag-warn'))}
${agents === '' ? '' : line(t.toldSessions(agents), t.toldSessionsState, 'tag-good')}
${revocation.told.map((one) => {
  const name = one.kind === 'skill' ? names.skill(one.id)[locale] : (names.agents.get(one.id) ?? one.id)
  const state = t[`state_${one.state}`]
  const at = one.atMs === null ? state : t.stateAt(state, when(one.atMs, names.zone, locale))
  const tries =
    one.state === 'waiting' && one.attempts > 0
      ? html`<p class="small dim">${t.tries(String(one.attempts))}</p>`
      : ''
  return line(
    one.kind === 'skill' ? t.skill(name) : t.agent(name),
    at,
    one.state === 'confirmed' ? 'tag-good' : 'tag-warn',
    tries,
  )
})}</ul>`
}

function flights(
  { actions }: RevocationView,
  names: NamesForUser,
  speaker: Speaker,
  t: RevocationTexts,
): Html {
  if (actions.length === 0) return html`<p>${t.flightNone}</p>`
  return html`<ul class="plain">${actions.map((one) => {
    const minor = one.heldMinor > 0 ? one.heldMinor : one.takenMinor
    const cost = one.currency === null || minor === 0 ? '' : html` · ${speaker.money(minor, one.currency)}`
    return html`<li class="tight"><p><a href="/me/activity/${one.actionId}">${speaker.title(names.action(one.skill, one.action))}</a>${cost}</p><p>${t[`became_${one.became}`]}</p>${one.isOpen ? html`<p class="small dim">${t.open}</p>` : ''}</li>`
  })}</ul>`
}

async function receipt(deps: PageDeps, { person, params, locale }: PageRequest): Promise<PageAnswer> {
  const t = REVOCATION[locale]
  const revocationId = params.id ?? ''
  const made = await revocationReceiptFor(deps.broker, deps.publisher, {
    userId: person?.id ?? '',
    revocationId,
  })
  if (made.kind === 'not_found') return { kind: 'not_found' }
  if (made.kind === 'receipt') return { kind: 'json', body: plainJson(made.receipt) }
  const body = html`<section class="card narrow"><h1>${t.receipt}</h1><p>${t.receiptNotYet}</p><p><a class="button plain" href="/me/revocations/${revocationId}">${t.back}</a></p></section>`
  return { kind: 'html', title: t.receipt, body }
}

function kindOf(kind: string): ScopeKind {
  return SCOPES.find((known) => known === kind) ?? 'everything'
}
