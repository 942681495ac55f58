import { html } from 'hono/html'
import { addMailChannel, addPushChannel, verifyMailChannel } from '../broker/add-channel.ts'
import type { Broker } from '../broker/broker.ts'
import { type ChannelView, listChannels, removeChannel } from '../broker/list-channels.ts'
import type { Carriers } from '../ports/carriers.ts'
import { csrfField, field, idOf, notice, shown } from './elements.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import { REACH } from './texts/reach.ts'
import type { ReachTexts } from './texts/reach-en.ts'

type Deps = { readonly broker: Broker; readonly carriers: Carriers }
type ChannelFault = keyof ReachTexts['channelFaults']

const PATH = '/channels'

/** Where a user says how they are reached. Every change takes a step-up: whoever adds a channel reads along. */
export function channelPages(deps: Deps): Page[] {
  return [
    { method: 'get', path: PATH, who: 'user', run: (visit) => list(deps, visit, undefined) },
    {
      method: 'post',
      path: PATH,
      who: 'user',
      needsStepUp: () => true,
      run: async (visit) => after(deps, visit, await change(deps, visit)),
    },
  ]
}

function change({ broker, carriers }: Deps, visit: PageRequest): Promise<Done> | Done {
  const userId = visit.person?.id ?? ''
  const channelId = visit.form.get('channel') ?? ''
  switch (visit.form.get('do')) {
    case 'mail':
      return addMailChannel(broker, carriers, about(visit, 'address'))
    case 'push':
      return addPushChannel(broker, carriers, about(visit, 'subscription'))
    case 'verify':
      return verifyMailChannel(broker, { userId, channelId, code: visit.form.get('code') ?? '' })
    case 'remove':
      return removeChannel(broker, { userId, channelId })
    default:
      return { kind: 'not_found' }
  }
}

function about<Name extends string>({ person, form, locale }: PageRequest, name: Name) {
  const text = { [name]: form.get(name) ?? '' } as Record<Name, string>
  return { userId: person?.id ?? '', locale, ...text }
}

type Done = { kind: 'added' | 'verified' | 'removed' | ChannelFault }

function after(deps: Deps, visit: PageRequest, done: Done): Promise<PageAnswer> | PageAnswer {
  const { kind } = done
  if (kind === 'added' || kind === 'verified' || kind === 'removed')
    return { kind: 'redirect', location: PATH }
  return list(deps, visit, kind)
}

async function list(
  { broker, carriers }: Deps,
  visit: PageRequest,
  fault: ChannelFault | undefined,
): Promise<PageAnswer> {
  const t = REACH[visit.locale]
  const { csrf } = visit
  const channels = await listChannels(broker, { userId: visit.person?.id ?? '' })
  return {
    kind: 'html',
    status: fault === undefined ? 200 : 409,
    title: t.channelsTitle,
    scripts: ['channels.js'],
    body: html`<div class="head"><h1>${t.channelsTitle}</h1><p class="dim">${t.channelsIntro}</p></div>
${fault === undefined ? '' : notice('bad', t.channelFaults[fault])}
${channels.length === 0 ? notice('plain', t.channelsNone) : channels.map((channel) => card(t, csrf, channel))}
<section class="card"><h2>${t.addMail}</h2>${
      carriers.mail
        ? html`<form method="post" action="/channels" class="stack">${csrfField(csrf)}${field({ name: 'address', label: t.address }, (attributes) => html`<input ${attributes} type="email" maxlength="254" autocomplete="email" required>`)}<p class="actions"><button class="plain" name="do" value="mail">${t.sendCode}</button></p></form>`
        : html`<p class="dim">${t.noMail}</p>`
    }</section>
${carriers.push ? pushCard(t, csrf, carriers.push.publicKey) : ''}
<p><a href="/security">${t.toSecurity}</a></p>`,
  }
}

function card(t: ReachTexts, csrf: string, channel: ChannelView): Html {
  const hidden = html`${csrfField(csrf)}<input type="hidden" name="channel" value="${channel.id}">`
  const code = html`<form method="post" action="/channels" class="stack">${hidden}${field({ name: `code-${channel.id}`, label: t.code }, () => html`<input id="${idOf(`code-${channel.id}`)}" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required>`)}<p class="actions"><button name="do" value="verify">${t.verify}</button></p></form>`
  const waits = channel.status === 'unverified'
  return html`<section class="card"><div class="between"><h2>${shown(channel.shown)}</h2><span><span class="tag">${channel.kind === 'mail' ? t.kindMail : t.kindPush}</span>${waits ? html` <span class="tag tag-warn">${t.unverified}</span>` : ''}</span></div>
${channel.failures > 0 ? notice('warn', t.failing(channel.failures)) : ''}${waits ? code : ''}
<form method="post" action="/channels" class="actions">${hidden}<button class="danger" name="do" value="remove">${t.remove}</button></form></section>`
}

/** The script asks the browser, fills the hidden field and posts the form; without it the button stays away. */
function pushCard(t: ReachTexts, csrf: string, publicKey: string): Html {
  return html`<section class="card"><h2>${t.addPush}</h2><p class="dim">${t.pushText}</p>
<form method="post" action="/channels" data-push-key="${publicKey}" hidden>${csrfField(csrf)}<input type="hidden" name="subscription"><input type="hidden" name="do" value="push"><button class="plain">${t.addPush}</button></form></section>`
}
