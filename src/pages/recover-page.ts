import { html } from 'hono/html'
import { recover } from '../people/recover.ts'
import { csrfField, field } from './elements.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

/** The way in for somebody who lost every passkey; it works without script. */
export function recoverPages(deps: PeoplePageDeps): Page[] {
  return [
    { method: 'get', path: '/recover', who: 'anyone', run: (visit) => show(visit, undefined, 200) },
    {
      method: 'post',
      path: '/recover',
      who: 'anyone',
      async run(visit) {
        const t = PEOPLE[visit.locale]
        const outcome = await recover(deps, { code: visit.form.get('code') ?? '', address: visit.address })
        switch (outcome.kind) {
          case 'recovered':
            return { kind: 'redirect', location: `/enrol/${outcome.token}` }
          case 'refused':
            return show(visit, t.recoverRefused, 403)
          case 'wait':
            return show(visit, t.waitSeconds(outcome.seconds), 429)
        }
      },
    },
  ]
}

function show({ locale, csrf }: PageRequest, fault: string | undefined, status: number): PageAnswer {
  const t = PEOPLE[locale]
  const code = field(
    { name: 'code', label: t.recoveryCode, fault },
    (attributes) =>
      html`<input ${attributes} maxlength="100" required autocomplete="off" autocapitalize="none" spellcheck="false">`,
  )
  const body = html`<section class="card narrow"><h1>${t.recoverTitle}</h1><p>${t.recoverText}</p>
<form method="post" action="/recover" class="stack">${csrfField(csrf)}${code}<p class="actions"><button>${t.recoverButton}</button><a class="button plain" href="/sign-in">${t.cancel}</a></p></form></section>`
  return { kind: 'html', status, title: t.recoverTitle, body, isPlain: true }
}
