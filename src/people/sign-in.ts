import type { PersonRef } from '../ports/people-rows.ts'
import type { Tx } from '../ports/store.ts'
import { newSecret } from './bearer-secret.ts'
import { openSession } from './open-session.ts'
import type { PeopleDeps } from './people-deps.ts'
import { type Person, personOf } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { beginPasskeyUse, checkPasskeyUse, type PasskeyUse } from './use-passkey.ts'

/** What is known of the browser somebody signs in with. */
export type Browser = {
  /** What the form cookie from before signing in holds; ceremonies are bound to it. */
  readonly preSession: string
  readonly userAgent: string
  /** Whoever is signed in there now; their session ends. */
  readonly before: Person | null
}

export type SignedIn =
  /** `cookie` is the session's secret, shown this once. */
  | { readonly kind: 'signed_in'; readonly person: Person; readonly cookie: string }
  | { readonly kind: 'refused' }

/** What the browser needs to ask for a passkey, of whoever is there. */
export function beginSignIn(deps: PeopleDeps, browser: Pick<Browser, 'preSession'>) {
  return beginPasskeyUse(deps, { who: null, purpose: 'sign_in', boundTo: browser.preSession })
}

/** Signs in by passkey. The session is new, whatever cookie the browser came with. */
export async function finishSignIn(
  deps: PeopleDeps,
  input: { answer: string; browser: Browser },
): Promise<SignedIn> {
  const { broker } = deps
  const { browser } = input
  const checked = await checkPasskeyUse(deps, {
    answer: input.answer,
    purpose: 'sign_in',
    boundTo: browser.preSession,
  })
  if (checked.kind === 'refused') {
    broker.recentRefusals.count('sign_in_refused')
    return { kind: 'refused' }
  }
  if (checked.kind === 'counter_went_back') {
    await refusePasskey(deps, checked.use)
    return { kind: 'refused' }
  }
  const { use } = checked
  const seal = await personSealer(broker, use.who)
  const [id, secret] = [broker.newId('session'), newSecret()]
  return broker.store.transaction<SignedIn>(async (tx) => {
    const { passkey, who } = use
    if ((await tx.people.find(who))?.status !== 'active') return { kind: 'refused' }
    // Two answers that saw the same counter cannot both be from this authenticator.
    if (!(await tx.passkeys.use(passkey.credentialId, passkey.counter, use.counter, tx.nowMs)))
      return { kind: 'refused' }
    await endBefore(tx, browser.before)
    const row = await openSession(tx, {
      id,
      who,
      secret,
      channel: 'browser',
      userAgent: browser.userAgent,
      viaProvider: false,
      // The authenticator has just verified the person, which is all a step-up would do.
      steppedUpAtMs: tx.nowMs,
    })
    await tx.log.append(seal(personLeaf(who, 'signed_in', { subj: { session: id } }), tx.nowMs), tx.nowMs)
    return { kind: 'signed_in', person: personOf(row), cookie: secret }
  })
}

/** Ends the session a browser had before: whoever signs in there now does not share it. */
export async function endBefore(tx: Tx, before: Person | null): Promise<void> {
  if (before) await tx.personSessions.remove(refOf(before), before.sessionId)
}

/** Logs, and tells the person of, a passkey of which there may be two. */
export async function refusePasskey(deps: PeopleDeps, use: PasskeyUse): Promise<void> {
  const { broker, messenger } = deps
  const seal = await personSealer(broker, use.who)
  await broker.store.transaction(async (tx) => {
    const leaf = personLeaf(use.who, 'passkey_refused', { reason: 'counter_went_back' })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
  })
  if (use.who.kind === 'user') await messenger.tell(use.who.id, { kind: 'security_changed' })
}

/** The name of a signed-in person, as rows have it. */
export function refOf({ kind, id }: Person): PersonRef {
  return { kind, id }
}
