import { hash, randomInt } from 'node:crypto'
import { LOGIN_CODE_BASE, normalLoginCode, spellLoginCode } from '../core/people/login-code.ts'
import { sessionEndsAtMs } from '../core/people/session-age.ts'
import type { PersonRef, TerminalLoginRow } from '../ports/people-rows.ts'
import { hashSecret, isSecret, newSecret } from './bearer-secret.ts'
import { openSession } from './open-session.ts'
import type { PeopleDeps } from './people-deps.ts'
import { type Person, timesOf } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { refOf } from './sign-in.ts'

const WITHIN_MS = 10 * 60_000

export type TerminalLogin = {
  /** What the terminal polls with; nobody else sees it. */
  readonly deviceCode: string
  /** What the person types or compares on /sign-in/terminal. */
  readonly userCode: string
  readonly url: string
  readonly expiresAtMs: number
}

/** Begins a login of a terminal: nothing is allowed until a person says so on a page, after a step-up. */
export async function beginTerminalLogin(
  deps: Pick<PeopleDeps, 'broker' | 'settings'>,
  input: { kind: PersonRef['kind'] },
): Promise<TerminalLogin> {
  const deviceCode = newSecret()
  const userCode = spellLoginCode(Array.from({ length: 8 }, () => randomInt(LOGIN_CODE_BASE)))
  return deps.broker.store.transaction(async (tx) => {
    await tx.terminalLogins.removeExpired(tx.nowMs)
    const expiresAtMs = tx.nowMs + WITHIN_MS
    await tx.terminalLogins.insert({
      deviceHash: hashSecret(deviceCode),
      codeHash: hashCode(normalLoginCode(userCode) ?? userCode),
      kind: input.kind,
      status: 'waiting',
      personId: '',
      steppedUpAtMs: 0,
      expiresAtMs,
    })
    return { deviceCode, userCode, url: `${deps.settings.origin}/sign-in/terminal`, expiresAtMs }
  })
}

export type TerminalLoginShown =
  | { readonly kind: 'waiting'; readonly wanted: PersonRef['kind'] }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'wait'; readonly seconds: number }

/** What a code is for, before it is answered. Wrong codes slow down whoever guesses them. */
export async function showTerminalLogin(
  deps: PeopleDeps,
  input: { person: Person; code: string; address: string },
): Promise<TerminalLoginShown> {
  const { throttle } = deps
  const target = `login ${input.person.sessionId}`
  const seconds = throttle.waitSeconds(input.address, target)
  if (seconds > 0) return { kind: 'wait', seconds }
  const row = await findWaiting(deps, input.code)
  // A user's page says nothing of operators' logins, nor the other way round.
  if (row?.kind !== input.person.kind) {
    throttle.wrong(input.address, target)
    return { kind: 'not_found' }
  }
  throttle.right(input.address, target)
  return { kind: 'waiting', wanted: input.person.kind }
}

/** The person's answer. Whether they stepped up is the caller's check. */
export async function answerTerminalLogin(
  deps: PeopleDeps,
  input: { person: Person; code: string; allows: boolean; address: string },
): Promise<{ kind: 'answered' | 'not_found' } | { kind: 'wait'; seconds: number }> {
  const shown = await showTerminalLogin(deps, input)
  if (shown.kind !== 'waiting') return shown
  const { broker } = deps
  const { person, allows } = input
  const who = refOf(person)
  const code = normalLoginCode(input.code)
  if (code === undefined) return { kind: 'not_found' }
  const seal = await personSealer(broker, who)
  return broker.store.transaction<{ kind: 'answered' | 'not_found' }>(async (tx) => {
    const status = allows ? 'allowed' : 'refused'
    if (!(await tx.terminalLogins.answer(hashCode(code), status, who.id, tx.nowMs)))
      return { kind: 'not_found' }
    const outcome = allows ? 'terminal_allowed' : 'terminal_refused'
    const leaf = personLeaf(who, outcome, { subj: { session: person.sessionId } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'answered' }
  })
}

export type TerminalLoginPolled =
  | { readonly kind: 'waiting' }
  /** `token` is shown once; it is a session of the person's, listed and ended like any other. */
  | {
      readonly kind: 'allowed'
      readonly token: string
      readonly personKind: PersonRef['kind']
      readonly personId: string
      readonly expiresAtMs: number
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'expired' }

/** What became of a terminal's login. The first poll after a yes takes the token; there is no second one. */
export async function pollTerminalLogin(
  deps: Pick<PeopleDeps, 'broker'>,
  input: { deviceCode: string; userAgent: string },
): Promise<TerminalLoginPolled> {
  const { broker } = deps
  if (!isSecret(input.deviceCode)) return { kind: 'expired' }
  const deviceHash = hashSecret(input.deviceCode)
  const found = await broker.store.read(async (tx) => tx.terminalLogins.find(deviceHash))
  if (!found) return { kind: 'expired' }
  const who: PersonRef = { kind: found.kind === 'operator' ? 'operator' : 'user', id: found.personId }
  const seal = await personSealer(broker, who)
  const [id, secret] = [broker.newId('session'), newSecret()]
  return broker.store.transaction<TerminalLoginPolled>(async (tx) => {
    const row = await tx.terminalLogins.find(deviceHash)
    if (!row || tx.nowMs >= row.expiresAtMs) return { kind: 'expired' }
    if (row.status === 'waiting') return { kind: 'waiting' }
    if (row.personId !== who.id || !(await tx.terminalLogins.take(deviceHash))) return { kind: 'expired' }
    const isActive = (await tx.people.find(who))?.status === 'active'
    if (row.status !== 'allowed' || !isActive) return { kind: 'refused' }
    const session = await openSession(tx, {
      id,
      who,
      secret,
      channel: 'terminal',
      userAgent: input.userAgent,
      viaProvider: false,
      steppedUpAtMs: row.steppedUpAtMs,
    })
    const leaf = personLeaf(who, 'signed_in', { reason: 'terminal', subj: { session: id } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return {
      kind: 'allowed',
      token: secret,
      personKind: who.kind,
      personId: who.id,
      expiresAtMs: sessionEndsAtMs(timesOf(session)),
    }
  })
}

function findWaiting({ broker }: PeopleDeps, typed: string): Promise<TerminalLoginRow | undefined> {
  const code = normalLoginCode(typed)
  if (code === undefined) return Promise.resolve(undefined)
  return broker.store.read(async (tx) => {
    const row = await tx.terminalLogins.findByCode(hashCode(code))
    return row?.status === 'waiting' && tx.nowMs < row.expiresAtMs ? row : undefined
  })
}

function hashCode(code: string): string {
  return hash('sha256', `countersign/v1/login-code ${code}`, 'base64url')
}
