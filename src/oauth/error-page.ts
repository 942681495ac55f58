import { html } from 'hono/html'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { pageHeaders } from '../pages/content-policy.ts'
import { shown } from '../pages/elements.ts'
import { layout } from '../pages/layout.ts'
import { chooseLocale } from '../pages/locale.ts'
import { CONNECT } from './texts/connect.ts'

/** Shows a person why a program's request was not answered, where it cannot be told to the program. */
export async function renderErrorPage(
  ctx: KoaContextWithOIDC,
  error: string,
  description: string,
  isSecure: boolean,
): Promise<void> {
  const locale = chooseLocale(undefined, ctx.get('accept-language'))
  const texts = CONNECT[locale]
  ctx.set(pageHeaders([], isSecure))
  ctx.type = 'html'
  ctx.body = await layout({
    locale,
    title: texts.errorTitle,
    body: html`<h1>${texts.errorTitle}</h1><p>${texts.errorText}</p>
<p><code>${error}</code> ${shown(description)}</p>`,
    person: null,
    csrf: '',
    here: '/',
    scripts: [],
    isPlain: true,
  })
}
