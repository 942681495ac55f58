import { html } from 'hono/html'
import { beginStepUp, finishStepUp } from '../people/step-up.ts'
import { csrfField, notice } from './elements.ts'
import { ownPath } from './own-path.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import { PASSKEY_SCRIPTS, passkeyForm } from './passkey-form.ts'
import { HOME, type PeoplePageDeps, sessionCookie } from './people-visit.ts'
import { plain } from './sign-in-page.ts'
import { PEOPLE } from './texts/people.ts'

/** Where a person shows that it is them, on the way to something that takes it. */
export function stepUpPages(deps: PeoplePageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/step-up',
      who: 'signed_in',
      run: (visit) => show(deps, visit, visit.query.next, 200),
    },
    {
      method: 'post',
      path: '/step-up/options',
      who: 'signed_in',
      async run({ person }) {
        if (!person) return { kind: 'not_found' }
        return { kind: 'json', body: { options: plain(await beginStepUp(deps, person)) } }
      },
    },
    {
      method: 'post',
      path: '/step-up',
      who: 'signed_in',
      async run(visit) {
        const { person, form } = visit
        const cookie = visit.cookie('countersign')
        if (!person || cookie === undefined) return { kind: 'not_found' }
        const done = await finishStepUp(deps, { person, cookie, answer: form.get('answer') ?? '' })
        if (done.kind === 'refused') return show(deps, visit, form.get('next'), 403)
        return {
          kind: 'redirect',
          location: ownPath(form.get('next'), HOME),
          cookies: [sessionCookie(deps, person, done.cookie)],
        }
      },
    },
  ]
}

function show(
  deps: PeoplePageDeps,
  visit: PageRequest,
  wanted: string | undefined,
  status: number,
): PageAnswer {
  const t = PEOPLE[visit.locale]
  const next = ownPath(wanted, HOME)
  const hidden = html`<input type="hidden" name="next" value="${next}">`
  const provider = visit.person?.viaProvider ? deps.provider : null
  const form = provider
    ? html`<form method="post" action="/step-up/provider" class="stack">${csrfField(visit.csrf)}${hidden}<p class="actions"><button>${t.stepUpProvider}</button></p></form>`
    : passkeyForm(visit, {
        use: 'get',
        action: '/step-up',
        options: '/step-up/options',
        button: t.stepUpButton,
        fields: hidden,
      })
  const body = html`<section class="card narrow"><h1>${t.stepUpTitle}</h1>${status === 200 ? '' : notice('bad', t.refused)}
<p>${t.stepUpText}</p>${form}<p><a href="/">${t.cancel}</a></p></section>`
  return {
    kind: 'html',
    status,
    title: t.stepUpTitle,
    body,
    scripts: PASSKEY_SCRIPTS,
    isPlain: true,
    ...(provider ? { formActions: provider.origins } : {}),
  }
}
