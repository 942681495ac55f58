import { z } from 'zod'
import type { PersonRef } from '../ports/people-rows.ts'
import { newSecret } from './bearer-secret.ts'
import { beginCeremony, takeCeremony } from './ceremony.ts'
import { openSession } from './open-session.ts'
import type { PeopleDeps } from './people-deps.ts'
import { type Person, personOf } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { type Browser, endBefore, refOf, type SignedIn } from './sign-in.ts'
import { rotateSession, type SteppedUp } from './step-up.ts'

const factsShape = z.object({
  nonce: z.string(),
  codeVerifier: z.string(),
  next: z.string(),
  begunAtMs: z.number(),
})

/** How far the provider's clock may be behind ours when it says when it asked the person. */
const CLOCK_SKEW_MS = 60_000

type Begun = { readonly kind: 'begun'; readonly url: string } | { readonly kind: 'unavailable' }

/** Where to send somebody who wants to sign in at the platform's provider, and back to `next` from there. */
export function beginProviderSignIn(
  deps: PeopleDeps,
  input: { browser: Browser; next: string },
): Promise<Begun> {
  return begin(deps, {
    purpose: 'provider_sign_in',
    boundTo: input.browser.preSession,
    next: input.next,
    fresh: false,
  })
}

/** Where to send somebody who signed in there, to show anew that it is them. */
export function beginProviderStepUp(
  deps: PeopleDeps,
  input: { person: Person; next: string },
): Promise<Begun> {
  return begin(deps, {
    purpose: 'provider_step_up',
    boundTo: input.person.sessionId,
    next: input.next,
    fresh: true,
  })
}

async function begin(
  { broker, provider }: PeopleDeps,
  about: {
    purpose: 'provider_sign_in' | 'provider_step_up'
    boundTo: string
    next: string
    fresh: boolean
  },
): Promise<Begun> {
  if (!provider) return { kind: 'unavailable' }
  const { purpose, boundTo, next } = about
  const request = await provider.begin(about.fresh).catch((error: unknown) => {
    broker.logger.warn('identity_provider_unavailable', { error })
    return undefined
  })
  if (!request) return { kind: 'unavailable' }
  const { url, state, nonce, codeVerifier } = request
  const facts = { nonce, codeVerifier, next, begunAtMs: broker.store.now().nowMs }
  await beginCeremony(broker, { purpose, boundTo, facts, challenge: state })
  return { kind: 'begun', url }
}

export type ProviderSignedIn =
  | (Extract<SignedIn, { kind: 'signed_in' }> & { readonly next: string })
  | { readonly kind: 'refused' }

/**
 * Signs in whoever comes back from the provider. An account is its issuer and subject, never a mail address: those
 * change hands. Whom the provider knows and we do not gets an account as a user; operators sign in by passkey.
 */
export async function finishProviderSignIn(
  deps: PeopleDeps,
  input: { state: string; query: string; browser: Browser },
): Promise<ProviderSignedIn> {
  const { broker } = deps
  const answer = await finish(deps, {
    ...input,
    purpose: 'provider_sign_in',
    boundTo: input.browser.preSession,
  })
  if (!answer) {
    broker.recentRefusals.count('sign_in_refused')
    return { kind: 'refused' }
  }
  const account = broker.pseudonyms.accountTag(answer.issuer, answer.subject)
  const known = await broker.store.read(async (tx) => tx.personAccounts.find(account))
  const who: PersonRef = { kind: 'user', id: known?.personId ?? broker.newId('user') }
  const seal = await personSealer(broker, who)
  const [id, secret] = [broker.newId('session'), newSecret()]
  return broker.store.transaction<ProviderSignedIn>(async (tx) => {
    const now = await tx.personAccounts.find(account)
    // Somebody else came back at the same moment: the account is theirs to be, and the next try finds it.
    if (now?.personId !== known?.personId) return { kind: 'refused' }
    if (!now) {
      const row = { personId: who.id, kind: who.kind, createdAtMs: tx.nowMs }
      await tx.people.insert({ ...row, status: 'active', stepUpAbove: '{}', recoveredAtMs: null })
      await tx.personAccounts.insert({ ...row, account })
      await tx.log.append(seal(personLeaf(who, 'account_made', { reason: 'provider' }), tx.nowMs), tx.nowMs)
    } else if ((await tx.people.find(who))?.status !== 'active') return { kind: 'refused' }
    await endBefore(tx, input.browser.before)
    const row = await openSession(tx, {
      id,
      who,
      secret,
      channel: 'browser',
      userAgent: input.browser.userAgent,
      viaProvider: true,
      // The provider may have known them from before: that is no proof that they are there.
      steppedUpAtMs: null,
    })
    const leaf = personLeaf(who, 'signed_in', { reason: 'provider', subj: { session: id } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'signed_in', person: personOf(row), cookie: secret, next: answer.next }
  })
}

export type ProviderSteppedUp =
  | (Extract<SteppedUp, { kind: 'stepped_up' }> & { readonly next: string })
  | { readonly kind: 'refused' }

/** Notes a step-up at the provider: the same account, asked after this began (`auth_time`), for this session alone. */
export async function finishProviderStepUp(
  deps: PeopleDeps,
  input: { state: string; query: string; person: Person; cookie: string },
): Promise<ProviderSteppedUp> {
  const { broker } = deps
  const { person } = input
  const answer = await finish(deps, { ...input, purpose: 'provider_step_up', boundTo: person.sessionId })
  const isFresh =
    answer?.authenticatedAtMs !== null &&
    answer !== undefined &&
    answer.authenticatedAtMs >= answer.begunAtMs - CLOCK_SKEW_MS
  if (!answer || !isFresh) {
    broker.recentRefusals.count('step_up_refused')
    return { kind: 'refused' }
  }
  const account = broker.pseudonyms.accountTag(answer.issuer, answer.subject)
  const done = await rotateSession(deps, input, async (tx) => {
    const row = await tx.personAccounts.find(account)
    const { kind, id } = refOf(person)
    return row?.personId === id && row.kind === kind
  })
  return done.kind === 'stepped_up' ? { ...done, next: answer.next } : done
}

async function finish(
  { broker, provider }: PeopleDeps,
  about: {
    purpose: 'provider_sign_in' | 'provider_step_up'
    state: string
    query: string
    boundTo: string
  },
) {
  const { purpose, boundTo, state } = about
  const facts = factsShape.safeParse(await takeCeremony(broker, { challenge: state, purpose, boundTo })).data
  if (!facts || !provider) return undefined
  const { nonce, codeVerifier, next, begunAtMs } = facts
  const answer = await provider.finish(about.query, { state, nonce, codeVerifier })
  if (answer.kind === 'refused') {
    broker.logger.info('identity_provider_refused', { code: answer.code })
    return undefined
  }
  return { ...answer, next, begunAtMs }
}
