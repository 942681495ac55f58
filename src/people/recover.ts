import { normalRecoveryCode } from '../core/people/recovery-code.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import { hashSecret, newSecret } from './bearer-secret.ts'
import type { PeopleDeps } from './people-deps.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { hashRecoveryCode } from './recovery-codes.ts'

/** Every code names its own account, so there is one target to guess at. */
const TARGET = 'recovery'
const LINK_WITHIN_MS = 15 * 60_000

export type Recovered =
  /** `token` opens /enrol/{token}, once, for a quarter of an hour, in which a new passkey is made. */
  | { readonly kind: 'recovered'; readonly token: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly seconds: number }

/**
 * Lets somebody who lost every passkey in by a recovery code, which is used up. All sessions end, every channel is
 * told, and for a day nothing wider is given. What comes back is no session: only the making of a new passkey.
 */
export async function recover(
  deps: PeopleDeps,
  input: { code: string; address: string },
): Promise<Recovered> {
  const { broker, throttle, messenger } = deps
  const seconds = throttle.waitSeconds(input.address, TARGET)
  if (seconds > 0) return { kind: 'wait', seconds }
  const code = normalRecoveryCode(input.code)
  const codeHash = code === undefined ? undefined : hashRecoveryCode(code)
  const who = codeHash === undefined ? undefined : await ownerOf(deps, codeHash)
  if (codeHash === undefined || !who) return refuse(deps, input.address)
  const seal = await personSealer(broker, who)
  const token = newSecret()
  const isRecovered = await broker.store.transaction(async (tx) => {
    if (!(await tx.recoveryCodes.take(codeHash))) return false
    if ((await tx.people.find(who))?.status !== 'active') return false
    const sessions = await tx.personSessions.list(who)
    for (const { id } of sessions) await tx.personSessions.remove(who, id)
    // A terminal that was allowed and has not fetched its token would have a session again in a moment.
    await tx.terminalLogins.removeFor(who)
    await tx.people.setRecovered(who, tx.nowMs)
    await tx.enrolments.removeExpired(tx.nowMs)
    // One way in at a time: a second code takes the place of the first one's link.
    await tx.enrolments.removeFor(who, 'recovery')
    await tx.enrolments.insert({
      tokenHash: hashSecret(token),
      personId: who.id,
      kind: who.kind,
      purpose: 'recovery',
      createdAtMs: tx.nowMs,
      expiresAtMs: tx.nowMs + LINK_WITHIN_MS,
    })
    const leaf = personLeaf(who, 'recovered', {
      reason: 'recovery_code',
      subj: { sessions: sessions.map(({ id }) => id) },
    })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return true
  })
  if (!isRecovered) return refuse(deps, input.address)
  throttle.right(input.address, TARGET)
  if (who.kind === 'user') await messenger.tell(who.id, { kind: 'recovered' })
  return { kind: 'recovered', token }
}

/** Looks a code up without using it: the sealer has to be there before the transaction that does. */
async function ownerOf({ broker }: PeopleDeps, codeHash: string): Promise<PersonRef | undefined> {
  const row = await broker.store.read(async (tx) => tx.recoveryCodes.find(codeHash))
  return row && { kind: row.kind === 'operator' ? 'operator' : 'user', id: row.personId }
}

function refuse({ broker, throttle }: PeopleDeps, address: string): Recovered {
  throttle.wrong(address, TARGET)
  broker.recentRefusals.count('recovery_refused')
  return { kind: 'refused' }
}
