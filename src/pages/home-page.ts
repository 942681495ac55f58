import type { Page } from './page.ts'

/** Brings whoever comes to the root where they belong. */
export function homePage(): Page {
  return {
    method: 'get',
    path: '/',
    who: 'signed_in',
    run: ({ person }) => ({
      kind: 'redirect',
      location: person?.kind === 'operator' ? '/operator' : '/inbox',
    }),
  }
}
