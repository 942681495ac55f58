import { html } from 'hono/html'
import { type ApprovalAnswered, approveAction, refuseAction } from '../broker/answer-approval.ts'
import type { Broker } from '../broker/broker.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { type ApprovalView, showApproval } from '../broker/show-approval.ts'
import { approvalNeedsStepUp } from '../broker/step-up-facts.ts'
import type { ActionDescription } from '../core/grant/describe-action.ts'
import type { ShownValue } from '../core/grant/shown-values.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { isSteppedUp } from '../people/person.ts'
import { csrfField, deadline, notice } from './elements.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { legend, sentenceList } from './sentences.ts'
import { APPROVAL } from './texts/approval.ts'
import type { ApprovalTexts } from './texts/approval-en.ts'
import { CONSENT } from './texts/consent.ts'
import { wholeMinutes } from './when.ts'

/** Where a person sees one exact action and says yes or no to it. Opening it answers nothing (P8). */
export function approvalPages(deps: PageDeps): Page[] {
  const path = '/approvals/{id}'
  return [
    {
      method: 'get',
      path,
      who: 'user',
      async run(visit) {
        const approval = await load(deps.broker, visit)
        if (!approval) return { kind: 'not_found' }
        const isConfirmed = visit.query.confirmed === 'yes' && isReady(deps, visit)
        return show(
          deps,
          visit,
          approval,
          isConfirmed ? notice('good', APPROVAL[visit.locale].stepUpDone) : null,
        )
      },
    },
    { method: 'post', path, who: 'user', run: (visit) => answer(deps, visit) },
    {
      method: 'get',
      path: `${path}/state`,
      who: 'user',
      async run(visit) {
        const approval = await load(deps.broker, visit)
        return approval ? { kind: 'json', body: { state: approval.state } } : { kind: 'not_found' }
      },
    },
  ]
}

async function load(broker: Broker, { person, params }: PageRequest): Promise<ApprovalView | undefined> {
  const found = await showApproval(broker, { userId: person?.id ?? '', approvalId: params.id ?? '' })
  return found.kind === 'found' ? found.approval : undefined
}

function isReady(deps: PageDeps, { person }: PageRequest): boolean {
  return person !== null && isSteppedUp(person, deps.nowMs())
}

async function answer(deps: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { broker } = deps
  const approval = await load(broker, visit)
  if (!approval || !visit.person) return { kind: 'not_found' }
  const which = { userId: visit.person.id, approvalId: approval.approvalId }
  if (visit.form.get('answer') === 'refuse') {
    return told(deps, visit, await refuseAction(broker, which), '/inbox?done=refused')
  }
  if (visit.form.get('answer') !== 'allow') return show(deps, visit, approval, null)
  if ((await approvalNeedsStepUp(broker, which)) && !isReady(deps, visit)) {
    const back = `/approvals/${approval.approvalId}?confirmed=yes`
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(back)}` }
  }
  const done = await approveAction(broker, { ...which, shownDigest: visit.form.get('shown') ?? '' })
  return told(deps, visit, done, '/inbox?done=approved')
}

async function told(
  deps: PageDeps,
  visit: PageRequest,
  done: ApprovalAnswered,
  location: string,
): Promise<PageAnswer> {
  if (done.kind === 'approved' || done.kind === 'refused') return { kind: 'redirect', location }
  // How it stands now is read anew, and says itself why it could not be answered.
  const now = await load(deps.broker, visit)
  if (done.kind === 'not_found' || !now) return { kind: 'not_found' }
  const said = done.kind === 'shown_differs' ? notice('bad', APPROVAL[visit.locale].shownDiffers) : null
  return show(deps, visit, now, said, 409)
}

async function show(
  deps: PageDeps,
  visit: PageRequest,
  approval: ApprovalView,
  said: Html | null,
  status = 200,
): Promise<PageAnswer> {
  const { locale } = visit
  const t = APPROVAL[locale]
  const userId = visit.person?.id ?? ''
  const { timeZone } = await showTimeZone(deps.broker, { userId })
  const speaker = speakerOf(locale, timeZone)
  const description = approval.shown?.[locale]
  const title = description?.title ?? t.approvalKind
  const isOpen = approval.state === 'waiting'
  const leftMs = approval.expiresAtMs - deps.broker.store.now().nowMs
  const needsStepUp =
    isOpen &&
    (await approvalNeedsStepUp(deps.broker, { userId, approvalId: approval.approvalId })) &&
    !isReady(deps, visit)
  const live = isOpen ? html` data-live="/approvals/${approval.approvalId}/state" data-state="waiting"` : ''
  const content = description ? details(visit, description) : notice('warn', t.cannotShow)
  const body = html`<header class="card"${live}><div class="head"><p class="dim small">${t.eyebrow}</p><h1>${title}</h1></div>
${said ?? ''}${isOpen ? html`<p>${CONSENT[locale].answerBy} ${deadline(speaker.instant(approval.expiresAtMs), speaker.span(wholeMinutes(leftMs)), leftMs, true)}</p>` : notice(approval.state === 'refused' ? 'plain' : 'warn', stateText(t, approval.state))}
${approval.shown ? summary(t, speaker, approval.shown) : ''}</header>
${isOpen ? answerForm(visit, approval, needsStepUp, content) : html`${content}<p class="actions"><a class="button plain" href="/inbox">${t.toInbox}</a><a class="button plain" href="/me/activity/${approval.actionId}">${t.seeAction}</a></p>`}`
  return { kind: 'html', status, title, body }
}

function stateText(t: ApprovalTexts, state: Exclude<ApprovalView['state'], 'waiting'> | 'waiting'): string {
  switch (state) {
    case 'approved':
      return t.stateApproved
    case 'used':
      return t.stateUsed
    case 'refused':
      return t.stateRefused
    case 'withdrawn':
      return t.stateWithdrawn
    default:
      return t.stateExpired
  }
}

/** The two things an eye looks for first: how much, and to whom. */
function summary(t: ApprovalTexts, speaker: Speaker, shown: NonNullable<ApprovalView['shown']>): Html {
  const { amount, recipients } = shown
  return html`${amount ? html`<div class="tight"><p class="dim small">${t.amountTitle}</p><p class="big">${speaker.money(amount.minor, amount.currency)}</p></div>` : ''}
${
  recipients.length === 0
    ? ''
    : html`<div class="tight"><p class="dim small">${t.recipientTitle}</p><ul class="plain">${recipients.map(
        ({ value, label, isNew }) =>
          html`<li class="row"><span class="strong">${speaker.quote(value)}</span>${label === null ? html`<span class="tag tag-warn">${t.recipientUnsaved}</span>` : html`<span class="tag tag-good">${speaker.quote(label)}</span>`}${isNew ? html`<span class="tag tag-warn">${t.recipientNew}</span>` : ''}</li>`,
      )}</ul></div>`
}`
}

function details({ locale }: PageRequest, description: ActionDescription): Html {
  const t = APPROVAL[locale]
  const words = CONSENT[locale]
  return html`<section class="card" aria-labelledby="sent"><h2 id="sent">${t.whatIsSent}</h2>
${description.arguments.length === 0 ? html`<p>${t.nothingSent}</p>` : values(description.arguments)}</section>
${description.preview.length === 0 ? '' : html`<section class="card" aria-labelledby="preview"><h2 id="preview">${t.previewTitle}</h2>${values(description.preview)}</section>`}
<section class="card" aria-labelledby="means"><h2 id="means">${t.detailsTitle}</h2>${sentenceList(description.sentences, words)}
${legend(description.sentences, words)}</section>`
}

/** Every value there is, whole: a value that was cut could be the one that matters. */
function values(shownValues: readonly ShownValue[]): Html {
  return html`<dl class="facts sent">${shownValues.map(
    ({ label, value }) => html`<dt><bdi>${label}</bdi></dt><dd><bdi>${value}</bdi></dd>`,
  )}</dl>`
}

/** The answers stay in reach while what they answer is read. */
function answerForm(
  { csrf, locale }: PageRequest,
  approval: ApprovalView,
  needsStepUp: boolean,
  content: Html,
): Html {
  const t = APPROVAL[locale]
  const { shown, approvalId } = approval
  return html`<form method="post" action="/approvals/${approvalId}" class="stack">${csrfField(csrf)}<input type="hidden" name="shown" value="${shown?.digest ?? ''}">
${content}
<div class="tight"><p class="dim small">${needsStepUp ? html`${t.stepUpNote} ` : ''}${t.note}</p>
${shown ? html`<p><a href="/approvals/${approvalId}/always">${t.always}</a></p>` : ''}</div>
<div class="decide"><div class="answers"><button class="refuse" name="answer" value="refuse">${t.refuse}</button>${shown ? html`<button name="answer" value="allow">${t.approve}</button>` : ''}</div></div></form>`
}
