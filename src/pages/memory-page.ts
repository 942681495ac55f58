import { html } from 'hono/html'
import { forgetAllByUser, forgetByUser } from '../broker/forget-memory.ts'
import { listMemory, type MemoryView } from '../broker/list-memory.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { visibleText } from '../core/text-rules.ts'
import { pageOf } from '../http/cursor.ts'
import { csrfField, notice, shown } from './elements.ts'
import type { Locale } from './locale.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { AUTHORITY } from './texts/authority.ts'
import { MEMORY } from './texts/memory.ts'
import type { MemoryTexts } from './texts/memory-en.ts'
import { when } from './when.ts'

const PATH = '/me/memory'

/** What agents remember about a person: by whom, for what, until when, and a button to have it destroyed. */
export function memoryPages(deps: PageDeps): Page[] {
  return [
    { method: 'get', path: PATH, who: 'user', run: (visit) => list(deps, visit) },
    { method: 'post', path: PATH, who: 'user', run: (visit) => forget(deps, visit) },
  ]
}

async function list({ broker }: PageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, locale, query, csrf } = visit
  const t = MEMORY[locale]
  const userId = person?.id ?? ''
  const { items, next } = await listMemory(broker, { userId, page: pageOf({ cursor: query.cursor }) })
  const { timeZone } = await showTimeZone(broker, { userId })
  const older = next && `${PATH}?cursor=${Buffer.from(`1.${next.atMs}.${next.id}`).toString('base64url')}`
  const isEmpty = items.length === 0 && query.cursor === undefined && older === null
  const body = html`<div class="head"><h1>${t.title}</h1><p class="dim">${t.intro}</p></div>${saidOf(query.done, t)}
${
  isEmpty
    ? html`<section class="card empty"><h2>${t.emptyTitle}</h2><p class="dim">${t.emptyText}</p></section>`
    : html`<section class="card"><p class="dim small">${t.claim}</p><div>${items.map((view) => item(view, t, locale, timeZone, csrf))}</div></section>
<details class="card"><summary>${t.forgetAll}</summary><p>${t.forgetAllText}</p><form method="post" action="${PATH}">${csrfField(csrf)}<button class="danger" name="all" value="yes">${t.forgetAll}</button></form></details>`
}
<p class="actions">${query.cursor === undefined ? '' : html`<a class="button plain" href="${PATH}">${t.newest}</a>`}${older === null ? '' : html`<a class="button plain" href="${older}">${t.older}</a>`}</p>
<p><a href="/me">${AUTHORITY[locale].back}</a></p>`
  return { kind: 'html', title: t.title, body }
}

function saidOf(done: string | undefined, t: MemoryTexts): Html | '' {
  if (done === 'forgotten') return notice('good', t.forgotten)
  if (done === 'held') return notice('warn', t.held)
  return done === 'gone' ? notice('plain', t.gone) : ''
}

function item(view: MemoryView, t: MemoryTexts, locale: Locale, zone: string, csrf: string): Html {
  const kind = view.classTitle?.[locale] ?? view.class
  const skill = view.skillTitle?.[locale] ?? view.skill
  const until = t.until(when(view.expiresAtMs, zone, locale))
  return html`<div class="item"><div class="between"><h2>${shown(kind)}</h2>${view.sessionOnly ? html`<span class="tag">${t.sessionOnly}</span>` : ''}</div>
<p class="small">${t.by(visibleText(view.agentName ?? t.agentGone))} · ${shown(skill)}${view.categoryTitle ? html` · ${shown(view.categoryTitle[locale])}` : ''}</p>
<dl class="facts">${view.key === null ? '' : html`<dt>${t.key}</dt><dd>${shown(view.key)}</dd>`}<dt>${t.content}</dt><dd><bdi>${visibleText(view.content, 'keep')}</bdi></dd><dt>${t.purpose}</dt><dd>${shown(view.purpose)}</dd></dl>
<p class="small dim">${t.keptSince(when(view.createdAtMs, zone, locale))} · <strong>${until}</strong> · ${t.limits[view.limitedBy]}</p>
<form method="post" action="${PATH}">${csrfField(csrf)}<button class="danger" name="item" value="${view.itemId}">${t.forget}<span class="sr"> ${shown(view.key ?? kind)}</span></button></form></div>`
}

/** Forgetting takes nothing but a click, since it can only take away from an agent. */
async function forget({ broker }: PageDeps, { person, form }: PageRequest): Promise<PageAnswer> {
  const userId = person?.id ?? ''
  const itemId = form.get('item')
  if (itemId !== undefined) {
    const done = await forgetByUser(broker, { userId, itemId })
    return { kind: 'redirect', location: `${PATH}?done=${done.kind === 'forgotten' ? 'forgotten' : 'gone'}` }
  }
  if (form.get('all') !== 'yes') return { kind: 'redirect', location: PATH }
  const { isHeld } = await forgetAllByUser(broker, { userId })
  return { kind: 'redirect', location: `${PATH}?done=${isHeld ? 'held' : 'forgotten'}` }
}
