import { html } from 'hono/html'
import type { ProblemCode } from '../http/problem-codes.ts'
import type { Locale } from './locale.ts'
import type { Html } from './page.ts'
import { LAYOUT } from './texts/layout.ts'

/** What a person is told where the API answers a problem; nothing of what the code says is repeated. */
export function problemBody(
  code: ProblemCode | 'form_stale',
  locale: Locale,
  again: string | null,
  requestId: string,
): { title: string; body: Html } {
  const t = LAYOUT[locale]
  const [title, text] = wordsFor(code, locale)
  return {
    title,
    body: html`<section class="card narrow"><h1>${title}</h1><p>${text}</p>
<p class="actions">${again === null ? '' : html`<a class="button" href="${again}">${t.tryAgain}</a>`}<a class="button plain" href="/">${t.home}</a></p>
<p class="dim small">${t.requestId(requestId)}</p></section>`,
  }
}

function wordsFor(code: ProblemCode | 'form_stale', locale: Locale): readonly [string, string] {
  const t = LAYOUT[locale]
  switch (code) {
    case 'not_found':
    case 'method_not_allowed':
      return [t.notFoundTitle, t.notFoundText]
    case 'form_stale':
    case 'origin_not_allowed':
      return [t.formStaleTitle, t.formStaleText]
    case 'rate_limited':
      return [t.rateTitle, t.rateText]
    case 'stopping':
    case 'not_ready':
      return [t.stoppingTitle, t.stoppingText]
    case 'internal':
      return [t.failedTitle, t.failedText]
    default:
      return [t.badInputTitle, t.badInputText]
  }
}
