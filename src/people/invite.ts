import { isId } from '../core/ids.ts'
import { isOperatorName } from '../core/people/operator-name.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import { hashSecret, newSecret } from './bearer-secret.ts'
import type { PeopleDeps } from './people-deps.ts'
import type { Person } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'

const INVITATION_WITHIN_MS = 72 * 3_600_000
const FIRST_OPERATOR_WITHIN_MS = 3_600_000

export type Invited =
  /** `url` is shown to the operator once; whoever opens it makes the account's passkey. */
  | {
      readonly kind: 'invited'
      readonly who: PersonRef
      readonly url: string
      readonly expiresAtMs: number
    }
  | { readonly kind: 'name_refused' }
  /** The person is there and can sign in: a link would be a way in for somebody else. */
  | { readonly kind: 'already_enrolled' }

/**
 * Makes a link by which a user, new or known by id, or an operator makes their first passkey. Good once, for three
 * days. Whether the operator stepped up is the caller's check.
 */
export async function invite(
  deps: PeopleDeps,
  input: { by: Person; kind: PersonRef['kind']; id: string | undefined },
): Promise<Invited> {
  const { broker, settings } = deps
  const id = input.id ?? (input.kind === 'user' ? broker.newId('user') : '')
  const isName = input.kind === 'operator' ? isOperatorName(id) : isId('user', id)
  if (!isName) return { kind: 'name_refused' }
  const who: PersonRef = { kind: input.kind, id }
  const seal = await personSealer(broker, who)
  const token = newSecret()
  return broker.store.transaction<Invited>(async (tx) => {
    // Nobody is invited twice into one account: not while it has a way in, and not after it ended.
    if (await tx.people.find(who)) return { kind: 'already_enrolled' }
    const expiresAtMs = tx.nowMs + INVITATION_WITHIN_MS
    await tx.enrolments.removeExpired(tx.nowMs)
    await tx.enrolments.removeFor(who, 'invitation')
    await tx.enrolments.insert({
      tokenHash: hashSecret(token),
      personId: who.id,
      kind: who.kind,
      purpose: 'invitation',
      createdAtMs: tx.nowMs,
      expiresAtMs,
    })
    const leaf = personLeaf(who, 'invited', { reason: 'by_operator', subj: { by: input.by.id } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'invited', who, url: `${settings.origin}/enrol/${token}`, expiresAtMs }
  })
}

export type OperatorEnded = { readonly kind: 'ended' | 'not_found' | 'self' }

/** Ends an operator's account for good, with every session of theirs. */
export async function endOperator(
  deps: Pick<PeopleDeps, 'broker'>,
  input: { by: Person; id: string },
): Promise<OperatorEnded> {
  if (input.by.id === input.id) return { kind: 'self' }
  const { broker } = deps
  const who: PersonRef = { kind: 'operator', id: input.id }
  const seal = await personSealer(broker, who)
  return broker.store.transaction<OperatorEnded>(async (tx) => {
    if ((await tx.people.find(who))?.status !== 'active') return { kind: 'not_found' }
    await tx.people.setStatus(who, 'ended')
    for (const { id } of await tx.personSessions.list(who)) await tx.personSessions.remove(who, id)
    await tx.enrolments.removeFor(who, 'recovery')
    const leaf = personLeaf(who, 'account_ended', { subj: { by: input.by.id } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'ended' }
  })
}

/** Every operator there ever was, by name. */
export async function listOperators({ broker }: Pick<PeopleDeps, 'broker'>) {
  const rows = await broker.store.read(async (tx) => tx.people.list('operator'))
  return [...rows]
    .sort((a, b) => (a.personId < b.personId ? -1 : 1))
    .map(({ personId, status, createdAtMs }) => ({ id: personId, status, createdAtMs }))
}

/**
 * Makes the link that creates the first operator, while there is none: good once, for an hour. A link made before is
 * void. Undefined once there is an operator.
 */
export async function inviteFirstOperator(
  deps: Pick<PeopleDeps, 'broker' | 'settings'>,
): Promise<string | undefined> {
  const token = newSecret()
  return deps.broker.store.transaction(async (tx) => {
    if ((await tx.people.list('operator')).some(({ status }) => status === 'active')) return undefined
    await tx.enrolments.removeFor({ kind: 'operator', id: '' }, 'first_operator')
    await tx.enrolments.insert({
      tokenHash: hashSecret(token),
      personId: '',
      kind: 'operator',
      purpose: 'first_operator',
      createdAtMs: tx.nowMs,
      expiresAtMs: tx.nowMs + FIRST_OPERATOR_WITHIN_MS,
    })
    return `${deps.settings.origin}/enrol/${token}`
  })
}
