import { activityPages } from './activity-page.ts'
import { alwaysPages } from './always-page.ts'
import { approvalPages } from './approval-page.ts'
import { authorityPages } from './authority-page.ts'
import { consentPages } from './consent-page.ts'
import { deletionPages } from './deletions-page.ts'
import { grantPages } from './grant-page.ts'
import { homePage } from './home-page.ts'
import { inboxPages } from './inbox-page.ts'
import { languagePage } from './language-page.ts'
import { limitsPages } from './limits-page.ts'
import { memoryPages } from './memory-page.ts'
import { operatorDeletionPages } from './operator-deletions-page.ts'
import { operatorPages } from './operator-page.ts'
import { operatorUndoPages } from './operator-undo-page.ts'
import type { Page } from './page.ts'
import type { PageDeps } from './page-deps.ts'
import { revocationPages } from './revocation-page.ts'
import { revokePages } from './revoke-page.ts'

export type { PageDeps } from './page-deps.ts'

/** Every page there is. */
export function allPages(deps: PageDeps): Page[] {
  return [
    homePage(),
    languagePage(deps.isSecure),
    ...inboxPages(deps),
    ...consentPages(deps),
    ...approvalPages(deps),
    ...alwaysPages(deps),
    ...authorityPages(deps),
    ...grantPages(deps),
    ...revokePages(deps),
    ...revocationPages(deps),
    ...activityPages(deps),
    ...limitsPages(deps),
    ...memoryPages(deps),
    ...deletionPages(deps),
    ...operatorPages(deps),
    ...operatorDeletionPages(deps),
    ...operatorUndoPages(deps),
  ]
}
