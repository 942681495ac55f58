import { coarseDevice } from '../core/people/coarse-device.ts'
import { isSessionAlive } from '../core/people/session-age.ts'
import type { PersonRef, PersonSessionRow } from '../ports/people-rows.ts'
import type { Tx } from '../ports/store.ts'
import { hashSecret } from './bearer-secret.ts'
import { timesOf } from './person.ts'

/** A person has no more sessions than this; the one unseen for longest makes room. */
const SESSIONS_MOST = 30

export type SessionWish = {
  readonly id: string
  readonly who: PersonRef
  /** The cookie or token, made before the transaction. */
  readonly secret: string
  readonly channel: 'browser' | 'terminal'
  readonly userAgent: string
  readonly viaProvider: boolean
  readonly steppedUpAtMs: number | null
}

/** Opens a session within a transaction. It always has a secret of its own: none is ever taken over from before. */
export async function openSession(tx: Tx, wish: SessionWish): Promise<PersonSessionRow> {
  const { who } = wish
  const rows = [...(await tx.personSessions.list(who))].sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs)
  const alive = rows.filter((row) => isSessionAlive(timesOf(row), tx.nowMs))
  const kept = new Set(alive.slice(0, SESSIONS_MOST - 1))
  for (const row of rows) if (!kept.has(row)) await tx.personSessions.remove(who, row.id)
  const session: PersonSessionRow = {
    id: wish.id,
    personId: who.id,
    kind: who.kind,
    tokenHash: hashSecret(wish.secret),
    channel: wish.channel,
    device: coarseDevice(wish.userAgent),
    viaProvider: wish.viaProvider,
    signedInAtMs: tx.nowMs,
    lastSeenAtMs: tx.nowMs,
    steppedUpAtMs: wish.steppedUpAtMs,
  }
  await tx.personSessions.insert(session)
  return session
}
