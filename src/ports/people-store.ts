import type {
  CeremonyRow,
  EnrolmentRow,
  PasskeyRow,
  PersonAccountRow,
  PersonRef,
  PersonRow,
  PersonSessionRow,
  RecoveryCodeRow,
  TerminalLoginRow,
} from './people-rows.ts'

type Answer<T> = T | PromiseLike<T>

export interface People {
  find(who: PersonRef): Answer<PersonRow | undefined>
  list(kind: string): Answer<PersonRow[]>
  insert(row: PersonRow): Answer<void>
  setStatus(who: PersonRef, status: string): Answer<void>
  setStepUpAbove(who: PersonRef, stepUpAbove: string): Answer<void>
  setRecovered(who: PersonRef, atMs: number): Answer<void>
}

export interface PersonSessions {
  find(id: string): Answer<PersonSessionRow | undefined>
  findByToken(tokenHash: string): Answer<PersonSessionRow | undefined>
  list(who: PersonRef): Answer<PersonSessionRow[]>
  insert(row: PersonSessionRow): Answer<void>
  setSeen(id: string, atMs: number): Answer<void>
  /** Gives the session another token, if it still has this one. @returns whether it had. */
  rotate(id: string, from: string, to: string, steppedUpAtMs: number): Answer<boolean>
  /** Ends a session of this person's. @returns whether there was one. */
  remove(who: PersonRef, id: string): Answer<boolean>
}

export interface Passkeys {
  find(credentialId: string): Answer<PasskeyRow | undefined>
  list(who: PersonRef): Answer<PasskeyRow[]>
  insert(row: PasskeyRow): Answer<void>
  /** Notes a use, if the counter still stands where the check of the signature saw it. @returns whether it did. */
  use(credentialId: string, counterBefore: number, counter: number, atMs: number): Answer<boolean>
  setName(who: PersonRef, credentialId: string, name: string): Answer<boolean>
  remove(who: PersonRef, credentialId: string): Answer<boolean>
}

export interface PersonAccounts {
  find(account: string): Answer<PersonAccountRow | undefined>
  list(who: PersonRef): Answer<PersonAccountRow[]>
  insert(row: PersonAccountRow): Answer<void>
}

export interface RecoveryCodes {
  find(codeHash: string): Answer<RecoveryCodeRow | undefined>
  /** Uses a code up; undefined where there is none (any more). */
  take(codeHash: string): Answer<RecoveryCodeRow | undefined>
  list(who: PersonRef): Answer<RecoveryCodeRow[]>
  insert(row: RecoveryCodeRow): Answer<void>
  removeAll(who: PersonRef): Answer<void>
}

export interface Enrolments {
  find(tokenHash: string): Answer<EnrolmentRow | undefined>
  /** Uses an enrolment up; undefined where there is none (any more). */
  take(tokenHash: string): Answer<EnrolmentRow | undefined>
  insert(row: EnrolmentRow): Answer<void>
  /** Removes every open enrolment of this person and purpose. */
  removeFor(who: PersonRef, purpose: string): Answer<void>
  removeExpired(nowMs: number): Answer<void>
}

export interface Ceremonies {
  /** Uses a ceremony up, whatever comes of it; undefined where there is none (any more). */
  take(challengeHash: string): Answer<CeremonyRow | undefined>
  insert(row: CeremonyRow): Answer<void>
  removeExpired(nowMs: number): Answer<void>
}

export interface TerminalLogins {
  findByCode(codeHash: string): Answer<TerminalLoginRow | undefined>
  find(deviceHash: string): Answer<TerminalLoginRow | undefined>
  insert(row: TerminalLoginRow): Answer<void>
  /** Answers a login that waits. @returns whether it still waited. */
  answer(codeHash: string, status: string, personId: string, steppedUpAtMs: number): Answer<boolean>
  /** Uses an answered login up; undefined where there is none (any more). */
  take(deviceHash: string): Answer<TerminalLoginRow | undefined>
  /** Removes every login this person answered and no terminal has fetched. */
  removeFor(who: PersonRef): Answer<void>
  removeExpired(nowMs: number): Answer<void>
}

/** What a unit of work sees of people who sign in. */
export interface PeopleTx {
  readonly people: People
  readonly personSessions: PersonSessions
  readonly passkeys: Passkeys
  readonly personAccounts: PersonAccounts
  readonly recoveryCodes: RecoveryCodes
  readonly enrolments: Enrolments
  readonly ceremonies: Ceremonies
  readonly terminalLogins: TerminalLogins
}
