import { html } from 'hono/html'
import { visibleText } from '../core/text-rules.ts'
import type { Person } from '../people/person.ts'
import { assetPath } from './assets.ts'
import { csrfField } from './elements.ts'
import { LANGUAGE_TAGS, type Locale } from './locale.ts'
import type { Html } from './page.ts'
import { LAYOUT } from './texts/layout.ts'
import type { LayoutTexts } from './texts/layout-en.ts'

export type LayoutFacts = {
  readonly locale: Locale
  readonly title: string
  readonly body: Html
  readonly person: Person | null
  /** Empty where a page has no forms; then it has no language switch either, which posts. */
  readonly csrf: string
  /** Path and query the language switch comes back to. */
  readonly here: string
  readonly scripts: readonly string[]
  readonly isPlain: boolean
}

const USER_PAGES: readonly (readonly [path: string, name: keyof LayoutTexts & string])[] = [
  ['/inbox', 'inbox'],
  ['/me', 'authority'],
  ['/me/activity', 'activity'],
  ['/limits', 'limits'],
  ['/security', 'security'],
]
const OPERATOR_PAGES: typeof USER_PAGES = [
  ['/operator', 'operator'],
  ['/operator/people', 'people'],
  ['/security', 'security'],
]

/** A whole page around its content. */
export async function layout(facts: LayoutFacts): Promise<string> {
  const { locale, body, person, csrf, isPlain } = facts
  const title = titleText(facts.title)
  const t = LAYOUT[locale]
  const page = html`<!doctype html>
<html lang="${LANGUAGE_TAGS[locale]}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${t.product}</title>
<link rel="icon" href="${assetPath('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetPath('app.css')}">
${['app.js', ...facts.scripts].map((name) => html`<script src="${assetPath(name)}" defer></script>`)}</head>
<body><a class="skip" href="#content">${t.skipToContent}</a>
<header class="top"><div class="bar"><a class="brand" href="/"><img src="${assetPath('icon.svg')}" alt="" width="28" height="28">${t.product}</a>
<div class="bar-end">${csrf === '' ? '' : languageSwitch(facts)}${person ? signOut(t, csrf) : ''}</div></div>
${person && !isPlain ? navigation(t, person, facts.here) : ''}</header>
<main id="content" tabindex="-1">${body}</main>
<footer><p>${t.footer}</p></footer></body></html>`
  return String(await page)
}

/** Titles are often somebody's words; those of a sentence have their odd characters by number already. */
function titleText(title: string): string {
  return /[\p{Bidi_Control}\p{Cc}\p{Default_Ignorable_Code_Point}]/u.test(title) ? visibleText(title) : title
}

function navigation(t: LayoutTexts, person: Person, here: string): Html {
  const pages = person.kind === 'user' ? USER_PAGES : OPERATOR_PAGES
  const [path] = here.split('?')
  return html`<nav aria-label="${t.navigation}"><ul>${pages.map(
    ([to, name]) =>
      html`<li>${to === path ? html`<a href="${to}" aria-current="page">${t[name]}</a>` : html`<a href="${to}">${t[name]}</a>`}</li>`,
  )}</ul></nav>`
}

const NAMES: Readonly<Record<Locale, string>> = { en: 'English', zh: '简体中文' }

/** The switch posts: following a link must not change anything. */
function languageSwitch({ locale, csrf, here }: LayoutFacts): Html {
  const other: Locale = locale === 'en' ? 'zh' : 'en'
  return html`<form method="post" action="/language" class="switch">${csrfField(csrf)}<input type="hidden" name="next" value="${here}"><button class="quiet" name="lang" value="${other}" lang="${LANGUAGE_TAGS[other]}">${NAMES[other]}</button></form>`
}

function signOut(t: LayoutTexts, csrf: string): Html {
  return html`<form method="post" action="/sign-out" class="switch">${csrfField(csrf)}<button class="quiet">${t.signOut}</button></form>`
}
