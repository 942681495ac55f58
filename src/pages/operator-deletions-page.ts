import { html } from 'hono/html'
import { listWantingNotices, type OperatorNotice } from '../broker/show-notices.ts'
import { pageAnswer, pageOf } from '../http/cursor.ts'
import { shown } from './elements.ts'
import { saidOf, writeForm, writing } from './operator-page.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { DELETIONS } from './texts/deletions.ts'
import { when } from './when.ts'

const PATH = '/operator/deletions'
const ZONE = 'UTC'

/** Deletion notices that skills have not acknowledged in time, or refused; they name no person. */
export function operatorDeletionPages(deps: PageDeps): Page[] {
  return [{ method: 'get', path: PATH, who: 'operator', run: (visit) => list(deps, visit) }]
}

async function list({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { locale, query } = visit
  const w = writing({ broker }, visit, PATH)
  const { t } = w
  const d = DELETIONS[locale]
  const page = pageOf({ cursor: query.cursor })
  const rows = await listWantingNotices(broker, { ...page, limit: page.limit + 1 })
  const placeOf = (row: OperatorNotice) => ({ atMs: row.queuedAtMs, id: row.noticeId })
  const { items, nextCursor } = pageAnswer(rows, page.limit, placeOf, (row) => row)
  const cards = items.map((one) => {
    const fault = one.fault ?? one.answerCode
    const said = fault === null ? html`` : html` · <code>${fault}</code>`
    return html`<div class="item"><div class="between"><h2>${shown(one.skill)}</h2><span>${one.isOverdue ? html`<span class="tag tag-bad">${d.overdue}</span> ` : ''}<span class="tag">${d[`state_${one.state}`]}</span></span></div>
<p class="mono small">${one.noticeId}</p><p>${d[`reason_${one.reason}`]}${said}</p>
<p class="small dim">${d.asked(when(one.queuedAtMs, ZONE, locale))} UTC · ${d.due(when(one.dueAtMs, ZONE, locale))} UTC</p>${writeForm(w, one.noticeId, [['settle_notice', t.settleNotice, 'plain']])}</div>`
  })
  const body = html`<div class="head"><h1>${t.deletionsTitle}</h1><p class="dim">${t.deletionsIntro}</p></div>${saidOf(visit, w)}
<section class="card">${items.length === 0 ? html`<p class="dim">${t.deletionsNone}</p>` : html`<div>${cards}</div>`}</section>
<p class="actions">${nextCursor === null ? '' : html`<a class="button plain" href="${PATH}?cursor=${nextCursor}">${d.older}</a>`}</p>
<p><a href="/operator">${t.back}</a></p>`
  return { kind: 'html', title: t.deletionsTitle, body }
}
