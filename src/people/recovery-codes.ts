import { hash, randomBytes } from 'node:crypto'
import { normalRecoveryCode, RECOVERY_CODES, spellRecoveryCode } from '../core/people/recovery-code.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { PeopleDeps } from './people-deps.ts'
import { personLeaf, personSealer } from './person-leaf.ts'

/** Codes as they are shown, once, with their hashes beside them. */
export type NewCodes = readonly { readonly code: string; readonly codeHash: string }[]

/** Makes a set of codes; nothing is stored yet. */
export function newRecoveryCodes(): NewCodes {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const code = spellRecoveryCode(randomBytes(16))
    return { code, codeHash: hashRecoveryCode(normalRecoveryCode(code) ?? code) }
  })
}

/** @param code in its normal form. */
export function hashRecoveryCode(code: string): string {
  return hash('sha256', `countersign/v1/recovery-code ${code}`, 'base64url')
}

/** Keeps these codes in place of all a person had. */
export async function storeRecoveryCodes(tx: Tx, who: PersonRef, codes: NewCodes): Promise<void> {
  await tx.recoveryCodes.removeAll(who)
  for (const { codeHash } of codes) {
    await tx.recoveryCodes.insert({ codeHash, personId: who.id, kind: who.kind, createdAtMs: tx.nowMs })
  }
}

/** How many codes a person still has. */
export async function countRecoveryCodes({ broker }: PeopleDeps, who: PersonRef): Promise<number> {
  return (await broker.store.read(async (tx) => tx.recoveryCodes.list(who))).length
}

/** Makes new codes; the old ones are good for nothing from then on. Returns them to be shown once. */
export async function renewRecoveryCodes(deps: PeopleDeps, who: PersonRef): Promise<readonly string[]> {
  const { broker, messenger } = deps
  const codes = newRecoveryCodes()
  const seal = await personSealer(broker, who)
  await broker.store.transaction(async (tx) => {
    await storeRecoveryCodes(tx, who, codes)
    await tx.log.append(seal(personLeaf(who, 'recovery_codes_made'), tx.nowMs), tx.nowMs)
  })
  if (who.kind === 'user') await messenger.tell(who.id, { kind: 'security_changed' })
  return codes.map(({ code }) => code)
}
