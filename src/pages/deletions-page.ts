import { html } from 'hono/html'
import { noticeReceiptFor } from '../broker/notice-receipt.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { listNotices, type NoticeView, showNotice } from '../broker/show-notices.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { pageAnswer, pageOf } from '../http/cursor.ts'
import { notice, shown } from './elements.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { AUTHORITY } from './texts/authority.ts'
import { DELETIONS } from './texts/deletions.ts'
import type { DeletionTexts } from './texts/deletions-en.ts'
import { when } from './when.ts'

const PATH = '/me/deletions'

/** What skills were told to delete of a person, what they said to it, and the receipt of each notice. */
export function deletionPages(deps: PageDeps): Page[] {
  return [
    { method: 'get', path: PATH, who: 'user', run: (visit) => list(deps, visit) },
    { method: 'get', path: `${PATH}/{id}/receipt`, who: 'user', run: (visit) => receipt(deps, visit) },
  ]
}

async function list({ broker }: PageDeps, { person, locale, query }: PageRequest): Promise<PageAnswer> {
  const t = DELETIONS[locale]
  const userId = person?.id ?? ''
  const page = pageOf({ cursor: query.cursor })
  const rows = await listNotices(broker, { userId, page: { ...page, limit: page.limit + 1 } })
  const placeOf = (row: NoticeView) => ({ atMs: row.queuedAtMs, id: row.noticeId })
  const { items, nextCursor } = pageAnswer(rows, page.limit, placeOf, (row) => row)
  const { timeZone } = await showTimeZone(broker, { userId })
  const cards: Html[] = []
  for (const row of items) {
    const full = await showNotice(broker, { userId, noticeId: row.noticeId })
    cards.push(item(row, full?.why ?? null, t, locale, timeZone))
  }
  const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>
${
  items.length === 0
    ? html`<section class="card empty"><h2>${t.emptyTitle}</h2><p class="dim">${t.emptyText}</p></section>`
    : html`<section class="card"><p class="dim small">${t.claim}</p><div>${cards}</div></section>`
}
<p class="actions">${query.cursor === undefined ? '' : html`<a class="button plain" href="${PATH}">${t.newest}</a>`}${nextCursor === null ? '' : html`<a class="button plain" href="${PATH}?cursor=${nextCursor}">${t.older}</a>`}</p>
<p><a href="/me">${AUTHORITY[locale].back}</a></p>`
  return { kind: 'html', title: t.title, body }
}

const TAGS: { readonly [state in NoticeView['state']]: string } = {
  open: 'tag',
  refused: 'tag tag-bad',
  deleted: 'tag tag-good',
  kept: 'tag tag-warn',
  settled: 'tag',
  given_up: 'tag tag-bad',
  no_address: 'tag tag-warn',
}

function item(view: NoticeView, why: string | null, t: DeletionTexts, locale: Locale, zone: string): Html {
  const at = (ms: number) => when(ms, zone, locale)
  const { state, classes, executions } = view
  const what = classes === 'all' ? t.all : t.classes(classes.join(', '))
  const times = [
    t.asked(at(view.queuedAtMs)),
    ...(view.sentAtMs === null ? [] : [t.sent(at(view.sentAtMs), String(view.attempts))]),
    ...(state === 'open' || state === 'refused' ? [t.due(at(view.dueAtMs))] : []),
    ...(view.answeredAtMs === null ? [] : [t.answered(at(view.answeredAtMs))]),
  ]
  return html`<div class="item" id="${view.noticeId}"><div class="between"><h2>${shown(view.skill)}</h2><span>${view.isOverdue ? html`<span class="tag tag-bad">${t.overdue}</span> ` : ''}<span class="${TAGS[state]}">${t[`state_${state}`]}</span></span></div>
<p>${shown(what)}${executions === null ? '' : html` ${t.executions(String(executions))}`}. ${t[`reason_${view.reason}`]}</p>
${why === null && view.answerCode === null ? '' : html`<p>${t.saidWhy} ${shown(why ?? view.answerCode ?? '')}</p>`}
${state === 'no_address' ? html`<p class="dim">${t.noAddress}</p>` : ''}${view.isSuspending ? notice('warn', t.suspended) : ''}
<p class="small dim">${times.join(' · ')}</p>
<p><a href="${PATH}/${view.noticeId}/receipt">${t.receipt}<span class="sr"> ${shown(view.skill)}</span></a> <span class="dim small">${t.receiptText}</span></p></div>`
}

async function receipt(deps: PageDeps, { person, params, locale }: PageRequest): Promise<PageAnswer> {
  const t = DELETIONS[locale]
  const which = { userId: person?.id ?? '', noticeId: params.id ?? '' }
  const made = await noticeReceiptFor(deps.broker, deps.publisher, which)
  if (made.kind === 'not_found') return { kind: 'not_found' }
  if (made.kind === 'receipt') return { kind: 'json', body: plainJson(made.receipt) }
  const body = html`<section class="card narrow"><h1>${t.receipt}</h1><p>${t.receiptNotYet}</p><p><a class="button plain" href="${PATH}">${AUTHORITY[locale].back}</a></p></section>`
  return { kind: 'html', title: t.receipt, body }
}
