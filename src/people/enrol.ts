import { z } from 'zod'
import { sealText } from '../broker/seal-text.ts'
import { isOperatorName } from '../core/people/operator-name.ts'
import type { EnrolmentRow, PersonRef } from '../ports/people-rows.ts'
import type { Tx } from '../ports/store.ts'
import { hashSecret, isSecret, newSecret } from './bearer-secret.ts'
import type { CeremonyPurpose } from './ceremony.ts'
import { openSession } from './open-session.ts'
import { plainPasskeyName } from './passkeys.ts'
import type { PeopleDeps } from './people-deps.ts'
import { type Person, personOf } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { newRecoveryCodes, storeRecoveryCodes } from './recovery-codes.ts'
import { beginRegistration, finishRegistration, type NewPasskey } from './register-passkey.ts'
import { type Browser, endBefore } from './sign-in.ts'

/** What an open link is for. */
export type Enrolment = {
  readonly purpose: 'first_operator' | 'invitation' | 'recovery'
  readonly kind: PersonRef['kind']
  /** Empty for the first operator, who chooses a name. */
  readonly id: string
}

/** What a link is for; undefined for an unknown, used or late one. Looking at it uses nothing up. */
export async function showEnrolment(deps: PeopleDeps, token: string): Promise<Enrolment | undefined> {
  if (!isSecret(token)) return undefined
  return deps.broker.store.read(async (tx) => {
    const row = await tx.enrolments.find(hashSecret(token))
    return row && tx.nowMs < row.expiresAtMs ? enrolmentOf(row) : undefined
  })
}

export type EnrolmentBegun =
  | { readonly kind: 'begun'; readonly options: Awaited<ReturnType<typeof beginRegistration>> }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'name_refused' }

/** What the browser needs to make the first passkey behind a link. */
export async function beginEnrolment(
  deps: PeopleDeps,
  input: { token: string; operatorName: string | undefined; preSession: string },
): Promise<EnrolmentBegun> {
  const enrolment = await showEnrolment(deps, input.token)
  if (!enrolment) return { kind: 'not_found' }
  const isFirst = enrolment.purpose === 'first_operator'
  const id = isFirst ? (input.operatorName ?? '') : enrolment.id
  if (isFirst && !isOperatorName(id)) return { kind: 'name_refused' }
  const who = { kind: enrolment.kind, id }
  const facts = { ...who, tokenHash: hashSecret(input.token) }
  const options = await beginRegistration(deps, {
    who,
    purpose: 'enrol',
    boundTo: input.preSession,
    facts,
  })
  return { kind: 'begun', options }
}

/** What the browser needs to make the passkey of an account that is not there yet; null where only invited people get one. */
export async function beginSignUp(deps: PeopleDeps, input: { preSession: string }) {
  if (deps.settings.signUp !== 'open' || deps.provider) return null
  const who: PersonRef = { kind: 'user', id: deps.broker.newId('user') }
  const facts = { ...who, tokenHash: null }
  return beginRegistration(deps, { who, purpose: 'sign_up', boundTo: input.preSession, facts })
}

export type Enrolled =
  | {
      readonly kind: 'enrolled'
      readonly person: Person
      readonly cookie: string
      /** To be shown once; null where the person still has codes. */
      readonly codes: readonly string[] | null
    }
  | { readonly kind: 'refused' }

const factsShape = z.object({
  kind: z.enum(['user', 'operator']),
  id: z.string().min(1),
  tokenHash: z.string().nullable(),
})

/** Keeps the passkey, uses the link up, makes the account where there is none, and signs in. */
export async function finishEnrolment(
  deps: PeopleDeps,
  input: { answer: string; passkeyName: string; purpose: 'enrol' | 'sign_up'; browser: Browser },
): Promise<Enrolled> {
  const { broker } = deps
  const purpose: CeremonyPurpose = input.purpose
  const made = await finishRegistration(deps, {
    answer: input.answer,
    purpose,
    boundTo: input.browser.preSession,
  })
  const facts = made && factsShape.safeParse(made.facts).data
  if (!made || !facts) {
    broker.recentRefusals.count('enrolment_refused')
    return { kind: 'refused' }
  }
  const who: PersonRef = { kind: facts.kind, id: facts.id }
  const owner = { userId: who.kind === 'user' ? who.id : '', skillId: '' }
  const name = await sealText(broker, owner, plainPasskeyName(input.passkeyName))
  const seal = await personSealer(broker, who)
  const [sessionId, secret, codes] = [broker.newId('session'), newSecret(), newRecoveryCodes()]
  return broker.store.transaction<Enrolled>(async (tx) => {
    const enrolment = facts.tokenHash === null ? null : await tx.enrolments.take(facts.tokenHash)
    if (!(await mayEnrol(tx, who, enrolment))) return { kind: 'refused' }
    if (await tx.passkeys.find(made.passkey.credentialId)) return { kind: 'refused' }
    const log = async (...about: Parameters<typeof personLeaf>) =>
      tx.log.append(seal(personLeaf(...about), tx.nowMs), tx.nowMs)
    if (!(await tx.people.find(who))) {
      await tx.people.insert({
        personId: who.id,
        kind: who.kind,
        status: 'active',
        stepUpAbove: '{}',
        createdAtMs: tx.nowMs,
        recoveredAtMs: null,
      })
      await log(who, 'account_made', { reason: enrolment?.purpose ?? 'sign_up' })
    }
    await tx.passkeys.insert(passkeyRow(who, made.passkey, name, tx.nowMs))
    await log(who, 'passkey_added', { reason: enrolment?.purpose ?? 'sign_up' })
    const hasCodes = (await tx.recoveryCodes.list(who)).length > 0
    if (!hasCodes) {
      await storeRecoveryCodes(tx, who, codes)
      await log(who, 'recovery_codes_made')
    }
    await endBefore(tx, input.browser.before)
    const row = await openSession(tx, {
      id: sessionId,
      who,
      secret,
      channel: 'browser',
      userAgent: input.browser.userAgent,
      viaProvider: false,
      steppedUpAtMs: tx.nowMs,
    })
    await log(who, 'signed_in', { subj: { session: sessionId } })
    const shown = hasCodes ? null : codes.map(({ code }) => code)
    return { kind: 'enrolled', person: personOf(row), cookie: secret, codes: shown }
  })
}

/** A link is good once and in time; the first operator is the first; an ended account stays ended. */
async function mayEnrol(
  tx: Tx,
  who: PersonRef,
  enrolment: EnrolmentRow | null | undefined,
): Promise<boolean> {
  if (enrolment === undefined) return false
  if (enrolment !== null && tx.nowMs >= enrolment.expiresAtMs) return false
  const person = await tx.people.find(who)
  if (person && person.status !== 'active') return false
  if (enrolment?.purpose !== 'first_operator') return true
  return !(await tx.people.list('operator')).some(({ status }) => status === 'active')
}

function passkeyRow(who: PersonRef, passkey: NewPasskey, name: string, atMs: number) {
  return {
    credentialId: passkey.credentialId,
    personId: who.id,
    kind: who.kind,
    publicKey: passkey.publicKey,
    counter: passkey.counter,
    transports: passkey.transports,
    name,
    createdAtMs: atMs,
    lastUsedAtMs: null,
  }
}

function enrolmentOf(row: EnrolmentRow): Enrolment {
  const purpose = row.purpose === 'first_operator' || row.purpose === 'recovery' ? row.purpose : 'invitation'
  return { purpose, kind: row.kind === 'operator' ? 'operator' : 'user', id: row.personId }
}
