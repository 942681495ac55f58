import { html } from 'hono/html'
import { confirmGrant, narrowGrant, pauseGrant, renewGrant, resumeGrant } from '../broker/change-grant.ts'
import { type ConsentFacts, factsOfGrant } from '../broker/consent-facts.ts'
import { type GrantView, showGrant } from '../broker/show-grant.ts'
import { owesDeletion } from '../broker/show-notices.ts'
import { DAY_MS } from '../core/grant/grant-state.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { findAction } from '../core/manifest/manifest.ts'
import { isSteppedUp } from '../people/person.ts'
import { csrfField, field, notice, select } from './elements.ts'
import { stateTag } from './grant-state-tag.ts'
import { narrowControls } from './narrow-controls.ts'
import { readNarrowing } from './narrow-form.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { legend, sentenceList } from './sentences.ts'
import { AUTHORITY } from './texts/authority.ts'
import type { AuthorityTexts } from './texts/authority-en.ts'
import { CONSENT } from './texts/consent.ts'
import { DELETIONS } from './texts/deletions.ts'
import { usageBars } from './usage-bars.ts'

type Held = {
  readonly grant: GrantView
  readonly facts: ConsentFacts
  /** The skill has not deleted what it was told to, and stands still. */
  readonly owesDeletion: boolean
}

const RENEWALS_DAYS = [7, 30, 90, 180, 365]

/** One grant in full: what it allows, how much is used, and all that can be done with it. */
export function grantPages(deps: PageDeps): Page[] {
  const path = '/me/grants/{id}'
  return [
    {
      method: 'get',
      path,
      who: 'user',
      async run(visit) {
        const held = await load(deps, visit)
        return held ? show(visit, held, doneNotice(visit)) : { kind: 'not_found' }
      },
    },
    { method: 'post', path, who: 'user', run: (visit) => change(deps, visit) },
    {
      method: 'get',
      path: `${path}/narrow`,
      who: 'user',
      async run(visit) {
        const held = await load(deps, visit)
        return held ? showNarrow(deps, visit, held, false) : { kind: 'not_found' }
      },
    },
    { method: 'post', path: `${path}/narrow`, who: 'user', run: (visit) => narrow(deps, visit) },
  ]
}

async function load({ broker }: PageDeps, { person, params }: PageRequest): Promise<Held | undefined> {
  const which = { userId: person?.id ?? '', grantId: params.id ?? '' }
  const found = await showGrant(broker, which)
  const facts = await factsOfGrant(broker, which)
  if (found.kind !== 'found' || !facts) return undefined
  const skill = { userId: which.userId, skillId: found.grant.skill }
  return { grant: found.grant, facts, owesDeletion: await owesDeletion(broker, skill) }
}

async function change(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { broker } = deps
  const { person, form, locale } = visit
  const held = await load(deps, visit)
  if (!held || !person) return { kind: 'not_found' }
  const which = { userId: person.id, grantId: held.grant.grantId }
  const here = `/me/grants/${which.grantId}`
  const t = AUTHORITY[locale]
  const changed = async (done: Promise<{ kind: string }>, said: string): Promise<PageAnswer> =>
    (await done).kind === 'changed'
      ? { kind: 'redirect', location: `${here}?done=${said}` }
      : refusedHere(deps, visit, t.notPossible)
  switch (form.get('do')) {
    case 'pause':
      return changed(pauseGrant(broker, which), 'paused')
    case 'resume':
      if (!isSteppedUp(person, deps.nowMs())) return stepUpThen(`${here}?done=confirmed_person`)
      return changed(resumeGrant(broker, which), 'resumed')
    case 'confirm':
      if (!isSteppedUp(person, deps.nowMs())) return stepUpThen(`${here}?done=confirmed_person`)
      return changed(confirmGrant(broker, which), 'confirmed')
    case 'renew': {
      const days = RENEWALS_DAYS.find((offered) => String(offered) === form.get('days'))
      if (days === undefined) return show(visit, held, null)
      if (!isSteppedUp(person, deps.nowMs())) {
        return stepUpThen(`${here}?${new URLSearchParams({ days: String(days), done: 'confirmed_person' })}`)
      }
      const { nowMs } = broker.store.now()
      const renewed = await renewGrant(broker, { ...which, expiresAtMs: nowMs + days * DAY_MS })
      if (renewed.kind === 'changed') return { kind: 'redirect', location: `${here}?done=renewed` }
      const isFar = renewed.kind === 'not_renewable' && renewed.code === 'expiry_too_far'
      return refusedHere(deps, visit, isFar ? t.tooFar : t.notPossible)
    }
    default:
      return show(visit, held, null)
  }
}

/** More authority, were it only for more time or anew: it takes a passkey, and then the person chooses once more. */
function stepUpThen(back: string): PageAnswer {
  return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(back)}` }
}

async function refusedHere(deps: PageDeps, visit: PageRequest, said: string): Promise<PageAnswer> {
  const now = await load(deps, visit)
  return now ? show(visit, now, notice('bad', said), 409) : { kind: 'not_found' }
}

function doneNotice({ query, locale }: PageRequest): Html | null {
  const t = AUTHORITY[locale]
  switch (query.done) {
    case 'given':
      return notice('good', t.given)
    case 'paused':
      return notice('warn', t.donePaused)
    case 'resumed':
      return notice('good', t.doneResumed)
    case 'narrowed':
      return notice('good', t.doneNarrowed)
    case 'renewed':
      return notice('good', t.doneRenewed)
    case 'confirmed':
      return notice('good', t.doneConfirmed)
    case 'confirmed_person':
      return notice('good', t.stepUpDone)
    default:
      return null
  }
}

function show(visit: PageRequest, held: Held, said: Html | null, status = 200): PageAnswer {
  const { grant, facts } = held
  const { locale } = visit
  const t = AUTHORITY[locale]
  const words = CONSENT[locale]
  const speaker = speakerOf(locale, facts.zone)
  const description = grant.shown[locale]
  const actionTitle = (name: string) => {
    const action = findAction(facts.manifest, name)
    return action ? speaker.title(action.title) : speaker.quote(name)
  }
  const outdated = Object.keys(grant.outdated)
  const all = [...description.claims, ...description.questions.flatMap(({ sentences }) => sentences)]
  const isLive = grant.state === 'active' || grant.state === 'paused' || grant.state === 'suspended'
  const body = html`<header class="card"><div class="head"><p class="dim small">${t.grantEyebrow}</p><div class="between"><h1>${description.title}</h1>${stateTag(grant.state, t)}</div></div>
${said ?? ''}${grant.state === 'suspended' ? notice('warn', t.suspendedText) : ''}${held.owesDeletion ? notice('warn', html`${DELETIONS[locale].suspended} <a href="/me/deletions">${DELETIONS[locale].link}</a>`) : ''}
${outdated.length === 0 ? '' : notice('warn', html`${t.outdated} ${speaker.list(outdated.map(actionTitle))}`)}
${isLive ? html`<h2>${t.usageTitle}</h2>${grant.usage.length === 0 ? html`<p class="dim">${t.noLimits}</p>` : usageBars(grant.usage, speaker, t, actionTitle)}` : ''}
${controls(visit, held, t)}</header>
${legend(all, words)}
<section class="card">${sentenceList(description.claims, words)}</section>
${description.questions.map(({ id, heading, sentences }) => html`<section class="card" aria-labelledby="q-${id}"><h2 id="q-${id}">${heading}</h2>${sentenceList(sentences, words)}</section>`)}
<p><a href="/me">${t.back}</a></p>`
  return { kind: 'html', status, title: description.title, body }
}

function controls(visit: PageRequest, { grant, facts }: Held, t: AuthorityTexts): Html {
  const here = `/me/grants/${grant.grantId}`
  const speaker = speakerOf(visit.locale, facts.zone)
  const button = (what: string, label: string, kind = 'plain') =>
    html`<form method="post" action="${here}">${csrfField(visit.csrf)}<button class="${kind}" name="do" value="${what}">${label}</button></form>`
  const { state } = grant
  const isNarrowable = state === 'active' || state === 'paused'
  const isRenewable = isNarrowable || state === 'expired'
  const isRevocable = isRenewable || state === 'suspended'
  if (!isRevocable) return html``
  const chosen = RENEWALS_DAYS.find((days) => String(days) === visit.query.days) ?? 30
  return html`<div class="actions">${state === 'active' ? button('pause', t.pause) : ''}${state === 'paused' ? button('resume', t.resume) : ''}${state === 'suspended' ? button('confirm', t.confirm, '') : ''}
${isNarrowable ? html`<a class="button plain" href="${here}/narrow">${t.narrow}</a>` : ''}<a class="button danger" href="/me/revoke?grant=${grant.grantId}">${t.revokeGrant}</a><a class="button danger" href="/me/revoke?skill=${grant.skill}">${t.revokeSkill}</a></div>
${
  isRenewable
    ? html`<details${visit.query.days === undefined ? '' : html` open`}><summary>${t.renewTitle}</summary><form method="post" action="${here}" class="stack">${csrfField(visit.csrf)}${field(
        { name: 'days', label: t.renewLabel },
        (attributes) =>
          select(
            attributes,
            RENEWALS_DAYS.map((days) => [String(days), speaker.days(days)] as const),
            String(chosen),
          ),
      )}<div><button class="plain" name="do" value="renew">${t.renewButton}</button></div></form></details>`
    : ''
}`
}

function showNarrow(
  deps: PageDeps,
  visit: PageRequest,
  held: Held,
  isSent: boolean,
  said: Html | null = null,
): PageAnswer {
  const { grant, facts } = held
  const { locale } = visit
  const t = AUTHORITY[locale]
  const { nowMs } = deps.broker.store.now()
  const entered = isSent ? visit.form : null
  const read = isSent ? readNarrowing(grant.terms, visit.form, nowMs) : null
  const speaker = speakerOf(locale, facts.zone)
  const c = narrowControls({
    asked: grant.terms,
    manifest: facts.manifest,
    deployments: facts.agent.deployments,
    zone: facts.zone,
    nowMs,
    locale,
    entered,
    faults: read?.faults ?? new Map(),
  })
  const here = `/me/grants/${grant.grantId}`
  const parts = grant.terms.actions.map(({ name }) => {
    const action = findAction(facts.manifest, name)
    const limits = action ? c.actionLimits(name) : null
    return html`<div class="option">${c.actionBox(name, action ? speaker.title(action.title) : speaker.quote(name))}${limits ?? ''}</div>`
  })
  const headings = grant.shown[locale].questions
  const heading = (id: string) => headings.find((question) => question.id === id)?.heading ?? ''
  const section = (id: string, content: Html | null) =>
    content === null ? '' : html`<section class="card"><h2>${heading(id)}</h2>${content}</section>`
  const body = html`<header class="card"><div class="head"><p class="dim small">${t.narrow}</p><h1>${grant.shown[locale].title}</h1><p class="dim">${t.narrowIntro}</p></div>${said ?? ''}
${read && read.faults.size > 0 ? notice('bad', CONSENT[locale].faultsTitle) : ''}</header>
<form method="post" action="${here}/narrow" class="stack">${csrfField(visit.csrf)}
<section class="card"><h2>${heading('what')}</h2>${parts}${c.models ?? ''}</section>
${section('spend', c.spend)}${section('memory', c.memory)}${section('takeBack', c.takeBack)}${section('recipients', c.recipients)}
<div class="decide"><div class="answers"><a class="button plain" href="${here}">${t.narrowBack}</a><button>${t.narrowSave}</button></div></div></form>`
  return { kind: 'html', status: isSent ? 422 : 200, title: t.narrow, body }
}

async function narrow(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { broker } = deps
  const held = await load(deps, visit)
  if (!held || !visit.person) return { kind: 'not_found' }
  const { terms, faults } = readNarrowing(held.grant.terms, visit.form, broker.store.now().nowMs)
  if (faults.size > 0) return showNarrow(deps, visit, held, true)
  const which = { userId: visit.person.id, grantId: held.grant.grantId }
  const done = await narrowGrant(broker, { ...which, terms })
  if (done.kind === 'changed')
    return { kind: 'redirect', location: `/me/grants/${which.grantId}?done=narrowed` }
  return showNarrow(deps, visit, held, true, notice('bad', AUTHORITY[visit.locale].notPossible))
}
