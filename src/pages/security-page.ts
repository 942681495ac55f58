import { cancelErasure } from '../broker/cancel-erasure.ts'
import { requestErasure } from '../broker/request-erasure.ts'
import { requestPartErasure } from '../broker/request-part-erasure.ts'
import { fromDecimalString } from '../core/money.ts'
import { isSteppedUp } from '../core/people/step-up.ts'
import { beginAddPasskey, finishAddPasskey, removePasskey, renamePasskey } from '../people/passkeys.ts'
import type { Person } from '../people/person.ts'
import { renewRecoveryCodes } from '../people/recovery-codes.ts'
import { endAllSessions, endSession } from '../people/sessions.ts'
import { refOf } from '../people/sign-in.ts'
import { setThreshold } from '../people/step-up-threshold.ts'
import { clearCookie } from './cookies.ts'
import { codesBody } from './enrol-page.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { showSecurity } from './show-security.ts'
import { plain } from './sign-in-page.ts'
import { PEOPLE } from './texts/people.ts'

const HERE = '/security'
const STEP_UP: PageAnswer = { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(HERE)}` }

/** Passkeys, sessions, recovery codes and thresholds of whoever is signed in. Every change takes a step-up. */
export function securityPages(deps: PeoplePageDeps): Page[] {
  return [
    { method: 'get', path: HERE, who: 'signed_in', run: (visit) => showSecurity(deps, visit) },
    change(deps, '/security/passkeys/options', async ({ person }) => ({
      kind: 'json',
      body: { options: plain(await beginAddPasskey(deps, person)) },
    })),
    change(deps, '/security/passkeys', async ({ person, visit }) => {
      const answer = visit.form.get('answer') ?? ''
      const name = visit.form.get('name') ?? ''
      const { kind } = await finishAddPasskey(deps, { person, answer, name })
      return kind === 'added' ? done() : showSecurity(deps, visit, kind)
    }),
    change(deps, '/security/passkeys/rename', async ({ person, visit }) => {
      const credentialId = visit.form.get('passkey') ?? ''
      const name = visit.form.get('name') ?? ''
      const { kind } = await renamePasskey(deps, { person, credentialId, name })
      return kind === 'renamed' ? done() : { kind }
    }),
    change(deps, '/security/passkeys/remove', async ({ person, visit }) => {
      const { kind } = await removePasskey(deps, { person, credentialId: visit.form.get('passkey') ?? '' })
      if (kind === 'not_found') return { kind }
      return kind === 'removed' ? done() : showSecurity(deps, visit, kind)
    }),
    change(deps, '/security/recovery-codes', async ({ person, visit }) => {
      const codes = await renewRecoveryCodes(deps, refOf(person))
      return { kind: 'html', title: PEOPLE[visit.locale].codesTitle, body: codesBody(visit, codes, HERE) }
    }),
    change(deps, '/security/threshold', ({ person, visit }) => setFromForm(deps, person, visit)),
    change(deps, '/security/erasure', async ({ person, visit }) => {
      if (person.kind !== 'user') return { kind: 'not_found' }
      if (visit.form.get('sure') !== 'yes') return showSecurity(deps, visit, 'not_sure')
      const { kind } = await requestErasure(deps.broker, { userId: person.id })
      return kind === 'requested' ? done() : showSecurity(deps, visit, 'erasure_under_way')
    }),
    change(deps, '/security/erasure/part', async ({ person, visit }) => {
      const [scope, id = ''] = (visit.form.get('part') ?? '').split(' ')
      if (person.kind !== 'user' || (scope !== 'skill' && scope !== 'agent')) return { kind: 'not_found' }
      if (visit.form.get('sure_part') !== 'yes') return showSecurity(deps, visit, 'not_sure')
      const { kind } = await requestPartErasure(deps.broker, { userId: person.id, scope, id })
      if (kind === 'not_found') return { kind }
      if (kind === 'requested') return done()
      return showSecurity(deps, visit, kind === 'too_many' ? 'too_many_erasures' : 'erasure_under_way')
    }),
    change(deps, '/security/erasure/cancel', async ({ person, visit }) => {
      if (person.kind !== 'user') return { kind: 'not_found' }
      const { kind } = await cancelErasure(deps.broker, { userId: person.id })
      return kind === 'under_way' ? showSecurity(deps, visit, 'erasure_under_way') : done()
    }),
    // Ending a session only takes away, so whoever fears for theirs is not held up.
    {
      method: 'post',
      path: '/security/sessions/end',
      who: 'signed_in',
      async run({ person, form }) {
        if (!person) return { kind: 'not_found' }
        const sessionId = form.get('session') ?? ''
        const { kind } = await endSession(deps, { person, sessionId })
        return kind === 'ended' ? done() : { kind: 'not_found' }
      },
    },
    {
      method: 'post',
      path: '/security/sessions/end-all',
      who: 'signed_in',
      async run({ person, form }) {
        if (!person) return { kind: 'not_found' }
        const others = form.get('which') === 'others'
        await endAllSessions(deps, { person, others })
        if (others) return done()
        return {
          kind: 'redirect',
          location: '/sign-in',
          cookies: [clearCookie('countersign', deps.isSecure)],
        }
      },
    },
  ]
}

/** A form that changes something: without a step-up it leads there and back to the page, with nothing done. */
function change(
  deps: PeoplePageDeps,
  path: string,
  run: (input: { person: Person; visit: PageRequest }) => Promise<PageAnswer>,
): Page {
  return {
    method: 'post',
    path,
    who: 'signed_in',
    async run(visit) {
      const { person } = visit
      if (!person || !isSteppedUp(person, deps.broker.store.now().nowMs)) return STEP_UP
      return run({ person, visit })
    },
  }
}

function done(): PageAnswer {
  return { kind: 'redirect', location: HERE }
}

async function setFromForm(deps: PeoplePageDeps, person: Person, visit: PageRequest): Promise<PageAnswer> {
  if (person.kind !== 'user') return { kind: 'not_found' }
  const currency = (visit.form.get('currency') ?? '').trim().toUpperCase()
  const parsed = fromDecimalString((visit.form.get('amount') ?? '').trim(), currency)
  if (!parsed.ok) return showSecurity(deps, visit, 'amount')
  const { kind } = await setThreshold(deps, { userId: person.id, currency, amountMinor: parsed.amountMinor })
  if (kind === 'set') return done()
  return showSecurity(deps, visit, kind === 'recovered_recently' ? kind : 'amount')
}
