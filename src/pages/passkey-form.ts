import { html } from 'hono/html'
import { csrfField } from './elements.ts'
import type { Html, PageRequest } from './page.ts'
import { PEOPLE } from './texts/people.ts'

/** Scripts of every page with such a form. */
export const PASSKEY_SCRIPTS = ['webauthn.js', 'passkey.js'] as const

export type PasskeyForm = {
  readonly use: 'create' | 'get'
  readonly action: string
  /** Where the script asks for a challenge, with the form's own fields. */
  readonly options: string
  readonly button: string
  readonly fields?: Html | string
  readonly isQuiet?: boolean
}

/** A form that an authenticator answers. Without script it says that it needs one. */
export function passkeyForm({ locale, csrf }: PageRequest, form: PasskeyForm): Html {
  const t = PEOPLE[locale]
  return html`<form method="post" action="${form.action}" class="stack" data-passkey="${form.use}" data-options="${form.options}" data-failed="${t.passkeyFailed}">${csrfField(csrf)}<input type="hidden" name="answer" value="">${form.fields ?? ''}
<p class="error" role="alert" data-said hidden></p>
<p class="actions"><button${form.isQuiet ? html` class="plain"` : ''}>${form.button}</button></p><noscript><p class="notice notice-warn">${t.needsScript}</p></noscript></form>`
}
