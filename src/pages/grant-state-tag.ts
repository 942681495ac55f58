import { html } from 'hono/html'
import type { GrantState } from '../core/grant/grant-state.ts'
import type { Html } from './page.ts'
import type { AuthorityTexts } from './texts/authority-en.ts'

const KINDS: Readonly<Record<GrantState, string>> = {
  active: 'tag-good',
  suspended: 'tag-warn',
  paused: 'tag-warn',
  expired: '',
  revoked: '',
  used_up: '',
  replaced: '',
}

/** How a grant stands, in a word. */
export function stateTag(state: GrantState, t: AuthorityTexts): Html {
  return html`<span class="tag ${KINDS[state]}">${t[`state_${state}`]}</span>`
}
