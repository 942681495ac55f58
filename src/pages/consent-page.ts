import { html } from 'hono/html'
import { approveConsent, type ConsentApproved, refuseConsent } from '../broker/answer-consent.ts'
import type { Broker } from '../broker/broker.ts'
import { type ConsentFacts, factsOfRequest } from '../broker/consent-facts.ts'
import { type ConsentRequestView, showConsentRequest } from '../broker/show-consent-request.ts'
import { consentNeedsStepUp } from '../broker/step-up-facts.ts'
import type { Sentence } from '../core/grant/consent-sentence.ts'
import type { QuestionId } from '../core/grant/describe-consent.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { isSteppedUp } from '../people/person.ts'
import { csrfField, deadline, notice, shown } from './elements.ts'
import { keptForm, keptQuery } from './kept-form.ts'
import { type NarrowControls, narrowControls } from './narrow-controls.ts'
import { type EntryFault, readNarrowing } from './narrow-form.ts'
import { ownPath } from './own-path.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { legend, sentence, sentenceList } from './sentences.ts'
import { CONSENT } from './texts/consent.ts'
import type { ConsentTexts } from './texts/consent-en.ts'
import { wholeMinutes } from './when.ts'

type Asked = { readonly request: ConsentRequestView; readonly facts: ConsentFacts }

/** What a page shows besides the question itself. */
type Drawn = {
  readonly entered: ReturnType<typeof keptForm>
  readonly faults: ReadonlyMap<string, EntryFault>
  readonly said: Html | null
  readonly next: string
}

/** Where a person reads what an agent asks for, takes away what they do not want it to have, and says yes or no. */
export function consentPages(deps: PageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/consents/{id}',
      who: 'user',
      async run(visit) {
        const asked = await load(deps.broker, visit)
        if (!asked) return { kind: 'not_found' }
        const t = CONSENT[visit.locale]
        const entered = keptForm(deps.broker, visit)
        const person = visit.person
        const isConfirmed = entered !== null && person !== null && isSteppedUp(person, deps.nowMs())
        return show(deps, visit, asked, {
          entered,
          faults: new Map(),
          said: isConfirmed ? notice('good', t.stepUpDone) : null,
          next: nextOf(visit.query.next),
        })
      },
    },
    { method: 'post', path: '/consents/{id}', who: 'user', run: (visit) => answer(deps, visit) },
  ]
}

async function load(broker: Broker, { person, params }: PageRequest): Promise<Asked | undefined> {
  const which = { userId: person?.id ?? '', requestId: params.id ?? '' }
  const found = await showConsentRequest(broker, which)
  const facts = await factsOfRequest(broker, which)
  return found.kind === 'found' && facts ? { request: found.request, facts } : undefined
}

/** Where the person goes on to after answering; empty for nowhere in particular. */
function nextOf(next: string | undefined): string {
  return next === undefined ? '' : ownPath(next, '')
}

async function answer(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { broker } = deps
  const asked = await load(broker, visit)
  if (!asked || !visit.person) return { kind: 'not_found' }
  const { form, person } = visit
  const which = { userId: person.id, requestId: asked.request.requestId }
  const next = nextOf(form.get('next'))
  if (form.get('answer') === 'refuse') {
    await refuseConsent(broker, which)
    return { kind: 'redirect', location: next === '' ? '/inbox?done=refused' : next }
  }
  if (form.get('answer') !== 'allow') return show(deps, visit, asked, drawn(visit, next))

  const isRenewal = asked.request.renewsGrantId !== null
  const read = isRenewal ? null : readNarrowing(asked.request.terms, form, broker.store.now().nowMs)
  if (read && read.faults.size > 0)
    return show(deps, visit, asked, { ...drawn(visit, next), faults: read.faults }, 422)
  const terms = read?.terms ?? asked.request.terms
  if (!isSteppedUp(person, deps.nowMs()) && (await consentNeedsStepUp(broker, { ...which, given: terms }))) {
    const kept = keptQuery(broker, visit)
    const back = `/consents/${asked.request.requestId}${kept === '' ? '' : `?${kept}`}${next === '' ? '' : `${kept === '' ? '?' : '&'}next=${encodeURIComponent(next)}`}`
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(back)}` }
  }
  const given = await approveConsent(broker, {
    ...which,
    ...(read ? { given: terms } : {}),
    shownDigest: form.get('shown') ?? '',
  })
  if (given.kind === 'approved') {
    return { kind: 'redirect', location: next === '' ? `/me/grants/${given.grant.id}?done=given` : next }
  }
  if (given.kind === 'not_found') return { kind: 'not_found' }
  const again = await load(broker, visit)
  if (!again) return { kind: 'not_found' }
  const said = notice('bad', whyNot(CONSENT[visit.locale], given))
  return show(deps, visit, again, { ...drawn(visit, next), said }, 409)
}

function drawn(visit: PageRequest, next: string): Drawn {
  return { entered: visit.form, faults: new Map(), said: null, next }
}

function whyNot(
  t: ConsentTexts,
  outcome: Exclude<ConsentApproved, { kind: 'approved' | 'not_found' }>,
): string {
  switch (outcome.kind) {
    case 'already_answered':
      return {
        approved: t.stateApproved,
        refused: t.stateRefused,
        withdrawn: t.stateWithdrawn,
        expired: t.stateExpired,
        pending: t.shownDiffers,
      }[outcome.state]
    case 'expired':
      return t.stateExpired
    case 'agent_not_connected':
      return t.agentGone
    case 'manifest_changed':
      return t.manifestChanged
    case 'grant_changed':
      return t.grantChanged
    case 'shown_differs':
      return t.shownDiffers
    case 'recovered_recently':
      return t.recoveredRecently
    default:
      return t.fault_other
  }
}

async function show(
  deps: PageDeps,
  visit: PageRequest,
  asked: Asked,
  page: Drawn,
  status = 200,
): Promise<PageAnswer> {
  const { request } = asked
  const t = CONSENT[visit.locale]
  const description = request.shown[visit.locale]
  const { difference } = request.shown
  const isOpen = request.state === 'pending'
  const title = difference ? difference[visit.locale].title : description.title
  const all = [
    ...(difference?.[visit.locale].sentences ?? []),
    ...description.claims,
    ...description.questions.flatMap(({ sentences }) => sentences),
  ]
  const body = html`<header class="card">${head(deps, visit, asked, title)}
${page.said ?? ''}${isOpen ? '' : closed(t, request)}</header>
${page.faults.size === 0 ? '' : html`<div class="notice notice-bad" role="alert" tabindex="-1" data-focus><p>${t.faultsTitle}</p></div>`}
${legend(all, t)}
${isOpen ? questionForm(deps, visit, asked, page) : html`${questions(asked, visit, null)}<p class="actions"><a class="button plain" href="${page.next === '' ? '/inbox' : page.next}">${page.next === '' ? t.toInbox : t.back}</a></p>`}`
  return { kind: 'html', status, title, body }
}

function head(deps: PageDeps, { locale }: PageRequest, { request, facts }: Asked, title: string): Html {
  const t = CONSENT[locale]
  const speaker = speakerOf(locale, facts.zone)
  const leftMs = request.expiresAtMs - deps.broker.store.now().nowMs
  const { manifest, agent } = facts
  return html`<div class="head"><p class="dim small">${request.renewsGrantId === null ? t.eyebrow : t.eyebrowRenewal}</p><h1>${title}</h1></div>
<dl class="facts"><dt>${t.agent}</dt><dd><strong>${shown(agent.name)}</strong>
<span class="dim small">${t.agentNameClaimed}${agent.client === null ? '' : html` ${t.agentClient(speaker.quote(agent.client.host))}`}</span></dd>
<dt>${t.skill}</dt><dd><strong>${shown(manifest.title[locale])}</strong> <code>${manifest.skill}</code></dd>
<dt>${t.publisher}</dt><dd>${shown(manifest.publisher)}</dd>
${request.state === 'pending' ? html`<dt>${t.answerBy}</dt><dd>${deadline(speaker.instant(request.expiresAtMs), speaker.span(wholeMinutes(leftMs)), leftMs, true)}</dd>` : html`<dt>${t.asked}</dt><dd>${speaker.instant(request.createdAtMs)}</dd>`}</dl>`
}

function closed(t: ConsentTexts, request: ConsentRequestView): Html {
  switch (request.state) {
    case 'approved':
      return html`${notice('good', t.stateApproved)}${request.grantId === null ? '' : html`<p><a href="/me/grants/${request.grantId}">${t.seeGrant}</a></p>`}`
    case 'refused':
      return notice('plain', t.stateRefused)
    case 'expired':
      return notice('warn', t.stateExpired)
    default:
      return notice('plain', t.stateWithdrawn)
  }
}

async function questionForm(deps: PageDeps, visit: PageRequest, asked: Asked, page: Drawn): Promise<Html> {
  const { request, facts } = asked
  const t = CONSENT[visit.locale]
  const canAllow = !request.manifestChanged && facts.agent.status === 'connected'
  const difference = request.shown.difference?.[visit.locale]
  const which = { userId: visit.person?.id ?? '', requestId: request.requestId }
  const needsStepUp = canAllow && (await consentNeedsStepUp(deps.broker, { ...which, given: undefined }))
  const person = visit.person
  const isReady = person !== null && isSteppedUp(person, deps.nowMs())
  const controls =
    difference || !canAllow
      ? null
      : narrowControls({
          asked: request.terms,
          manifest: facts.manifest,
          deployments: facts.agent.deployments,
          zone: facts.zone,
          nowMs: deps.broker.store.now().nowMs,
          locale: visit.locale,
          entered: page.entered,
          faults: page.faults,
        })
  return html`<form method="post" class="stack" action="/consents/${request.requestId}">${csrfField(visit.csrf)}
<input type="hidden" name="shown" value="${request.shown.digest}"><input type="hidden" name="next" value="${page.next}">
${canAllow ? '' : notice('warn', request.manifestChanged ? t.manifestChanged : t.agentGone)}
${
  difference
    ? html`<section class="card"><p>${t.renewalIntro}</p>${sentenceList(difference.sentences, t)}</section>
<details class="card"><summary>${t.renewalRest}</summary><div class="stack">${questions(asked, visit, null)}</div></details>`
    : html`${controls ? html`<p class="dim">${t.lessIntro}</p>` : ''}${questions(asked, visit, controls)}`
}
<p class="dim small">${needsStepUp && !isReady ? html`${t.stepUpNote} ` : ''}${t.refuseNote}</p>
<div class="decide"><div class="answers"><button class="refuse" name="answer" value="refuse" formnovalidate>${difference ? t.refuseChange : t.refuse}</button>
${canAllow ? html`<button name="answer" value="allow">${difference ? t.allowChange : t.allow}</button>` : ''}</div></div></form>`
}

/** Claims and the six questions, in the order and the words that are hashed. */
function questions(
  { request, facts }: Asked,
  { locale }: PageRequest,
  controls: NarrowControls | null,
): Html {
  const t = CONSENT[locale]
  const { claims, questions: asked } = request.shown[locale]
  const below: Readonly<Record<QuestionId, Html | null>> = {
    what: controls?.models ?? null,
    spend: controls?.spend ?? null,
    memory: controls?.memory ?? null,
    takeBack: controls?.takeBack ?? null,
    recipients: controls?.recipients ?? null,
    mistakes: null,
  }
  // After a fault or a step-up a person must see what they had chosen.
  const isOpen = controls?.isEntered ?? false
  const known = facts.manifest.actions.map(({ name }) => name)
  return html`<section class="card">${sentenceList(claims, t)}</section>
${asked.map(
  ({
    id,
    heading,
    sentences,
  }) => html`<section class="card" aria-labelledby="q-${id}"><h2 id="q-${id}">${heading}</h2>
${id === 'what' && controls ? actionBoxes(sentences, known, controls, t) : sentenceList(sentences, t)}${adjust(below[id], isOpen, t)}</section>`,
)}`
}

/** Controls stand folded below what they change, so that reading comes first. */
function adjust(controls: Html | null, isOpen: boolean, t: ConsentTexts): Html | string {
  if (controls === null) return ''
  return html`<details${isOpen ? html` open` : ''}><summary>${t.change}</summary>${controls}</details>`
}

/** Each action with its box and its own limits, between the sentences that are about all of them. */
function actionBoxes(
  sentences: readonly Sentence[],
  known: readonly string[],
  controls: NarrowControls,
  t: ConsentTexts,
): Html {
  return html`<ul class="plain">${groups(sentences).map(([action, group]) => {
    const [first, ...rest] = group
    if (action === undefined || first === undefined) {
      return group.map((one) => html`<li>${sentence(one, t)}</li>`)
    }
    const limits = known.includes(action) ? controls.actionLimits(action) : null
    return html`<li class="option">${controls.actionBox(action, html`<span class="strong">${first.text}</span>`)}
<div class="stack">${rest.map((one) => sentence(one, t))}${limits ?? ''}</div></li>`
  })}</ul>`
}

function groups(sentences: readonly Sentence[]): [string | undefined, Sentence[]][] {
  const found: [string | undefined, Sentence[]][] = []
  for (const one of sentences) {
    const last = found.at(-1)
    if (last && last[0] !== undefined && last[0] === one.action) last[1].push(one)
    else found.push([one.action, [one]])
  }
  return found
}
