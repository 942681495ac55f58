import { html } from 'hono/html'
import { visibleText } from '../core/text-rules.ts'
import type { Html } from './page.ts'

/** The hidden field every form carries. */
export function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`
}

/**
 * A text somebody else wrote, such as a name, a label or an argument: odd characters are shown by number, and it cannot
 * change the direction of what stands around it.
 */
export function shown(text: string): Html {
  return html`<bdi>${visibleText(text)}</bdi>`
}
