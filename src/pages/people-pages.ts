import { enrolPages } from './enrol-page.ts'
import { operatorPeoplePages } from './operator-people-page.ts'
import type { Page } from './page.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { providerPages } from './provider-pages.ts'
import { recoverPages } from './recover-page.ts'
import { securityPages } from './security-page.ts'
import { signInPages } from './sign-in-page.ts'
import { stepUpPages } from './step-up-page.ts'
import { terminalPages } from './terminal-page.ts'

/** Every page on which people sign in and look after how they do. */
export function peoplePages(deps: PeoplePageDeps): Page[] {
  return [
    ...signInPages(deps),
    ...providerPages(deps),
    ...enrolPages(deps),
    ...recoverPages(deps),
    ...stepUpPages(deps),
    ...securityPages(deps),
    ...terminalPages(deps),
    ...operatorPeoplePages(deps),
  ]
}
