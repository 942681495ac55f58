import { html } from 'hono/html'
import type { Enforcer, Sentence } from '../core/grant/consent-sentence.ts'
import type { Html } from './page.ts'
import type { ConsentTexts } from './texts/consent-en.ts'

const SIGNS: Readonly<Record<Enforcer, string>> = {
  countersign: '✓',
  payment_rail: '✓',
  skill_promise: '○',
  claim: '?',
}
const ORDER: readonly Enforcer[] = ['countersign', 'payment_rail', 'skill_promise', 'claim']

/** One sentence with the sign of who sees to it; the words of the sentence are exactly what is hashed. */
export function sentence({ text, enforcedBy }: Pick<Sentence, 'text' | 'enforcedBy'>, t: ConsentTexts): Html {
  return html`<div class="sentence">${sign(enforcedBy, t)}<p>${text}</p></div>`
}

export function sentenceList(sentences: readonly Sentence[], t: ConsentTexts): Html {
  return html`<ul class="plain">${sentences.map((one) => html`<li>${sentence(one, t)}</li>`)}</ul>`
}

/** What the signs mean, for those that stand on the page. */
export function legend(sentences: readonly Sentence[], t: ConsentTexts): Html {
  const used = ORDER.filter((by) => sentences.some((one) => one.enforcedBy === by))
  return html`<section aria-label="${t.legendTitle}"><ul class="legend">${used.map(
    (by) =>
      html`<li class="sentence"><span class="by by-${by}" aria-hidden="true">${SIGNS[by]}</span><span>${t[`by_${by}`]}</span></li>`,
  )}</ul></section>`
}

function sign(by: Enforcer, t: ConsentTexts): Html {
  return html`<span class="by by-${by}"><span aria-hidden="true">${SIGNS[by]}</span><span class="sr">${t[`short_${by}`]}</span></span>`
}
