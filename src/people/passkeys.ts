import { openText, sealText } from '../broker/seal-text.ts'
import { isWithinRecoveryRest } from '../core/people/recovery-rest.ts'
import type { PasskeyRow } from '../ports/people-rows.ts'
import type { PeopleDeps } from './people-deps.ts'
import type { Person } from './person.ts'
import { personLeaf, personSealer } from './person-leaf.ts'
import { beginRegistration, finishRegistration } from './register-passkey.ts'
import { refOf } from './sign-in.ts'

const NAME_CHARACTERS_MOST = 60
const PASSKEYS_MOST = 20

/** A passkey as its owner sees it. */
export type OwnPasskey = {
  readonly credentialId: string
  readonly name: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
}

/** What a person calls a passkey: one line, of a length a page can show. */
export function plainPasskeyName(typed: string): string {
  return [
    ...typed
      .toWellFormed()
      .normalize('NFC')
      .replace(/\p{C}+/gu, ' ')
      .trim(),
  ]
    .slice(0, NAME_CHARACTERS_MOST)
    .join('')
}

/** A person's passkeys, oldest first. */
export async function listPasskeys(deps: PeopleDeps, person: Person): Promise<OwnPasskey[]> {
  const rows = await deps.broker.store.read(async (tx) => tx.passkeys.list(refOf(person)))
  const sorted = [...rows].sort((a, b) => a.createdAtMs - b.createdAtMs)
  return Promise.all(
    sorted.map(async ({ credentialId, name, createdAtMs, lastUsedAtMs }) => ({
      credentialId,
      name: (await openText(deps.broker, name)) ?? '',
      createdAtMs,
      lastUsedAtMs,
    })),
  )
}

/** What the browser needs to make one more passkey. */
export function beginAddPasskey(deps: PeopleDeps, person: Person) {
  return beginRegistration(deps, {
    who: refOf(person),
    purpose: 'add_passkey',
    boundTo: person.sessionId,
    facts: {},
  })
}

export type PasskeyAdded = { readonly kind: 'added' | 'refused' | 'too_many' }

/** Keeps one more passkey. Whether the person stepped up is the caller's check. */
export async function finishAddPasskey(
  deps: PeopleDeps,
  input: { person: Person; answer: string; name: string },
): Promise<PasskeyAdded> {
  const { broker, messenger } = deps
  const who = refOf(input.person)
  const made = await finishRegistration(deps, {
    answer: input.answer,
    purpose: 'add_passkey',
    boundTo: input.person.sessionId,
  })
  if (!made) return { kind: 'refused' }
  const owner = { userId: who.kind === 'user' ? who.id : '', skillId: '' }
  const name = await sealText(broker, owner, plainPasskeyName(input.name))
  const seal = await personSealer(broker, who)
  const added = await broker.store.transaction<PasskeyAdded>(async (tx) => {
    if (await tx.passkeys.find(made.passkey.credentialId)) return { kind: 'refused' }
    if ((await tx.passkeys.list(who)).length >= PASSKEYS_MOST) return { kind: 'too_many' }
    const row: PasskeyRow = {
      ...made.passkey,
      personId: who.id,
      kind: who.kind,
      name,
      createdAtMs: tx.nowMs,
      lastUsedAtMs: null,
    }
    await tx.passkeys.insert(row)
    await tx.log.append(seal(personLeaf(who, 'passkey_added'), tx.nowMs), tx.nowMs)
    return { kind: 'added' }
  })
  if (added.kind === 'added' && who.kind === 'user')
    await messenger.tell(who.id, { kind: 'security_changed' })
  return added
}

/** Gives a passkey another name. */
export async function renamePasskey(
  deps: PeopleDeps,
  input: { person: Person; credentialId: string; name: string },
): Promise<{ kind: 'renamed' | 'not_found' }> {
  const { broker } = deps
  const who = refOf(input.person)
  const before = await broker.store.read(async (tx) => tx.passkeys.find(input.credentialId))
  if (before?.personId !== who.id || before.kind !== who.kind) return { kind: 'not_found' }
  const owner = { userId: who.kind === 'user' ? who.id : '', skillId: '' }
  const name = await sealText(broker, owner, plainPasskeyName(input.name))
  const seal = await personSealer(broker, who)
  return broker.store.transaction<{ kind: 'renamed' | 'not_found' }>(async (tx) => {
    if (!(await tx.passkeys.setName(who, input.credentialId, name))) return { kind: 'not_found' }
    await tx.log.append(seal(personLeaf(who, 'passkey_named'), tx.nowMs), tx.nowMs)
    return { kind: 'renamed' }
  })
}

export type PasskeyRemoved = {
  readonly kind: 'removed' | 'not_found' | 'last_passkey' | 'recovered_recently'
}

/**
 * Takes a passkey away; never the last one. Within a day of a recovery those from before it stay: they are the
 * owner's way back if the code was stolen. Whether the person stepped up is the caller's check.
 */
export async function removePasskey(
  deps: PeopleDeps,
  input: { person: Person; credentialId: string },
): Promise<PasskeyRemoved> {
  const { broker, messenger } = deps
  const who = refOf(input.person)
  const seal = await personSealer(broker, who)
  const removed = await broker.store.transaction<PasskeyRemoved>(async (tx) => {
    const rows = await tx.passkeys.list(who)
    const row = rows.find(({ credentialId }) => credentialId === input.credentialId)
    if (!row) return { kind: 'not_found' }
    if (rows.length === 1) return { kind: 'last_passkey' }
    const recoveredAtMs = (await tx.people.find(who))?.recoveredAtMs ?? null
    const isOlder = recoveredAtMs !== null && row.createdAtMs <= recoveredAtMs
    if (isOlder && isWithinRecoveryRest(recoveredAtMs, tx.nowMs)) return { kind: 'recovered_recently' }
    await tx.passkeys.remove(who, input.credentialId)
    await tx.log.append(seal(personLeaf(who, 'passkey_removed'), tx.nowMs), tx.nowMs)
    return { kind: 'removed' }
  })
  if (removed.kind === 'removed' && who.kind === 'user') {
    await messenger.tell(who.id, { kind: 'security_changed' })
  }
  return removed
}
