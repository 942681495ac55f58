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

export type NoticeKind = 'plain' | 'good' | 'warn' | 'bad'

/** A box that says how things stand; one that came of what was just done is where the eye goes first. */
export function notice(kind: NoticeKind, text: Html | string): Html {
  return html`<div class="notice notice-${kind}" role="${kind === 'bad' ? 'alert' : 'status'}"><p>${text}</p></div>`
}

export type FieldFacts = {
  readonly name: string
  readonly label: string
  readonly hint?: string | undefined
  readonly fault?: string | undefined
}

/** A labelled control with its hint and its fault, tied together for those who listen. */
export function field(facts: FieldFacts, control: (attributes: Html) => Html): Html {
  const { name, label, hint, fault } = facts
  const id = idOf(name)
  const described = [hint === undefined ? '' : `${id}-hint`, fault === undefined ? '' : `${id}-fault`]
    .filter((part) => part !== '')
    .join(' ')
  const attributes = html`id="${id}" name="${name}"${described === '' ? '' : html` aria-describedby="${described}"`}${fault === undefined ? '' : html` aria-invalid="true"`}`
  return html`<div class="field"><label for="${id}">${label}</label>${control(attributes)}
${hint === undefined ? '' : html`<p class="dim small" id="${id}-hint">${hint}</p>`}
${fault === undefined ? '' : html`<p class="error" id="${id}-fault">${fault}</p>`}</div>`
}

/** A box to tick. The label may be what somebody else wrote; it is escaped as any value. */
export function check(facts: {
  readonly name: string
  readonly value: string
  readonly label: Html | string
  readonly isChecked: boolean
  readonly type?: 'checkbox' | 'radio'
}): Html {
  const { name, value, label, isChecked, type = 'checkbox' } = facts
  return html`<label class="check"><input type="${type}" name="${name}" value="${value}"${isChecked ? html` checked` : ''}><span>${label}</span></label>`
}

export function select(
  attributes: Html,
  options: readonly (readonly [value: string, label: string])[],
  chosen: string,
): Html {
  return html`<select ${attributes}>${options.map(
    ([value, label]) =>
      html`<option value="${value}"${value === chosen ? html` selected` : ''}>${label}</option>`,
  )}</select>`
}

/** A time with, where it lies ahead, how much is left; app.js counts it down. */
export function deadline(text: string, left: string, leftMs: number, reloads: boolean): Html {
  return html`<time>${text}</time> · <strong data-left="${String(Math.max(0, leftMs))}"${reloads ? html` data-then="reload"` : ''}>${left}</strong>`
}

/** Names of fields as ids: whatever they are made of, they are letters, digits and dashes there. */
export function idOf(name: string): string {
  return `f-${name.replace(/[^a-zA-Z0-9]/g, '-')}`
}
