import { html } from 'hono/html'
import { check, csrfField, notice, shown } from '../pages/elements.ts'
import type { Html, PageRequest } from '../pages/page.ts'
import type { AgentRow } from '../ports/rows.ts'
import type { ConnectView } from './connecting.ts'
import { CONNECT } from './texts/connect.ts'

export type ConnectFormFacts = {
  readonly view: Pick<ConnectView, 'client' | 'scopes' | 'skills'>
  /** The code a person compares with the device's screen; undefined where the program has a browser. */
  readonly userCode?: string
  /** The connection a yes goes on with, where the program proves that it is the same. */
  readonly continued: AgentRow | undefined
  readonly replaceable: readonly AgentRow[]
  /** The older connection chosen before stepping up. */
  readonly replaces: string | undefined
  readonly fault?: string | undefined
  /** What went well on the way here, such as a passkey that confirmed. */
  readonly said?: string | undefined
  readonly action: string
}

/** Prints what a person is asked before a program is connected. Both answers are one press, and look alike. */
export function connectForm(request: Pick<PageRequest, 'locale' | 'csrf'>, facts: ConnectFormFacts): Html {
  const texts = CONNECT[request.locale]
  const { view, userCode, continued, replaces, fault, said } = facts
  const replaceable = facts.replaceable.filter(({ id }) => id !== continued?.id)
  const { client } = view
  return html`<section class="card narrow"><h1>${userCode === undefined ? texts.title : texts.deviceTitle}</h1>
${fault === undefined ? '' : notice('bad', fault)}${said === undefined ? '' : notice('good', said)}
<p class="lead">${client.claimedName === '' ? texts.leadNameless : texts.lead(client.claimedName)}</p>
${userCode === undefined ? '' : html`<div class="tight"><p class="code">${userCode}</p><p class="dim small">${texts.deviceAsk}</p></div>`}
${notice('plain', html`<strong>${continued ? shown(texts.goesOn(dayOf(request.locale, continued))) : texts.noAuthority}</strong>`)}
<ul class="points">
<li>${texts.claimed}</li>
<li>${whereTo(request.locale, facts)}</li>
${view.scopes.includes('log:read') ? html`<li>${texts.logScope}</li>` : ''}
${view.skills.length === 0 ? '' : html`<li>${texts.asksNext} ${view.skills.map((skill) => html`<code>${skill}</code> `)}</li>`}
</ul>
<form method="post" action="${facts.action}" class="stack">${csrfField(request.csrf)}
${userCode === undefined ? '' : html`<input type="hidden" name="user_code" value="${userCode}">`}
${replaceable.length === 0 ? '' : replacing(request.locale, replaceable, replaces)}
<div class="answers"><button class="refuse" name="answer" value="no">${texts.no}</button><button name="answer" value="yes">${texts.yes}</button></div>
</form></section>`
}

function whereTo(locale: PageRequest['locale'], { view, userCode }: ConnectFormFacts): Html | string {
  const texts = CONNECT[locale]
  const { client } = view
  if (userCode !== undefined) return texts.device
  if (client.isPublished) return texts.published(client.host)
  return client.isLoopback ? texts.loopback(client.host) : texts.goesTo(client.host)
}

function replacing(
  locale: PageRequest['locale'],
  agents: readonly AgentRow[],
  replaces: string | undefined,
): Html {
  const texts = CONNECT[locale]
  const chosen = agents.some(({ id }) => id === replaces) ? replaces : ''
  return html`<fieldset class="tight"><legend>${texts.moveTitle}</legend><p class="dim small">${texts.moveText}</p>
${check({ name: 'replaces', value: '', label: texts.moveNone, isChecked: chosen === '', type: 'radio' })}
${agents.map((agent) =>
  check({
    name: 'replaces',
    value: agent.id,
    label: html`${shown(texts.moveSince(agent.name, dayOf(locale, agent)))}`,
    isChecked: agent.id === chosen,
    type: 'radio',
  }),
)}</fieldset>`
}

function dayOf(locale: PageRequest['locale'], { createdAtMs }: AgentRow): string {
  return new Intl.DateTimeFormat(locale === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium' }).format(
    createdAtMs,
  )
}
