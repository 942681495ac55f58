import { html } from 'hono/html'
import type { LinkView } from '../broker/list-linked.ts'
import type { Html } from './page.ts'
import type { ReachTexts } from './texts/reach-en.ts'

/** How it stands with an account that can be linked. */
export function linkTag({ account }: LinkView, t: ReachTexts): Html {
  if (account === null) return html`<span class="tag">${t.statusNone}</span>`
  if (account.status === 'linked') return html`<span class="tag tag-good">${t.statusLinked}</span>`
  return html`<span class="tag tag-warn">${t.statusBroken}</span>`
}
