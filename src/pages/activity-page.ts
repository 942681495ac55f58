import { html } from 'hono/html'
import { listActions } from '../broker/list-actions.ts'
import { type NamesForUser, namesForUser } from '../broker/names-for-user.ts'
import { receiptFor } from '../broker/receipt.ts'
import { reportNotMe } from '../broker/report-not-me.ts'
import { type ActView, showAct } from '../broker/show-act.ts'
import { showUndo, undoableNow } from '../broker/show-undo.ts'
import { type Undoing, undoAction } from '../broker/undo-action.ts'
import type { ShownValue } from '../core/grant/shown-values.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { findAction } from '../core/manifest/manifest.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { pageAnswer, pageOf } from '../http/cursor.ts'
import { ACTION_STATUSES, type ActionRow } from '../ports/rows.ts'
import { csrfField, field, notice, select, shown } from './elements.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { ACTIVITY } from './texts/activity.ts'
import type { ActivityTexts } from './texts/activity-en.ts'
import { REVOCATION } from './texts/revocation.ts'
import { when } from './when.ts'

type Status = (typeof ACTION_STATUSES)[number]

const TAGS: Readonly<Record<Status, string>> = {
  waiting: 'tag-warn',
  refused: '',
  dispatched: 'tag-warn',
  in_doubt: 'tag-warn',
  succeeded: 'tag-good',
  refused_by_skill: '',
  failed: '',
  overtaken: '',
  outcome_unknown: '',
}

/** What agents did: the list, one entry in full with its receipt, and what can still be done about it. */
export function activityPages(deps: PageDeps): Page[] {
  const path = '/me/activity/{id}'
  return [
    { method: 'get', path: '/me/activity', who: 'user', run: (visit) => list(deps, visit) },
    {
      method: 'get',
      path,
      who: 'user',
      async run(visit) {
        const act = await load(deps, visit)
        return act ? show(deps, visit, act, null) : { kind: 'not_found' }
      },
    },
    { method: 'get', path: `${path}/undo`, who: 'user', run: (visit) => askUndo(deps, visit) },
    { method: 'post', path: `${path}/undo`, who: 'user', run: (visit) => undo(deps, visit) },
    { method: 'post', path: `${path}/not-me`, who: 'user', run: (visit) => notMe(deps, visit) },
    { method: 'get', path: `${path}/receipt`, who: 'user', run: (visit) => receipt(deps, visit) },
  ]
}

async function list({ broker }: PageDeps, { person, locale, query }: PageRequest): Promise<PageAnswer> {
  const t = ACTIVITY[locale]
  const userId = person?.id ?? ''
  const page = pageOf({ cursor: query.cursor })
  const status = ACTION_STATUSES.find((known) => known === query.status) ?? null
  const agentId = query.agent === undefined || query.agent === '' ? null : query.agent
  const rows = await listActions(broker, {
    owner: { kind: 'user', userId },
    filter: { agentId, skillId: null, status },
    page: { ...page, limit: page.limit + 1 },
  })
  const names = await namesForUser(broker, { userId, skillIds: rows.map(({ skillId }) => skillId) })
  const speaker = speakerOf(locale, names.zone)
  const undoable = await undoableNow(broker, rows)
  const { items, nextCursor } = pageAnswer(
    rows,
    page.limit,
    ({ createdAtMs, id }) => ({ atMs: createdAtMs, id }),
    (row) => item(row, names, speaker, locale, undoable.has(row.id)),
  )
  const agents = [
    ['', t.filterAll] as const,
    ...[...names.agents].map(([id, name]) => [id, speaker.quote(name)] as const),
  ]
  const statuses = [
    ['', t.filterAll] as const,
    ...ACTION_STATUSES.map((one) => [one, t[`status_${one}`]] as const),
  ]
  const filters = { ...(agentId === null ? {} : { agent: agentId }), ...(status === null ? {} : { status }) }
  const older =
    nextCursor === null ? null : `/me/activity?${new URLSearchParams({ ...filters, cursor: nextCursor })}`
  const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>
<form method="get" action="/me/activity" class="card"><div class="filters">${field({ name: 'agent', label: t.filterAgent }, (attributes) => select(attributes, agents, agentId ?? ''))}
${field({ name: 'status', label: t.filterStatus }, (attributes) => select(attributes, statuses, status ?? ''))}<div><button class="plain">${t.filterApply}</button></div></div></form>
${items.length === 0 ? html`<section class="card empty"><h2>${t.emptyTitle}</h2><p class="dim">${t.emptyText}</p></section>` : html`<section class="card"><div>${items}</div></section>`}
<p class="actions"><a class="button plain" href="/me/revocations">${REVOCATION[locale].all}</a>${query.cursor === undefined ? '' : html`<a class="button plain" href="/me/activity?${new URLSearchParams(filters).toString()}">${t.newest}</a>`}${older === null ? '' : html`<a class="button plain" href="${older}">${t.older}</a>`}</p>`
  return { kind: 'html', title: t.title, body }
}

function item(row: ActionRow, names: NamesForUser, speaker: Speaker, locale: Locale, canUndo: boolean): Html {
  const t = ACTIVITY[locale]
  const title = names.action(row.skillId, row.action)[locale]
  const cost = costOf(row, speaker, t)
  return html`<div class="item"><div class="between"><h2><a href="/me/activity/${row.id}">${shown(title)}</a></h2>${statusTag(row, t)}</div>
<p class="small">${shown(names.agents.get(row.agentId) ?? row.agentId)} → ${shown(names.skill(row.skillId)[locale])}${cost === null ? '' : html` · <strong>${cost}</strong>`}</p>
<p class="small dim">${when(row.createdAtMs, names.zone, locale)}</p>${canUndo ? html`<p><a class="button plain" href="/me/activity/${row.id}/undo">${REVOCATION[locale].undo}</a></p>` : ''}</div>`
}

function statusOf(row: ActionRow): Status {
  return ACTION_STATUSES.find((known) => known === row.status) ?? 'in_doubt'
}

function statusTag(row: ActionRow, t: ActivityTexts): Html {
  const status = statusOf(row)
  return html`<span class="tag ${TAGS[status]}">${t[`status_${status}`]}</span>`
}

/** What was taken, or is still set aside; null where no money was moved or held. */
function costOf(row: ActionRow, speaker: Speaker, t: ActivityTexts): string | null {
  if (row.currency === null) return null
  const taken = row.capturedMinor + row.overrunMinor
  if (row.heldMinor > 0) return t.setAside(speaker.money(row.heldMinor, row.currency))
  return taken > 0 ? speaker.money(taken, row.currency) : null
}

function load({ broker }: PageDeps, { person, params, locale }: PageRequest): Promise<ActView | undefined> {
  return showAct(broker, { userId: person?.id ?? '', actionId: params.id ?? '', locale })
}

function show(
  { broker }: PageDeps,
  { locale, csrf }: PageRequest,
  act: ActView,
  said: Html | null,
  status = 200,
): PageAnswer {
  const t = ACTIVITY[locale]
  const { row, zone, manifest } = act
  const speaker = speakerOf(locale, zone)
  const title = (manifest && findAction(manifest, row.action)?.title[locale]) ?? row.action
  const cost = costOf(row, speaker, t)
  const { nowMs } = broker.store.now()
  const canUndo = act.undoUntilMs !== null && nowMs <= act.undoUntilMs
  const here = `/me/activity/${row.id}`
  const body = html`<section class="card"><div class="between"><h1>${shown(title)}</h1>${statusTag(row, t)}</div>${said ?? ''}
<p>${t[`meaning_${statusOf(row)}`]}</p>
<dl class="facts"><dt>${t.by}</dt><dd>${shown(act.agentName)}</dd><dt>${t.skill}</dt><dd>${shown(manifest?.title[locale] ?? row.skillId)}</dd>
<dt>${t.when}</dt><dd>${when(row.createdAtMs, zone, locale)}</dd>${cost === null ? '' : html`<dt>${t.cost}</dt><dd><strong>${cost}</strong>${row.overrunMinor > 0 && row.currency !== null ? html` (${t.beyond(speaker.money(row.overrunMinor, row.currency))})` : ''}</dd>`}
${statusOf(row) === 'succeeded' || row.reason === '' ? '' : html`<dt>${t.reason}</dt><dd><code>${row.reason}</code></dd>`}</dl>
<div class="tight"><p><a href="${here}/receipt">${t.receipt}</a></p><p class="dim small">${t.receiptText}</p></div></section>
${canUndo && act.undoUntilMs !== null ? html`<section class="card"><h2>${t.undoTitle}</h2><p>${t.undoText(when(act.undoUntilMs, zone, locale))}</p><p><a class="button plain" href="${here}/undo">${t.undoButton}</a></p></section>` : act.undo === null ? '' : html`<section class="card"><h2>${t.undoTitle}</h2><p>${REVOCATION[locale][`undo_${act.undo}`]}</p></section>`}
<section class="card"><h2>${t.sentTitle}</h2>${act.sent === null ? html`<p class="dim">${t.sentGone}</p>` : act.sent.length === 0 ? html`<p class="dim">${t.sentNothing}</p>` : values(act.sent)}</section>
${act.answered === null ? (act.withheld === 'erased' ? html`<section class="card"><h2>${t.answeredTitle}</h2><p class="dim">${t.answerGone}</p></section>` : '') : html`<section class="card"><h2>${t.answeredTitle}</h2>${values(act.answered)}</section>`}
<section class="card"><h2>${t.notMeTitle}</h2><p>${t.notMeText}</p><form method="post" action="${here}/not-me">${csrfField(csrf)}<button class="danger">${t.notMeButton}</button></form></section>
<p><a href="/me/activity">${t.back}</a></p>`
  return { kind: 'html', status, title, body }
}

function values(shownValues: readonly ShownValue[]): Html {
  return html`<dl class="facts sent">${shownValues.map(({ label, value }) => html`<dt><bdi>${label}</bdi></dt><dd><bdi>${value}</bdi></dd>`)}</dl>`
}

/** Exactly what would be asked; nothing is asked by looking at it. */
async function askUndo(
  { broker }: PageDeps,
  { person, params, locale, csrf }: PageRequest,
): Promise<PageAnswer> {
  const t = REVOCATION[locale]
  const asked = await showUndo(broker, { userId: person?.id ?? '', actionId: params.id ?? '', locale })
  if (!asked) return { kind: 'redirect', location: `/me/activity/${encodeURIComponent(params.id ?? '')}` }
  const { row, zone, untilMs, sent } = asked
  const speaker = speakerOf(locale, zone)
  const title = t.undoTitle(speaker.title(asked.actionTitle))
  const cost = costOf(row, speaker, ACTIVITY[locale])
  const here = `/me/activity/${row.id}`
  const body = html`<section class="card narrow"><h1>${title}</h1>${cost === null ? '' : html`<p><strong>${cost}</strong></p>`}
<p>${t.undoAsks(speaker.title(asked.asks), speaker.title(asked.skillTitle))}</p>
<h2>${t.undoSent}</h2>${sent.length === 0 ? html`<p>${t.undoSentNothing}</p>` : values(sent)}
<p>${t.undoUntil(when(untilMs, zone, locale))}</p><p class="dim small">${t.undoMoney}</p>
<form method="post" action="${here}/undo" class="answers">${csrfField(csrf)}<a class="button plain" href="${here}">${t.undoKeep}</a><button class="danger">${t.undoConfirm}</button></form></section>`
  return { kind: 'html', title, body }
}

async function undo(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, params, locale } = visit
  const done = await undoAction(deps.broker, { userId: person?.id ?? '', actionId: params.id ?? '' })
  const act = await load(deps, visit)
  if (done.kind === 'not_found' || !act) return { kind: 'not_found' }
  const [kind, text] = undoneText(done, ACTIVITY[locale], locale)
  return show(deps, visit, act, notice(kind, text), kind === 'good' ? 200 : 409)
}

function undoneText(done: Exclude<Undoing, { kind: 'not_found' }>, t: ActivityTexts, locale: Locale) {
  switch (done.kind) {
    case 'already_undone':
      return ['good', REVOCATION[locale].undoneBefore] as const
    case 'undo_under_way':
      return ['warn', REVOCATION[locale].undoUnderWay] as const
    case 'not_undoable':
      return ['bad', t.undoNotPossible] as const
    case 'frozen':
      return ['bad', t.undoFrozen] as const
    case 'asked':
      if (done.outcome === 'undone') return ['good', t.undone] as const
      return done.outcome === 'refused'
        ? (['bad', t.undoRefused] as const)
        : (['warn', t.undoUnclear] as const)
  }
}

/** Pausing an agent takes no passkey: whoever is robbed must not have to look for one. */
async function notMe(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, params, locale } = visit
  const t = ACTIVITY[locale]
  const which = { userId: person?.id ?? '', actionId: params.id ?? '' }
  const done = await reportNotMe(deps.broker, which, deps.cancel)
  const act = await load(deps, visit)
  if (done.kind === 'not_found' || !act) return { kind: 'not_found' }
  return show(deps, visit, act, notice('good', done.isNew ? t.notMeDone : t.notMeBefore))
}

async function receipt(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, params, locale } = visit
  const t = ACTIVITY[locale]
  const asker = { kind: 'user', userId: person?.id ?? '' } as const
  const made = await receiptFor(deps.broker, deps.publisher, params.id ?? '', asker)
  if (made.kind === 'not_found') return { kind: 'not_found' }
  if (made.kind === 'receipt') return { kind: 'json', body: plainJson(made.receipt) }
  const body = html`<section class="card narrow"><h1>${t.receipt}</h1><p>${made.kind === 'not_yet' ? t.receiptNotYet : t.receiptCounted}</p>
<p><a class="button plain" href="/me/activity/${params.id ?? ''}">${t.back}</a></p></section>`
  return { kind: 'html', title: t.receipt, body }
}
