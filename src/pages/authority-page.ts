import { html } from 'hono/html'
import { type LinkView, listLinked } from '../broker/list-linked.ts'
import { pauseAgent, resumeAgent } from '../broker/pause-agent.ts'
import { type Authority, type HeldGrant, showAuthority } from '../broker/show-authority.ts'
import { modelName } from '../core/grant/describe-claims.ts'
import { type Speaker, speakerOf } from '../core/grant/speaker.ts'
import { csrfField, notice, shown } from './elements.ts'
import { stateTag } from './grant-state-tag.ts'
import { linkTag } from './link-tag.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { AUTHORITY } from './texts/authority.ts'
import type { AuthorityTexts } from './texts/authority-en.ts'
import { DELETIONS } from './texts/deletions.ts'
import { MEMORY } from './texts/memory.ts'
import { REACH } from './texts/reach.ts'
import { usageBars } from './usage-bars.ts'
import { when } from './when.ts'

type Connected = Authority['agents'][number]
type Draw = {
  readonly t: AuthorityTexts
  readonly locale: Locale
  readonly zone: string
  readonly speaker: Speaker
}

const ENDED = ['revoked', 'used_up', 'replaced', 'expired']

/** All that a person has allowed to whom, and where each can be taken back. */
export function authorityPages(deps: PageDeps): Page[] {
  const { broker } = deps
  return [
    {
      method: 'get',
      path: '/me',
      who: 'user',
      async run({ person, locale }) {
        const t = AUTHORITY[locale]
        const authority = await showAuthority(broker, { userId: person?.id ?? '' })
        const draw: Draw = { t, locale, zone: authority.zone, speaker: speakerOf(locale, authority.zone) }
        const connected = authority.agents.filter(({ status }) => status !== 'disconnected')
        const former = authority.agents.filter(({ status }) => status === 'disconnected')
        const hasLive = authority.agents.some(({ grants }) => grants.some(isLive))
        const linked = await listLinked(broker, { userId: person?.id ?? '' })
        const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>
${connected.length === 0 ? html`<section class="card empty"><h2>${t.emptyTitle}</h2><p class="dim">${t.emptyText}</p></section>` : connected.map((agent) => agentCard(agent, draw))}
${hasLive ? html`<p class="actions"><a class="button danger" href="/me/revoke?everything=yes">${t.revokeEverything}</a></p>` : ''}
${linked.length === 0 ? '' : linkedCard(linked, locale)}
<p><a href="/me/memory">${MEMORY[locale].title}</a> · <a href="/me/deletions">${DELETIONS[locale].link}</a></p>
${former.length === 0 ? '' : html`<details class="card"><summary>${t.formerAgents}</summary><ul class="plain">${former.map((agent) => html`<li><a href="/me/connections/${agent.agentId}">${shown(agent.name)}</a></li>`)}</ul></details>`}`
        return { kind: 'html', title: t.title, body }
      },
    },
    {
      method: 'get',
      path: '/me/connections/{id}',
      who: 'user',
      async run({ person, locale, params, query, csrf }) {
        const t = AUTHORITY[locale]
        const authority = await showAuthority(broker, { userId: person?.id ?? '' })
        const agent = authority.agents.find(({ agentId }) => agentId === params.id)
        if (!agent) return { kind: 'not_found' }
        const draw: Draw = { t, locale, zone: authority.zone, speaker: speakerOf(locale, authority.zone) }
        const body = html`<section class="card"><div class="head"><p class="dim small">${t.connection}</p><div class="between"><h1>${shown(agent.name)}</h1>${agentTag(agent, t)}</div></div>${saidOf(query.done, t)}
${facts(agent, draw)}
<h2>${t.models}</h2>${agent.deployments.length === 0 ? html`<p class="dim">${t.noModels}</p>` : html`<ul class="plain">${agent.deployments.map(({ deployment }) => html`<li>${shown(modelName(deployment))}</li>`)}</ul>`}
${connectionControls(agent, csrf, t)}</section>
${grantCards(agent, draw)}<p><a href="/me">${t.back}</a></p>`
        return { kind: 'html', title: agent.name, body }
      },
    },
    {
      method: 'post',
      path: '/me/connections/{id}',
      who: 'user',
      run: (visit) => changeConnection(deps, visit),
    },
  ]
}

/** Pausing an agent stops it at once and takes nothing but a click; letting it go on gives it nothing by itself. */
async function changeConnection(
  { broker }: PageDeps,
  { person, params, form }: PageRequest,
): Promise<PageAnswer> {
  const which = { userId: person?.id ?? '', agentId: params.id ?? '' }
  const isPause = form.get('do') === 'pause'
  const done = isPause ? await pauseAgent(broker, which) : await resumeAgent(broker, which)
  if (done.kind === 'not_found') return { kind: 'not_found' }
  const said = done.kind === 'agent_not_connected' ? 'not_possible' : done.kind
  return { kind: 'redirect', location: `/me/connections/${which.agentId}?done=${said}` }
}

function saidOf(done: string | undefined, t: AuthorityTexts): Html | '' {
  if (done === 'paused') return notice('warn', t.agentPausedNow)
  if (done === 'resumed') return notice('good', t.agentResumed)
  return done === 'not_possible' ? notice('bad', t.notPossible) : ''
}

function agentTag({ status }: Connected, t: AuthorityTexts): Html | '' {
  if (status === 'paused') return html`<span class="tag tag-warn">${t.state_paused}</span>`
  return status === 'disconnected' ? html`<span class="tag">${t.disconnected}</span>` : ''
}

function connectionControls({ agentId, status }: Connected, csrf: string, t: AuthorityTexts): Html | '' {
  if (status === 'disconnected') return ''
  const [what, label] = status === 'paused' ? ['resume', t.resumeAgent] : ['pause', t.pauseAgent]
  return html`<div class="actions"><form method="post" action="/me/connections/${agentId}">${csrfField(csrf)}<button class="plain" name="do" value="${what}">${label}</button></form><a class="button danger" href="/me/revoke?agent=${agentId}">${t.disconnect}</a></div>`
}

function isLive({ state }: HeldGrant): boolean {
  return !ENDED.includes(state)
}

function facts(agent: Connected, { locale, zone, speaker, t }: Draw): Html {
  return html`<p class="dim small">${t.connectedSince(when(agent.createdAtMs, zone, locale))} · ${t.nameClaimed}${agent.client ? html` · ${t.clientHost(speaker.quote(agent.client.host))}` : ''}</p>`
}

/** What a skill may use of the person's accounts there; each is linked and taken back on the page of its own. */
function linkedCard(linked: readonly LinkView[], locale: Locale): Html {
  const t = REACH[locale]
  return html`<section class="card" aria-labelledby="linked"><div class="between"><h2 id="linked">${t.linkedTitle}</h2><a href="/linked">${AUTHORITY[locale].manage}<span class="sr"> ${t.linkedTitle}</span></a></div>
<div>${linked.map((view) => html`<div class="item"><div class="between"><h3>${shown(view.title[locale])}</h3>${linkTag(view, t)}</div><p class="small dim">${shown(view.skillTitle[locale])} · ${t.sentTo(view.sentTo)}</p></div>`)}</div></section>`
}

function agentCard(agent: Connected, draw: Draw): Html {
  const { t } = draw
  const live = agent.grants.filter(isLive)
  const ended = agent.grants.filter((grant) => !isLive(grant))
  return html`<section class="card" aria-labelledby="a-${agent.agentId}"><div class="tight"><div class="between"><h2 id="a-${agent.agentId}">${shown(agent.name)} ${agentTag(agent, t)}</h2><a href="/me/connections/${agent.agentId}">${t.manage}<span class="sr"> ${shown(agent.name)}</span></a></div>
${facts(agent, draw)}</div>
${live.length === 0 ? html`<p class="dim">${t.nothingGiven}</p>` : html`<div>${live.map((grant) => grantItem(grant, draw))}</div>`}
${ended.length === 0 ? '' : html`<details><summary>${t.endedGrants} (${String(ended.length)})</summary><div>${ended.map((grant) => grantItem(grant, draw))}</div></details>`}</section>`
}

function grantCards(agent: Connected, draw: Draw): Html {
  const { t } = draw
  const live = agent.grants.filter(isLive)
  const ended = agent.grants.filter((grant) => !isLive(grant))
  return html`${live.length === 0 ? '' : html`<section class="card"><div>${live.map((grant) => grantItem(grant, draw))}</div></section>`}
${ended.length === 0 ? '' : html`<section class="card"><h2>${t.endedGrants}</h2><div>${ended.map((grant) => grantItem(grant, draw))}</div></section>`}`
}

function grantItem(grant: HeldGrant, { t, locale, zone, speaker }: Draw): Html {
  const live = isLive(grant)
  const { unusedExpiresAtMs: unusedMs } = grant
  const endsUnused = unusedMs !== null && unusedMs < grant.terms.expiresAtMs
  return html`<div class="item"><div class="between"><h3><a href="/me/grants/${grant.grantId}">${shown(grant.title[locale])}</a></h3><span>${stateTag(grant.state, t)}${grant.terms.oneTime ? html` <span class="tag">${t.oneTime}</span>` : ''}</span></div>
${
  live
    ? usageBars(grant.usage, speaker, t, (name) =>
        speaker.quote(grant.actionTitles.get(name)?.[locale] ?? name),
      )
    : ''
}
<p class="small dim">${grant.lastUsedAtMs === null ? t.neverUsed : t.lastUsed(when(grant.lastUsedAtMs, zone, locale))} · ${grant.state === 'expired' ? t.ended(when(grant.terms.expiresAtMs, zone, locale)) : live ? t.ends(when(grant.terms.expiresAtMs, zone, locale)) : t.ended(when(grant.changedAtMs, zone, locale))}</p>
${endsUnused ? html`<p class="small dim">${t.unusedEnds(when(unusedMs, zone, locale))}</p>` : ''}</div>`
}
