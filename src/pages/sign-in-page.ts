import { html } from 'hono/html'
import { beginSignUp, finishEnrolment } from '../people/enrol.ts'
import { signOut } from '../people/sessions.ts'
import { beginSignIn, finishSignIn } from '../people/sign-in.ts'
import { clearCookie } from './cookies.ts'
import { csrfField, field, notice } from './elements.ts'
import { enrolledAnswer } from './enrol-page.ts'
import { ownPath } from './own-path.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import { PASSKEY_SCRIPTS, passkeyForm } from './passkey-form.ts'
import { browserOf, HOME, type PeoplePageDeps, sessionCookie, underOwnName } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

/** Signing in and out. */
export function signInPages(deps: PeoplePageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/sign-in',
      who: 'anyone',
      run: (visit) => underOwnName(deps, visit) ?? show(deps, visit, visit.query.next, 200),
    },
    {
      method: 'post',
      path: '/sign-in/options',
      who: 'anyone',
      async run(visit) {
        return { kind: 'json', body: { options: plain(await beginSignIn(deps, browserOf(visit))) } }
      },
    },
    { method: 'post', path: '/sign-in', who: 'anyone', run: (visit) => signIn(deps, visit) },
    {
      method: 'post',
      path: '/sign-up/options',
      who: 'anyone',
      async run(visit) {
        const options = await beginSignUp(deps, browserOf(visit))
        return options ? { kind: 'json', body: { options: plain(options) } } : { kind: 'not_found' }
      },
    },
    {
      method: 'post',
      path: '/sign-up',
      who: 'anyone',
      async run(visit) {
        const enrolled = await finishEnrolment(deps, {
          answer: visit.form.get('answer') ?? '',
          passkeyName: visit.form.get('name') ?? '',
          purpose: 'sign_up',
          browser: browserOf(visit),
        })
        if (enrolled.kind === 'refused') return show(deps, visit, visit.form.get('next'), 403)
        return enrolledAnswer(deps, visit, enrolled, ownPath(visit.form.get('next'), HOME))
      },
    },
    { method: 'get', path: '/sign-out', who: 'signed_in', run: showSignOut },
    {
      method: 'post',
      path: '/sign-out',
      who: 'signed_in',
      async run({ person }) {
        if (person) await signOut(deps, person)
        const cookies = [clearCookie('countersign', deps.isSecure)]
        return { kind: 'redirect', location: '/sign-in', cookies }
      },
    },
  ]
}

async function signIn(deps: PeoplePageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { form } = visit
  const signedIn = await finishSignIn(deps, { answer: form.get('answer') ?? '', browser: browserOf(visit) })
  if (signedIn.kind === 'refused') return show(deps, visit, form.get('next'), 403)
  return {
    kind: 'redirect',
    location: ownPath(form.get('next'), HOME),
    cookies: [sessionCookie(deps, signedIn.person, signedIn.cookie)],
  }
}

function show(
  deps: PeoplePageDeps,
  visit: PageRequest,
  wanted: string | undefined,
  status: number,
): PageAnswer {
  const t = PEOPLE[visit.locale]
  const next = html`<input type="hidden" name="next" value="${ownPath(wanted, HOME)}">`
  const { provider, settings } = deps
  const body = html`<section class="card narrow"><h1>${t.signInTitle}</h1>
${status === 200 ? '' : notice('bad', t.refused)}
${provider ? providerForm(visit, next, t.signInProvider) : html`<p class="dim">${t.signInText}</p>`}
${passkeyForm(visit, { use: 'get', action: '/sign-in', options: '/sign-in/options', button: t.signInButton, fields: next, isQuiet: provider !== null })}
<p><a href="/recover">${t.lostPasskey}</a></p></section>
${provider ? '' : settings.signUp === 'open' ? signUpForm(visit, next) : html`<section class="card narrow"><p class="dim">${t.invitedOnly}</p></section>`}`
  return {
    kind: 'html',
    status,
    title: t.signInTitle,
    body,
    scripts: PASSKEY_SCRIPTS,
    isPlain: true,
    ...(provider ? { formActions: provider.origins } : {}),
  }
}

/** A form, so that nobody is sent to the provider by a link of somebody else's. */
function providerForm({ csrf }: PageRequest, next: Html, button: string): Html {
  return html`<form method="post" action="/sign-in/provider" class="stack">${csrfField(csrf)}${next}<p class="actions"><button>${button}</button></p></form>`
}

function signUpForm(visit: PageRequest, next: Html): Html {
  const t = PEOPLE[visit.locale]
  const name = field(
    { name: 'name', label: t.passkeyName, hint: t.passkeyNameHint },
    (attributes) => html`<input ${attributes} maxlength="60" autocomplete="off">`,
  )
  return html`<section class="card narrow"><h2>${t.noAccount}</h2>
${passkeyForm(visit, { use: 'create', action: '/sign-up', options: '/sign-up/options', button: t.signUpButton, fields: html`${next}${name}`, isQuiet: true })}</section>`
}

function showSignOut({ locale, csrf }: PageRequest): PageAnswer {
  const t = PEOPLE[locale]
  const body = html`<section class="card narrow"><h1>${t.signOutTitle}</h1><p>${t.signOutText}</p>
<form method="post" action="/sign-out">${csrfField(csrf)}<p class="actions"><button>${t.signOutButton}</button><a class="button plain" href="/">${t.cancel}</a></p></form></section>`
  return { kind: 'html', title: t.signOutTitle, body }
}

/** Options of a library as the JSON they are. */
export function plain(options: object) {
  return JSON.parse(JSON.stringify(options))
}
