import { listErasableParts } from '../broker/list-erasable-parts.ts'
import { showTimeZone } from '../broker/set-time-zone.ts'
import { showErasure } from '../broker/show-erasure.ts'
import { isSteppedUp } from '../core/people/step-up.ts'
import { listPasskeys } from '../people/passkeys.ts'
import { countRecoveryCodes } from '../people/recovery-codes.ts'
import { listSessions } from '../people/sessions.ts'
import { refOf } from '../people/sign-in.ts'
import { listThresholds } from '../people/step-up-threshold.ts'
import type { PageAnswer, PageRequest } from './page.ts'
import { PASSKEY_SCRIPTS } from './passkey-form.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { type SecurityFault, securityBody } from './security-body.ts'
import { PEOPLE } from './texts/people.ts'

/** The page as it stands, and what did not go. */
export async function showSecurity(
  deps: PeoplePageDeps,
  visit: PageRequest,
  fault?: SecurityFault,
): Promise<PageAnswer> {
  const { person } = visit
  if (!person) return { kind: 'not_found' }
  const facts = {
    person,
    passkeys: await listPasskeys(deps, person),
    sessions: await listSessions(deps, person),
    codesLeft: await countRecoveryCodes(deps, refOf(person)),
    thresholds: person.kind === 'user' ? await listThresholds(deps, person.id) : null,
    mayChange: isSteppedUp(person, deps.broker.store.now().nowMs),
    zone: person.kind === 'user' ? (await showTimeZone(deps.broker, { userId: person.id })).timeZone : 'UTC',
    erasure: person.kind === 'user' ? await showErasure(deps.broker, { userId: person.id }) : undefined,
    parts: person.kind === 'user' ? await listErasableParts(deps.broker, { userId: person.id }) : null,
    fault,
  }
  return {
    kind: 'html',
    status: fault === undefined ? 200 : 409,
    title: PEOPLE[visit.locale].securityTitle,
    body: securityBody(visit, facts),
    scripts: PASSKEY_SCRIPTS,
  }
}
