import { html } from 'hono/html'
import type { Broker } from '../broker/broker.ts'
import { finishLinking, LINK_CALLBACK_PATH, startLinking } from '../broker/link-account.ts'
import { type LinkView, listLinked } from '../broker/list-linked.ts'
import { unlinkAccount } from '../broker/unlink-account.ts'
import { csrfField, notice, shown } from './elements.ts'
import { linkTag } from './link-tag.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import { AUTHORITY } from './texts/authority.ts'
import { REACH } from './texts/reach.ts'
import type { ReachTexts } from './texts/reach-en.ts'

type Deps = { readonly broker: Broker }
type LinkFault = keyof ReachTexts['linkFaults']

/** Where a user links accounts and takes them back. Linking and unlinking take a step-up. */
export function linkedPages({ broker }: Deps): Page[] {
  return [
    { method: 'get', path: '/linked', who: 'user', run: (visit) => list(broker, visit, undefined) },
    {
      method: 'post',
      // The list's own path, so that whoever is sent to step up first comes back to it.
      path: '/linked',
      who: 'user',
      needsStepUp: () => true,
      run: (visit) =>
        visit.form.get('account') === undefined ? start(broker, visit) : unlink(broker, visit),
    },
    { method: 'get', path: LINK_CALLBACK_PATH, who: 'user', run: back },
    { method: 'post', path: LINK_CALLBACK_PATH, who: 'user', run: (visit) => finish(broker, visit) },
  ]
}

async function list(broker: Broker, visit: PageRequest, fault: LinkFault | undefined): Promise<PageAnswer> {
  const t = REACH[visit.locale]
  const { skill } = visit.query
  const views = await listLinked(broker, {
    userId: visit.person?.id ?? '',
    ...(skill === undefined ? {} : { skill }),
  })
  return {
    kind: 'html',
    status: fault === undefined ? 200 : 409,
    title: t.linkedTitle,
    body: html`<div class="head"><h1>${t.linkedTitle}</h1><p class="dim">${t.linkedIntro}</p></div>
${fault === undefined ? '' : notice('bad', t.linkFaults[fault])}
${views.length === 0 ? html`<section class="card empty"><p class="dim">${t.linkedNone}</p></section>` : views.map((view) => card(t, visit, view))}
<p><a href="/me">${AUTHORITY[visit.locale].back}</a></p>`,
    formActions: [...new Set(views.map(({ signInAt }) => signInAt))],
  }
}

function card(t: ReachTexts, { locale, csrf }: PageRequest, view: LinkView): Html {
  const { account } = view
  const mayLink = view.isConfigured && account?.status !== 'linked'
  return html`<section class="card" id="${view.link}"><div class="tight"><div class="between"><h2>${shown(view.title[locale])}</h2>${linkTag(view, t)}</div>
<p class="dim small">${shown(view.skillTitle[locale])} · ${view.means === 'account' ? t.meansAccount : t.meansPayment} · ${t.sentTo(view.sentTo)}</p></div>
${view.isConfigured ? '' : html`<p class="dim">${t.notConfigured}</p>`}
${
  mayLink || account
    ? html`<div class="actions">${mayLink ? html`<form method="post" action="/linked">${csrfField(csrf)}<input type="hidden" name="skill" value="${view.skill}"><button name="link" value="${view.link}">${account ? t.linkAgain : t.link}</button></form>` : ''}
${account ? html`<form method="post" action="/linked">${csrfField(csrf)}<button class="danger" name="account" value="${account.id}">${t.unlink}</button></form>` : ''}</div>`
    : ''
}</section>`
}

async function start(broker: Broker, visit: PageRequest): Promise<PageAnswer> {
  const { person, form } = visit
  const started = await startLinking(broker, {
    userId: person?.id ?? '',
    sessionId: person?.sessionId ?? '',
    skillId: form.get('skill') ?? '',
    link: form.get('link') ?? '',
  })
  if (started.kind === 'started') return { kind: 'redirect', location: started.url }
  return list(broker, visit, started.kind)
}

const ANSWER = ['state', 'code', 'error', 'iss'] as const

/** A GET changes nothing: what came back waits for a button. */
function back({ locale, query, csrf }: PageRequest): PageAnswer {
  const t = REACH[locale]
  const isYes = query.code !== undefined && query.state !== undefined
  const hidden = ANSWER.map((name) =>
    query[name] === undefined ? '' : html`<input type="hidden" name="${name}" value="${query[name]}">`,
  )
  return {
    kind: 'html',
    title: t.backTitle,
    isPlain: true,
    body: html`<section class="card narrow"><h1>${t.backTitle}</h1>${
      isYes
        ? html`<p>${t.backText}</p><form method="post" action="${LINK_CALLBACK_PATH}">${csrfField(csrf)}${hidden}<button>${t.finish}</button></form>`
        : html`<p>${t.backNo}</p>`
    }<p><a href="/linked">${t.toLinked}</a></p></section>`,
  }
}

async function finish(broker: Broker, visit: PageRequest): Promise<PageAnswer> {
  const { person, form } = visit
  const finished = await finishLinking(broker, {
    userId: person?.id ?? '',
    sessionId: person?.sessionId ?? '',
    state: form.get('state'),
    code: form.get('code'),
    error: form.get('error'),
    iss: form.get('iss'),
  })
  if (finished.kind === 'linked') return { kind: 'redirect', location: '/linked' }
  return list(broker, visit, finished.kind)
}

async function unlink(broker: Broker, visit: PageRequest): Promise<PageAnswer> {
  const done = await unlinkAccount(broker, {
    userId: visit.person?.id ?? '',
    accountId: visit.form.get('account') ?? '',
  })
  return done.kind === 'unlinked' ? { kind: 'redirect', location: '/linked' } : { kind: 'not_found' }
}
