import { hashSecret, newSecret } from './bearer-secret.ts'
import type { PeopleDeps } from './people-deps.ts'
import type { Person } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { refOf, refusePasskey } from './sign-in.ts'
import { beginPasskeyUse, checkPasskeyUse } from './use-passkey.ts'

export type SteppedUp =
  /** The session has a new secret: what was stolen before is worth nothing now. */
  { readonly kind: 'stepped_up'; readonly cookie: string } | { readonly kind: 'refused' }

/** What the browser needs to ask for one of this person's own passkeys. */
export function beginStepUp(deps: PeopleDeps, person: Person) {
  return beginPasskeyUse(deps, { who: refOf(person), purpose: 'step_up', boundTo: person.sessionId })
}

/** Notes that the person is there, for this session alone, and gives it a new secret. */
export async function finishStepUp(
  deps: PeopleDeps,
  input: { person: Person; cookie: string; answer: string },
): Promise<SteppedUp> {
  const { broker } = deps
  const { person } = input
  const checked = await checkPasskeyUse(deps, {
    answer: input.answer,
    purpose: 'step_up',
    boundTo: person.sessionId,
  })
  if (checked.kind === 'counter_went_back') await refusePasskey(deps, checked.use)
  const isOwn =
    checked.kind === 'used' && checked.use.who.kind === person.kind && checked.use.who.id === person.id
  if (!isOwn) {
    broker.recentRefusals.count('step_up_refused')
    return { kind: 'refused' }
  }
  const { passkey, counter } = checked.use
  return rotateSession(deps, input, async (tx) =>
    tx.passkeys.use(passkey.credentialId, passkey.counter, counter, tx.nowMs),
  )
}

type Tx = Parameters<Parameters<PeopleDeps['broker']['store']['transaction']>[0]>[0]

/** Gives a session another secret and the time of a step-up, if `first` still holds in the same transaction. */
export async function rotateSession(
  { broker }: PeopleDeps,
  { person, cookie }: { person: Person; cookie: string },
  first: (tx: Tx) => Promise<boolean>,
): Promise<SteppedUp> {
  const seal = await personSealer(broker, refOf(person))
  const secret = newSecret()
  return broker.store.transaction<SteppedUp>(async (tx) => {
    if (!(await first(tx))) return { kind: 'refused' }
    const { sessionId } = person
    const isRotated = await tx.personSessions.rotate(
      sessionId,
      hashSecret(cookie),
      hashSecret(secret),
      tx.nowMs,
    )
    if (!isRotated) return { kind: 'refused' }
    const leaf = personLeaf(refOf(person), 'stepped_up', { subj: { session: sessionId } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'stepped_up', cookie: secret }
  })
}
