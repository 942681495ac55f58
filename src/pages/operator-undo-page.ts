import { html } from 'hono/html'
import { findIncident } from '../broker/close-incident.ts'
import { listUndoJobs, type UndoJobView } from '../broker/undo-job.ts'
import { field, select, shown } from './elements.ts'
import { saidOf, writeForm, writing } from './operator-page.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import type { OperatorTexts } from './texts/operator-en.ts'
import { UNDO_HOURS } from './undo-hours.ts'
import { when } from './when.ts'

const ZONE = 'UTC'
const OUTCOMES = [
  'waiting',
  'undone',
  'already_undone',
  'refused',
  'unclear',
  'not_undoable',
  'undo_under_way',
  'frozen',
  'not_found',
  'cancelled',
] as const

/** One incident, with what can be undone because of it and how far that has got. */
export function operatorUndoPages(deps: PageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/operator/incidents/{id}',
      who: 'operator',
      run: (visit) => incident(deps, visit),
    },
  ]
}

async function incident({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { locale, params } = visit
  const found = await findIncident(broker, params.id ?? '')
  if (!found) return { kind: 'not_found' }
  const w = writing({ broker }, visit, `/operator/incidents/${found.id}`)
  const { t, entered } = w
  const jobs = await listUndoJobs(broker, found.id)
  const hours = UNDO_HOURS.map((count) => [count, t.undoHours(count)] as const)
  const which = html`${field({ name: 'hours', label: t.undoSpan }, (attributes) => select(attributes, hours, entered.get('hours') ?? '24'))}
${field({ name: 'action', label: t.undoAction, hint: t.undoActionHint }, (attributes) => html`<input ${attributes} maxlength="48" autocomplete="off" value="${entered.get('action') ?? ''}">`)}`
  const body = html`<section class="card"><div class="between"><h1>${shown(found.skillId)} · <code>${found.kind}</code></h1><span class="tag">${found.status}</span></div>${saidOf(visit, w)}
<p>${shown(found.detail)}</p><p class="small dim">${when(found.openedAtMs, ZONE, locale)} UTC</p>
${found.userId === null ? '' : html`<p class="small dim mono">${found.userId}</p>`}</section>
<section class="card"><h2>${t.undoTitle}</h2><p>${found.userId === null ? t.undoForAll : t.undoForOne}</p><p class="dim small">${t.undoMoney}</p>${writeForm(w, found.id, [['undo', t.undoBegin, 'danger']], which)}</section>
<section class="card"><h2>${t.undoJobs}</h2>${jobs.length === 0 ? html`<p class="dim">${t.undoJobsNone}</p>` : html`<div>${jobs.map((job) => jobItem(job, t, visit, w))}</div>`}</section>
<p><a href="/operator">${t.back}</a></p>`
  return { kind: 'html', title: t.undoTitle, body }
}

function jobItem(
  job: UndoJobView,
  t: OperatorTexts,
  { locale }: PageRequest,
  w: ReturnType<typeof writing>,
): Html {
  const done = job.total - (job.counts.waiting ?? 0)
  const counts = OUTCOMES.filter((outcome) => (job.counts[outcome] ?? 0) > 0)
  return html`<div class="item"><div class="between"><h3>${t.undoProgress(String(done), String(job.total))}</h3><span class="tag ${job.status === 'running' ? 'tag-warn' : ''}">${t[`undo_job_${job.status}`]}</span></div>
<progress max="${job.total}" value="${done}" aria-label="${t.undoProgress(String(done), String(job.total))}"></progress>
<p>${shown(job.reason)}</p><p class="small dim">${shown(job.operatorId)} · ${when(job.createdAtMs, ZONE, locale)} UTC</p>
<ul class="plain">${counts.map((outcome) => html`<li>${t[`undo_item_${outcome}`]}: ${String(job.counts[outcome])}</li>`)}</ul>
${job.status === 'running' ? writeForm(w, job.jobId, [['undo_cancel', t.undoCancel, 'plain']]) : ''}</div>`
}
