import type { Person } from '../core/people/person.ts'
import { isSessionAlive } from '../core/people/session-age.ts'
import type { PersonSessionRow } from '../ports/people-rows.ts'
import type { Store } from '../ports/store.ts'
import { hashSecret, isSecret } from './bearer-secret.ts'

export type { Person } from '../core/people/person.ts'
export { isSteppedUp } from '../core/people/step-up.ts'

/** Coarser than any idle time, so that a page with ten pictures writes once. */
const SEEN_EVERY_MS = 60_000

type Deps = { readonly broker: { readonly store: Store } }

/**
 * Finds who is signed in by the value of the session cookie; null for nobody. Only the value's SHA-256 is looked up,
 * so how long that takes says nothing about any stored one.
 *
 * @param nowMs the store's time. Unix milliseconds.
 */
export function findPerson(
  deps: Deps,
  cookieValue: string | undefined,
  nowMs: number,
): Promise<Person | null> {
  return findBySecret(deps, cookieValue, 'browser', nowMs)
}

/** Finds who a terminal's token stands for; a cookie is no such token, nor the other way round. */
export function findTerminalPerson(
  deps: Deps,
  token: string | undefined,
  nowMs: number,
): Promise<Person | null> {
  return findBySecret(deps, token, 'terminal', nowMs)
}

async function findBySecret(
  deps: Deps,
  cookieValue: string | undefined,
  channel: Person['channel'],
  nowMs: number,
): Promise<Person | null> {
  if (cookieValue === undefined || !isSecret(cookieValue)) return null
  const { store } = deps.broker
  const tokenHash = hashSecret(cookieValue)
  const row = await store.read(async (tx) => {
    const session = await tx.personSessions.findByToken(tokenHash)
    if (session?.channel !== channel) return undefined
    const person = await tx.people.find({ kind: kindOf(session), id: session.personId })
    return person?.status === 'active' ? session : undefined
  })
  if (!row || !isSessionAlive(timesOf(row), nowMs)) return null
  if (nowMs - row.lastSeenAtMs >= SEEN_EVERY_MS) {
    await store.transaction(async (tx) => tx.personSessions.setSeen(row.id, nowMs))
  }
  return personOf(row)
}

/** A stored session as the person it stands for. */
export function personOf(row: PersonSessionRow): Person {
  return {
    kind: kindOf(row),
    id: row.personId,
    sessionId: row.id,
    signedInAtMs: row.signedInAtMs,
    steppedUpAtMs: row.steppedUpAtMs,
    viaProvider: row.viaProvider,
    channel: row.channel === 'terminal' ? 'terminal' : 'browser',
  }
}

/** The times that decide whether a stored session is still good. */
export function timesOf(row: PersonSessionRow) {
  const { kind, channel } = personOf(row)
  return { kind, channel, signedInAtMs: row.signedInAtMs, lastSeenAtMs: row.lastSeenAtMs }
}

function kindOf({ kind }: PersonSessionRow): Person['kind'] {
  return kind === 'operator' ? 'operator' : 'user'
}
