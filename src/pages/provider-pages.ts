import { html } from 'hono/html'
import {
  beginProviderSignIn,
  beginProviderStepUp,
  finishProviderSignIn,
  finishProviderStepUp,
} from '../people/sign-in-with-provider.ts'
import { notice } from './elements.ts'
import { ownPath } from './own-path.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import { browserOf, HOME, type PeoplePageDeps, sessionCookie } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

/** The way to the platform's own identity provider and back; nothing where there is none. */
export function providerPages(deps: PeoplePageDeps): Page[] {
  if (!deps.provider) return []
  return [
    {
      method: 'post',
      path: '/sign-in/provider',
      who: 'anyone',
      async run(visit) {
        const next = ownPath(visit.form.get('next'), HOME)
        const begun = await beginProviderSignIn(deps, { browser: browserOf(visit), next })
        return begun.kind === 'begun' ? { kind: 'redirect', location: begun.url } : refused(visit, 503)
      },
    },
    {
      method: 'post',
      path: '/step-up/provider',
      who: 'signed_in',
      async run(visit) {
        if (!visit.person?.viaProvider) return { kind: 'not_found' }
        const next = ownPath(visit.form.get('next'), HOME)
        const begun = await beginProviderStepUp(deps, { person: visit.person, next })
        return begun.kind === 'begun' ? { kind: 'redirect', location: begun.url } : refused(visit, 503)
      },
    },
    { method: 'get', path: '/sign-in/provider/return', who: 'anyone', run: (visit) => back(deps, visit) },
  ]
}

/**
 * A GET that signs in, as the protocol has it: what it brings is good once, and only in the browser that set out with
 * this state.
 */
async function back(deps: PeoplePageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, url } = visit
  const [state = '', query] = [visit.query.state, url.search]
  const cookie = visit.cookie('countersign')
  if (person?.viaProvider && cookie !== undefined) {
    const done = await finishProviderStepUp(deps, { state, query, person, cookie })
    if (done.kind === 'refused') return refused(visit, 403)
    return {
      kind: 'redirect',
      location: ownPath(done.next, HOME),
      cookies: [sessionCookie(deps, person, done.cookie)],
    }
  }
  const signedIn = await finishProviderSignIn(deps, { state, query, browser: browserOf(visit) })
  if (signedIn.kind === 'refused') return refused(visit, 403)
  return {
    kind: 'redirect',
    location: ownPath(signedIn.next, HOME),
    cookies: [sessionCookie(deps, signedIn.person, signedIn.cookie)],
  }
}

function refused({ locale }: PageRequest, status: number): PageAnswer {
  const t = PEOPLE[locale]
  const body = html`<section class="card narrow"><h1>${t.signInTitle}</h1>${notice('bad', t.refused)}<p class="actions"><a class="button" href="/sign-in">${t.signInTitle}</a></p></section>`
  return { kind: 'html', status, title: t.signInTitle, body, isPlain: true }
}
