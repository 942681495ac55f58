import { html } from 'hono/html'
import { listIncidents } from '../broker/close-incident.ts'
import { listFreezes } from '../broker/freeze.ts'
import { showEpoch } from '../broker/key-epoch.ts'
import { listAsking } from '../broker/list-asking.ts'
import { listInDoubt } from '../broker/list-in-doubt.ts'
import { listManifests, showManifest } from '../broker/list-manifests.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { FREEZE_KINDS } from '../core/decision/freeze-ids.ts'
import { DAY_MS } from '../core/grant/grant-state.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { urlOf } from '../core/manifest/endpoint.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { isSteppedUp } from '../people/person.ts'
import { check, csrfField, field, notice, select, shown } from './elements.ts'
import { EMPTY_FORM, type Form } from './form.ts'
import { keptForm, keptQuery } from './kept-form.ts'
import { operatorWrite } from './operator-writes.ts'
import { ownPath } from './own-path.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { OPERATOR } from './texts/operator.ts'
import type { OperatorTexts } from './texts/operator-en.ts'
import { when, wholeMinutes } from './when.ts'

const SHOWN_MOST = 100
const ZONE = 'UTC'
const ASKING_MS = 7 * DAY_MS

/** What operators look at first, and the writes they have; each is a leaf with its reason. */
export function operatorPages(deps: PageDeps): Page[] {
  const get = (path: string, run: (visit: PageRequest) => Promise<PageAnswer>): Page => ({
    method: 'get',
    path,
    who: 'operator',
    run,
  })
  return [
    get('/operator', (visit) => overview(deps, visit)),
    get('/operator/in-doubt', (visit) => inDoubt(deps, visit)),
    get('/operator/asking', (visit) => asking(deps, visit)),
    get('/operator/versions/{digest}', (visit) => version(deps, visit)),
    { method: 'post', path: '/operator/write', who: 'operator', run: (visit) => write(deps, visit) },
  ]
}

/** All writes come here and go back to where they were sent from; a passkey comes first, and loses nothing of the form. */
async function write(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, form } = visit
  if (!person) return { kind: 'not_found' }
  const here = ownPath(form.get('here'), '/operator')
  const back = (query: string): PageAnswer => ({ kind: 'redirect', location: `${here}?${query}` })
  if (!isSteppedUp(person, deps.nowMs())) {
    const next = `${here}?${keptQuery(deps.broker, visit)}`
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(next)}` }
  }
  const done = await operatorWrite(deps, person.id, form)
  if (done.kind !== 'done') return back(`said=${done.kind}&${keptQuery(deps.broker, visit)}`)
  return back(`said=done${done.unsettled === null ? '' : `&unsettled=${done.unsettled}`}`)
}

export function saidOf({ query, locale }: PageRequest, { entered }: Writing): Html | '' {
  const t = OPERATOR[locale]
  switch (query.said) {
    case 'done': {
      const count = /^\d{1,6}$/.test(query.unsettled ?? '') ? query.unsettled : undefined
      return notice('good', count === undefined ? t.done : html`${t.done} ${t.cancelled(count)}`)
    }
    case 'refusedReason':
    case 'refusedTarget':
    case 'refusedState':
    case 'refusedFaults':
      return notice('bad', t[query.said])
    default:
      return entered === EMPTY_FORM ? '' : notice('good', t.stepUpDone)
  }
}

type Writing = {
  readonly t: OperatorTexts
  readonly csrf: string
  readonly here: string
  readonly entered: Form
}

export function writing({ broker }: Pick<PageDeps, 'broker'>, visit: PageRequest, here: string): Writing {
  const { csrf, locale } = visit
  return { t: OPERATOR[locale], csrf, here, entered: keptForm(broker, visit) ?? EMPTY_FORM }
}

/** One form with its reason; what was entered before a step-up stands in it again. */
export function writeForm(
  { t, csrf, here, entered }: Writing,
  id: string,
  buttons: readonly (readonly [what: string, label: string, kind: string])[],
  more: Html | string = '',
): Html {
  const isThis = entered.get('id') === id
  const reason = html`<div class="field"><label>${t.reason}<br><input name="reason" minlength="5" maxlength="500" required autocomplete="off" value="${isThis ? (entered.get('reason') ?? '') : ''}"></label></div>`
  return html`<details${isThis ? html` open` : ''}><summary>${buttons.map(([, label]) => label).join(' · ')}</summary><form method="post" action="/operator/write" class="stack">${csrfField(csrf)}
<input type="hidden" name="here" value="${here}"><input type="hidden" name="id" value="${id}">${more}${reason}
<div class="actions">${buttons.map(([what, label, kind]) => html`<button class="${kind}" name="do" value="${what}">${label}</button>`)}</div></form></details>`
}

async function overview({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { locale } = visit
  const w = writing({ broker }, visit, '/operator')
  const { t, entered } = w
  const incidents = await listIncidents(broker, 'open', { limit: SHOWN_MOST, before: null })
  const freezes = await listFreezes(broker)
  const versions = await listManifests(broker, { status: 'submitted' })
  const epoch = await showEpoch(broker)
  const kinds = FREEZE_KINDS.map((kind) => [kind, t[`kind_${kind}`]] as const)
  const target = html`${field({ name: 'kind', label: t.freezeKind }, (attributes) => select(attributes, kinds, entered.get('kind') ?? 'agent'))}
${field({ name: 'target', label: t.freezeTarget, hint: t.freezeTargetHint }, (attributes) => html`<input ${attributes} maxlength="200" required autocomplete="off" value="${entered.get('target') ?? ''}">`)}
${check({ name: 'clean_up', value: 'yes', label: t.freezeCleanUp, isChecked: entered.get('clean_up') === 'yes' })}`
  const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>${saidOf(visit, w)}
<p class="actions"><a class="button plain" href="/operator/in-doubt">${t.inDoubt}</a><a class="button plain" href="/operator/asking">${t.askers}</a><a class="button plain" href="/operator/deletions">${t.deletionsTitle}</a><a class="button plain" href="/operator/people">${t.people}</a><a class="button plain" href="/sign-in/terminal">${t.terminal}</a></p>
<section class="card"><h2>${t.incidentsTitle}</h2>${
    incidents.length === 0
      ? html`<p class="dim">${t.incidentsNone}</p>`
      : html`<div>${incidents.map(
          (one) =>
            html`<div class="item"><div class="between"><h3><a href="/operator/incidents/${one.id}">${shown(one.skillId)} · <code>${one.kind}</code></a></h3>${one.stopsSpending ? html`<span class="tag tag-bad">${t.stopsSpending}</span>` : ''}</div>
<p>${shown(one.detail)}</p><p class="small dim">${when(one.openedAtMs, ZONE, locale)} UTC</p>${writeForm(w, one.id, [['close_incident', t.close, 'plain']])}</div>`,
        )}</div>`
  }</section>
<section class="card"><h2>${t.freezesTitle}</h2>${
    freezes.length === 0
      ? html`<p class="dim">${t.freezesNone}</p>`
      : html`<div>${freezes.map(
          (one) =>
            html`<div class="item"><h3><code>${one.kind}</code> ${shown(one.target)}</h3><p>${shown(one.reason)}</p><p class="small dim">${shown(one.operatorId)} · ${when(one.createdAtMs, ZONE, locale)} UTC</p>${writeForm(w, one.id, [['lift', t.lift, 'plain']])}</div>`,
        )}</div>`
  }<h3>${t.freezeTitle}</h3>${writeForm(w, 'new-freeze', [['freeze', t.freeze, 'danger']], target)}</section>
<section class="card"><h2>${t.versionsTitle}</h2>${
    versions.length === 0
      ? html`<p class="dim">${t.versionsNone}</p>`
      : html`<div>${versions.map(
          (one) =>
            html`<div class="item"><h3><a href="/operator/versions/${one.digest}">${t.version(one.skillId, String(one.version))}</a></h3><p class="small dim">${shown(one.publisherId)} · ${when(one.submittedAtMs, ZONE, locale)} UTC</p></div>`,
        )}</div>`
  }</section>
<section class="card" id="key-epoch"><h2>${t.epochTitle}</h2><p>${t.epochSince(String(epoch.epoch), when(epoch.begunAtMs, ZONE, locale), when(epoch.dueAtMs, ZONE, locale))}</p>
${epoch.standing === 'settled' ? '' : notice('warn', epoch.standing === 'waits' ? t.epochWaits : t.epochTurning(String(epoch.remaining)))}${writeForm(w, 'key-epoch', [['turn_epoch', t.epochTurn, 'plain']])}</section>`
  return { kind: 'html', title: t.title, body }
}

async function inDoubt({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { locale, person } = visit
  const w = writing({ broker }, visit, '/operator/in-doubt')
  const { t } = w
  const speaker = speakerOf(locale, ZONE)
  const rows = await listInDoubt(broker, person?.id ?? '')
  const amount = html`<div class="field"><label>${t.doubtAmount}<br><input name="amount" inputmode="numeric" maxlength="16" autocomplete="off"></label></div>`
  const body = html`<div class="head"><h1>${t.inDoubt}</h1><p class="dim">${t.inDoubtHint}</p></div>${saidOf(visit, w)}
<section class="card">${
    rows.length === 0
      ? html`<p class="dim">${t.doubtNone}</p>`
      : html`<div>${rows.map(
          (one) =>
            html`<div class="item"><div class="between"><h2>${shown(one.skillId)} · ${shown(one.action)}</h2><span class="tag tag-warn">${one.status}</span></div>
<p class="small">${one.currency === null ? '' : html`<strong>${speaker.money(one.heldMinor, one.currency)}</strong> · `}${t.doubtFor(speaker.span(wholeMinutes(one.forMs)))}</p><p class="small dim mono">${one.id}<br>${one.userId}<br>${one.agentId}</p>
${
  one.status === 'in_doubt'
    ? writeForm(
        w,
        one.id,
        [
          ['taken', t.doubtTaken, 'plain'],
          ['released', t.doubtReleased, 'plain'],
        ],
        one.currency === null ? '' : amount,
      )
    : ''
}</div>`,
        )}</div>`
  }</section><p><a href="/operator">${t.back}</a></p>`
  return { kind: 'html', title: t.inDoubt, body }
}

/** Whoever puts most unwanted questions before people comes first. The look is logged. */
async function asking({ broker }: PageDeps, { locale, person }: PageRequest): Promise<PageAnswer> {
  const t = OPERATOR[locale]
  const sinceMs = broker.store.now().nowMs - ASKING_MS
  const { items } = await listAsking(broker, { operatorId: person?.id ?? '', sinceMs })
  const body = html`<div class="head"><h1>${t.askers}</h1><p class="dim">${t.inDoubtHint}</p></div>
<section class="card">${
    items.length === 0
      ? html`<p class="dim">${t.askersNone}</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="${t.askers}"><table><thead><tr><th scope="col">${t.askerAgent}</th><th scope="col">${t.askerAsked}</th><th scope="col">${t.askerRefused}</th><th scope="col">${t.askerExpired}</th><th scope="col">${t.askerAdvice}</th></tr></thead><tbody>${items.map(
          (one) =>
            html`<tr><td><code>${one.agentId}</code><br>${shown(one.skill)}</td><td>${String(one.prompts)}</td><td>${String(one.refused)}</td><td>${String(one.expired)}</td><td>${t[`advice_${one.advice}`]}</td></tr>`,
        )}</tbody></table></div>`
  }</section><p><a href="/operator">${t.back}</a></p>`
  return { kind: 'html', title: t.askers, body }
}

async function version({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { locale, params } = visit
  const digest = params.digest ?? ''
  const found = await showManifest(broker, digest)
  if (found.kind !== 'manifest') return { kind: 'not_found' }
  const w = writing({ broker }, visit, `/operator/versions/${digest}`)
  const { t } = w
  const { manifest, faults, changes, summary } = found
  const asked = Object.entries(changes ?? {}).flatMap(([action, list]) =>
    list.map((change) => ({ action, change })),
  )
  const body = html`<section class="card"><div class="between"><h1>${t.version(manifest.skill, String(manifest.version))}</h1><span class="tag">${summary.status}</span></div>${saidOf(visit, w)}
<p>${shown(manifest.title[locale])} · ${shown(manifest.publisher)} · <code>${urlOf(manifest.endpoint) ?? manifest.endpoint.transport}</code></p><p class="small dim mono">${digest}</p>
<h2>${t.versionFaults}</h2>${faults.length === 0 ? html`<p class="dim">${t.versionNoFaults}</p>` : html`<ul class="plain">${faults.map((fault) => html`<li><span class="tag ${fault.severity === 'error' ? 'tag-bad' : 'tag-warn'}">${fault.code}</span> ${shown(fault.message)} <code>${fault.pointer}</code></li>`)}</ul>`}
<h2>${t.versionChanges}</h2>${changes === null ? html`<p class="dim">${t.versionFirst}</p>` : asked.length === 0 ? html`<p class="dim">${t.versionNoChanges}</p>` : html`<ul class="plain">${asked.map(({ action, change }) => html`<li><code>${action}</code> · <code>${change.code}</code> <span class="small dim">${change.pointer}</span></li>`)}</ul>`}
<h2>${t.versionActions}</h2><ul class="plain">${manifest.actions.map((action) => html`<li><strong>${shown(action.title[locale])}</strong> <code>${action.name}</code> <span class="dim">${action.effects.join(', ')}</span></li>`)}</ul>
${writeForm(w, digest, [
  ...(summary.status === 'submitted' ? ([['approve', t.approve, '']] as const) : []),
  ...(summary.status === 'submitted' || summary.status === 'approved'
    ? ([['suspend', t.suspend, 'plain']] as const)
    : []),
  ['revoke', t.revoke, 'danger'],
])}</section>
<details class="card"><summary>${t.versionManifest}</summary><p class="mono">${shown(canonicalJson(plainJson(manifest)))}</p></details><p><a href="/operator">${t.back}</a></p>`
  return { kind: 'html', title: t.versionsTitle, body }
}
