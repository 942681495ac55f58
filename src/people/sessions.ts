import { isSessionAlive } from '../core/people/session-age.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import type { PeopleDeps } from './people-deps.ts'
import { type Person, timesOf } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { refOf } from './sign-in.ts'

/** A session as its owner sees it. */
export type OwnSession = {
  readonly id: string
  readonly device: string
  readonly channel: 'browser' | 'terminal'
  readonly signedInAtMs: number
  readonly lastSeenAtMs: number
  readonly isThis: boolean
}

type Deps = Pick<PeopleDeps, 'broker'>

/** A person's living sessions, the one seen last first. */
export async function listSessions({ broker }: Deps, person: Person): Promise<OwnSession[]> {
  const { nowMs } = broker.store.now()
  const rows = await broker.store.read(async (tx) => tx.personSessions.list(refOf(person)))
  return rows
    .filter((row) => isSessionAlive(timesOf(row), nowMs))
    .sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs)
    .map((row) => ({
      id: row.id,
      device: row.device,
      channel: row.channel === 'terminal' ? 'terminal' : 'browser',
      signedInAtMs: row.signedInAtMs,
      lastSeenAtMs: row.lastSeenAtMs,
      isThis: row.id === person.sessionId,
    }))
}

/** Ends the session somebody is signed in with. */
export async function signOut(deps: Deps, person: Person): Promise<void> {
  await endSessions(deps, refOf(person), 'signed_out', (id) => id === person.sessionId)
}

/** Ends one of this person's sessions. */
export async function endSession(
  deps: Deps,
  input: { person: Person; sessionId: string },
): Promise<{ kind: 'ended' | 'not_found' }> {
  const who = refOf(input.person)
  const ended = await endSessions(deps, who, 'session_ended', (id) => id === input.sessionId)
  return { kind: ended === 0 ? 'not_found' : 'ended' }
}

/** Ends every session of this person but the one they are signed in with, or that one too. */
export async function endAllSessions(
  deps: Deps,
  input: { person: Person; others: boolean },
): Promise<{ ended: number }> {
  const { person, others } = input
  const isMeant = (id: string) => !others || id !== person.sessionId
  return { ended: await endSessions(deps, refOf(person), 'sessions_ended', isMeant) }
}

async function endSessions(
  { broker }: Deps,
  who: PersonRef,
  outcome: 'signed_out' | 'session_ended' | 'sessions_ended',
  isMeant: (id: string) => boolean,
): Promise<number> {
  const seal = await personSealer(broker, who)
  return broker.store.transaction(async (tx) => {
    // Whoever ends everything means the terminal too that was allowed and has not fetched its token yet.
    if (outcome === 'sessions_ended') await tx.terminalLogins.removeFor(who)
    const meant = (await tx.personSessions.list(who)).filter(({ id }) => isMeant(id))
    if (meant.length === 0) return 0
    for (const { id } of meant) await tx.personSessions.remove(who, id)
    const leaf = personLeaf(who, outcome, { subj: { sessions: meant.map(({ id }) => id) } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return meant.length
  })
}
