import { html } from 'hono/html'
import { disconnectAgent } from '../broker/disconnect-agent.ts'
import { namesForUser } from '../broker/names-for-user.ts'
import { type AuthorityRevoked, revokeAuthority } from '../broker/revoke-authority.ts'
import type { RevokeScope } from '../broker/revoke-in-scope.ts'
import { type Authority, type HeldGrant, showAuthority } from '../broker/show-authority.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { csrfField, shown } from './elements.ts'
import { stateTag } from './grant-state-tag.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { AUTHORITY } from './texts/authority.ts'
import type { AuthorityTexts } from './texts/authority-en.ts'
import { REVOCATION } from './texts/revocation.ts'

const ENDED = ['revoked', 'used_up', 'replaced', 'expired']

/** Where authority is taken back: first what would end, then what ended and what became of what was under way. */
export function revokePages(deps: PageDeps): Page[] {
  return [
    { method: 'get', path: '/me/revoke', who: 'user', run: (visit) => ask(deps, visit) },
    { method: 'post', path: '/me/revoke', who: 'user', run: (visit) => revoke(deps, visit) },
  ]
}

function scopeOf(named: (name: string) => string | undefined): RevokeScope | undefined {
  const [grant, agent, skill] = [named('grant'), named('agent'), named('skill')]
  if (grant !== undefined) return { kind: 'grant', id: grant }
  if (agent !== undefined) return { kind: 'agent', id: agent }
  if (skill !== undefined) return { kind: 'skill', id: skill }
  return named('everything') === 'yes' ? { kind: 'everything' } : undefined
}

function covers(scope: RevokeScope, grant: HeldGrant): boolean {
  if (ENDED.includes(grant.state)) return false
  switch (scope.kind) {
    case 'grant':
      return grant.grantId === scope.id
    case 'agent':
      return grant.agentId === scope.id
    case 'skill':
      return grant.skill === scope.id
    case 'everything':
      return true
  }
}

/** What the question is about; undefined for what is not the person's. */
function titleOf(
  scope: RevokeScope,
  { agents }: Authority,
  t: AuthorityTexts,
  locale: 'en' | 'zh',
  quote: (text: string) => string,
): string | undefined {
  const grants = agents.flatMap((agent) => agent.grants)
  switch (scope.kind) {
    case 'grant': {
      const grant = grants.find(({ grantId }) => grantId === scope.id)
      return grant && t.revokeTitleGrant(quote(grant.title[locale]))
    }
    case 'agent': {
      const agent = agents.find(({ agentId }) => agentId === scope.id)
      return agent && t.revokeTitleAgent(quote(agent.name))
    }
    case 'skill': {
      const grant = grants.find(({ skill }) => skill === scope.id)
      return grant && t.revokeTitleSkill(quote(grant.title[locale]))
    }
    case 'everything':
      return t.revokeTitleEverything
  }
}

async function ask({ broker }: PageDeps, { person, locale, query, csrf }: PageRequest): Promise<PageAnswer> {
  const t = AUTHORITY[locale]
  const scope = scopeOf((name) => query[name])
  const authority = await showAuthority(broker, { userId: person?.id ?? '' })
  const speaker = speakerOf(locale, authority.zone)
  const title = scope && titleOf(scope, authority, t, locale, speaker.quote)
  if (!scope || title === undefined) return { kind: 'not_found' }
  const ending = authority.agents.flatMap((agent) =>
    agent.grants.filter((grant) => covers(scope, grant)).map((grant) => ({ agent, grant })),
  )
  const [name, value] = scope.kind === 'everything' ? ['everything', 'yes'] : [scope.kind, scope.id]
  const body = html`<section class="card narrow"><h1>${title}</h1><p>${t.revokeText}</p>
<h2>${t.revokeEndsTitle}</h2>${
    ending.length === 0
      ? html`<p class="dim">${t.revokeNothing}</p>`
      : html`<ul class="plain">${ending.map(({ agent, grant }) => html`<li class="between"><span><strong>${shown(grant.title[locale])}</strong> · ${shown(agent.name)}</span>${stateTag(grant.state, t)}</li>`)}</ul>`
  }
<p class="dim small">${t.revokeAfter}</p>
<form method="post" action="/me/revoke" class="answers">${csrfField(csrf)}<input type="hidden" name="${name}" value="${value}"><a class="button plain" href="/me">${t.revokeKeep}</a><button class="danger">${t.revokeConfirm}</button></form></section>`
  return { kind: 'html', title, body }
}

async function revoke(
  { broker, cancel }: PageDeps,
  { person, locale, form }: PageRequest,
): Promise<PageAnswer> {
  const scope = scopeOf(form.get)
  if (!scope || !person) return { kind: 'not_found' }
  const userId = person.id
  const done =
    scope.kind === 'agent'
      ? await disconnectAgent(broker, { userId, agentId: scope.id }, cancel)
      : await revokeAuthority(broker, { userId, scope }, cancel)
  if (done.kind === 'not_found') return { kind: 'not_found' }
  const t = AUTHORITY[locale]
  const { revocation } = done
  const body = html`<section class="card narrow"><h1>${t.revokedTitle}</h1>
<div class="notice notice-good" role="status"><p>${t.revokedText(String(revocation.grants.length))}</p>${
    revocation.consentRequests.length + revocation.approvals.length === 0
      ? ''
      : html`<p>${t.revokedQuestions(String(revocation.consentRequests.length + revocation.approvals.length))}</p>`
  }</div>
<h2>${t.flightTitle}</h2>${await inFlight(broker, userId, locale, done)}
<p class="dim small">${t.revokeAfter}</p><p><a href="/me/revocations/${done.revocationId}">${REVOCATION[locale].see}</a></p><p><a class="button plain" href="/me">${t.back}</a></p></section>`
  return { kind: 'html', title: t.revokedTitle, body }
}

type Done = Pick<Extract<AuthorityRevoked, { kind: 'revoked' }>, 'revocation' | 'cancelled'>

/** Each action that was permitted and is not settled, with what its skill said to a cancellation. */
async function inFlight(
  broker: PageDeps['broker'],
  userId: string,
  locale: 'en' | 'zh',
  { revocation, cancelled }: Done,
): Promise<Html> {
  const t = AUTHORITY[locale]
  const { unsettled, commitments } = revocation
  if (unsettled.length + commitments.length === 0) return html`<p>${t.flightNone}</p>`
  const skillIds = [...unsettled, ...commitments].map(({ skillId }) => skillId)
  const names = await namesForUser(broker, { userId, skillIds })
  const speaker = speakerOf(locale, names.zone)
  const becameOf = (actionId: string) => {
    const report = cancelled.find((one) => one.actionId === actionId)
    return html`<p class="small">${t[`flight_${report?.outcome ?? 'unclear'}`]}</p>`
  }
  return html`<p>${t.flightIntro}</p><ul class="plain">${unsettled.map(
    (one) =>
      html`<li class="tight"><p><a href="/me/activity/${one.actionId}">${speaker.title(names.action(one.skillId, one.action))}</a>${one.currency === null ? '' : html` · ${speaker.money(one.heldMinor, one.currency)}`}</p>${becameOf(one.actionId)}</li>`,
  )}${commitments
    .filter(({ actionId }) => !unsettled.some((one) => one.actionId === actionId))
    .map(
      (one) =>
        html`<li class="tight"><p><a href="/me/activity/${one.actionId}">${speaker.title(names.skill(one.skillId))}</a> · ${t.commitments(String(one.times))}</p>${becameOf(one.actionId)}</li>`,
    )}</ul>`
}
