import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { activityPages } from './activity-page.ts'
import { alwaysPages } from './always-page.ts'
import { approvalPages } from './approval-page.ts'
import { authorityPages } from './authority-page.ts'
import { consentPages } from './consent-page.ts'
import { grantPages } from './grant-page.ts'
import { homePage } from './home-page.ts'
import { inboxPages } from './inbox-page.ts'
import { languagePage } from './language-page.ts'
import { limitsPages } from './limits-page.ts'
import { operatorPages } from './operator-page.ts'
import type { Page } from './page.ts'
import { revokePages } from './revoke-page.ts'

/** What pages are made from. */
export type PageDeps = {
  readonly broker: Broker
  /** What receipts are proven by. */
  readonly publisher: Pick<CheckpointPublisher, 'newest'>
  /** Tells skills to give up what is in flight, after a revocation. */
  readonly cancel: CancelInFlight
  /** Whether we are reached by https, which decides what our cookies are called. */
  readonly isSecure: boolean
  readonly nowMs: () => number
}

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
    ...activityPages(deps),
    ...limitsPages(deps),
    ...operatorPages(deps),
  ]
}
