import type { Broker } from '../broker/broker.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { CeremonyRow } from '../ports/people-rows.ts'
import { hashSecret } from './bearer-secret.ts'

/** What the answer to a challenge is good for, and nothing else. */
export type CeremonyPurpose =
  | 'enrol'
  | 'sign_up'
  | 'add_passkey'
  | 'sign_in'
  | 'step_up'
  | 'provider_sign_in'
  | 'provider_step_up'

const WITHIN_MS = 5 * 60_000

/**
 * Remembers a challenge for 5 minutes, for one purpose and one browser.
 *
 * @param boundTo the session's id, or what the cookie before signing in holds: kept as its SHA-256.
 */
export async function beginCeremony(
  broker: Pick<Broker, 'store'>,
  begun: { challenge: string; purpose: CeremonyPurpose; boundTo: string; facts: JsonValue },
): Promise<void> {
  await broker.store.transaction(async (tx) => {
    await tx.ceremonies.removeExpired(tx.nowMs)
    await tx.ceremonies.insert({
      challengeHash: hashSecret(begun.challenge),
      purpose: begun.purpose,
      boundTo: hashSecret(begun.boundTo),
      facts: JSON.stringify(begun.facts),
      expiresAtMs: tx.nowMs + WITHIN_MS,
    })
  })
}

/**
 * Uses a challenge up, whatever comes of it, so that no answer is ever looked at twice.
 *
 * @returns what was remembered; undefined for an unknown, used or late challenge, another purpose or another browser.
 */
export async function takeCeremony(
  broker: Pick<Broker, 'store'>,
  answered: { challenge: string; purpose: CeremonyPurpose; boundTo: string },
): Promise<unknown> {
  const row = await broker.store.transaction<CeremonyRow | undefined>(async (tx) => {
    const taken = await tx.ceremonies.take(hashSecret(answered.challenge))
    return taken && tx.nowMs < taken.expiresAtMs ? taken : undefined
  })
  if (row?.purpose !== answered.purpose || row.boundTo !== hashSecret(answered.boundTo)) return undefined
  return JSON.parse(row.facts)
}
