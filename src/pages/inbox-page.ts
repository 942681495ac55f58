import { html } from 'hono/html'
import { namesForUser } from '../broker/names-for-user.ts'
import { type ApprovalSummary, listApprovals } from '../broker/show-approval.ts'
import { type ConsentRequestSummary, listConsentRequests } from '../broker/show-consent-request.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { notice } from './elements.ts'
import type { Html, Page, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { APPROVAL } from './texts/approval.ts'
import { wholeMinutes } from './when.ts'

type Open = { readonly requests: ConsentRequestSummary[]; readonly approvals: ApprovalSummary[] }

const SHOWN_MOST = 100

/** Everything that waits for the person, newest first, and whether anything has come since. */
export function inboxPages(deps: PageDeps): Page[] {
  return [
    { method: 'get', path: '/inbox', who: 'user', run: (visit) => show(deps, visit) },
    {
      method: 'get',
      path: '/inbox/state',
      who: 'user',
      async run({ person }) {
        return { kind: 'json', body: { state: stateOf(await openFor(deps, person?.id ?? '')) } }
      },
    },
  ]
}

async function openFor({ broker }: PageDeps, userId: string): Promise<Open> {
  const page = { limit: SHOWN_MOST, before: null }
  const requests = await listConsentRequests(broker, { userId, page })
  const approvals = await listApprovals(broker, { userId, status: 'waiting', page })
  return {
    requests: requests.filter(({ state }) => state === 'pending'),
    approvals: approvals.filter(({ state }) => state === 'waiting'),
  }
}

/** Changes when something came or went; ids are the person's own. */
function stateOf({ requests, approvals }: Open): string {
  return [...requests.map((one) => one.requestId), ...approvals.map((one) => one.approvalId)].join(' ')
}

async function show(deps: PageDeps, { person, locale, query }: PageRequest) {
  const t = APPROVAL[locale]
  const userId = person?.id ?? ''
  const open = await openFor(deps, userId)
  const skillIds = [...open.requests, ...open.approvals].map(({ skill }) => skill)
  const names = await namesForUser(deps.broker, { userId, skillIds })
  const speaker = speakerOf(locale, names.zone)
  const { nowMs } = deps.broker.store.now()
  const tiles = [
    ...open.requests.map((one) => ({ atMs: one.createdAtMs, tile: requestTile(one) })),
    ...open.approvals.map((one) => ({ atMs: one.createdAtMs, tile: approvalTile(one) })),
  ].sort((a, b) => b.atMs - a.atMs)
  const said = doneOf(query.done, t)

  function requestTile(one: ConsentRequestSummary): Html {
    const skill = speaker.title(names.skill(one.skill))
    const isRenewal = one.renewsGrantId !== null
    const title = isRenewal ? t.wantsRenewal(skill) : t.wantsPermission(agentName(one.agentId), skill)
    return tile(
      `/consents/${one.requestId}`,
      isRenewal ? t.renewalKind : t.consentKind,
      title,
      one.expiresAtMs,
      [one.purpose === '' ? '' : html`<p class="dim">${t.claimed(speaker.quote(one.purpose))}</p>`],
    )
  }

  function approvalTile(one: ApprovalSummary): Html {
    const action = speaker.title(names.action(one.skill, one.action))
    const title = t.wantsAction(agentName(one.agentId), action, speaker.title(names.skill(one.skill)))
    return tile(`/approvals/${one.approvalId}`, t.approvalKind, title, one.expiresAtMs, [])
  }

  function agentName(agentId: string): string {
    return speaker.quote(names.agents.get(agentId) ?? agentId)
  }

  function tile(to: string, kind: string, title: string, expiresAtMs: number, more: (Html | string)[]): Html {
    const leftMs = expiresAtMs - nowMs
    return html`<li><a class="card tile" href="${to}"><span class="between"><span class="tag">${kind}</span><span class="dim small">${t.left}: <span data-left="${String(leftMs)}">${speaker.span(wholeMinutes(leftMs))}</span></span></span>
<span class="strong">${title}</span>${more}</a></li>`
  }

  const body = html`<div class="head" data-live="/inbox/state" data-state="${stateOf(open)}"><h1>${t.inbox}</h1><p class="dim">${t.inboxIntro}</p></div>
${said ?? ''}${tiles.length === 0 ? empty(t) : html`<ul class="plain">${tiles.map(({ tile: one }) => one)}</ul>`}`
  return { kind: 'html', title: t.inbox, body } as const
}

function empty(t: (typeof APPROVAL)['en']): Html {
  return html`<section class="card empty"><h2>${t.emptyTitle}</h2><p class="dim">${t.emptyText}</p></section>`
}

function doneOf(done: string | undefined, t: (typeof APPROVAL)['en']): Html | null {
  if (done === 'refused') return notice('plain', t.doneRefused)
  return done === 'approved' ? notice('good', t.doneApproved) : null
}
