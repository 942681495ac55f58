import { html } from 'hono/html'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { pageHeaders } from '../pages/content-policy.ts'
import { readCookies, wireName } from '../pages/cookies.ts'
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
  const cookies = readCookies(ctx.get('cookie'))
  const locale = chooseLocale(cookies.get(wireName('lang', isSecure)), ctx.get('accept-language'))
  const texts = CONNECT[locale]
  ctx.set(pageHeaders([], isSecure))
  ctx.type = 'html'
  ctx.body = await layout({
    locale,
    title: texts.errorTitle,
    body: html`<section class="card narrow"><h1>${texts.errorTitle}</h1><p>${texts.errorText}</p>
<p class="notice"><code>${error}</code> ${shown(description)}</p></section>`,
    person: null,
    csrf: '',
    here: '/',
    scripts: [],
    isPlain: true,
  })
}
