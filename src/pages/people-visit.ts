import { sessionSecondsMost } from '../core/people/session-age.ts'
import type { PeopleDeps } from '../people/people-deps.ts'
import type { Person } from '../people/person.ts'
import type { Browser } from '../people/sign-in.ts'
import { setCookie } from './cookies.ts'
import type { PageAnswer, PageRequest } from './page.ts'

/** What the pages of signing in are made from. */
export type PeoplePageDeps = PeopleDeps & { readonly isSecure: boolean }

/** The browser of a visit; ceremonies are bound to the cookie it had before signing in. */
export function browserOf(visit: PageRequest): Browser {
  return {
    preSession: visit.cookie('countersign-form') ?? visit.cookie('countersign') ?? '',
    userAgent: visit.userAgent,
    before: visit.person,
  }
}

/** The cookie of a session, for as long as that can last at most. */
export function sessionCookie(deps: PeoplePageDeps, person: Person, value: string): string {
  return setCookie('countersign', value, {
    isSecure: deps.isSecure,
    maxAgeSeconds: sessionSecondsMost(person.kind, 'browser'),
  })
}

/**
 * Sends whoever came by a loopback address to the same page under the broker's name: passkeys are made for names, and
 * a session of the one is none of the other. Undefined where the visit is in the right place.
 */
export function underOwnName(deps: PeoplePageDeps, { url }: PageRequest): PageAnswer | undefined {
  const isAddress = /^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (!isAddress || deps.settings.rpId !== 'localhost') return undefined
  return { kind: 'redirect', location: `${deps.settings.origin}${url.pathname}${url.search}` }
}

/** Where somebody belongs who was on the way to nowhere else. */
export const HOME = '/'
