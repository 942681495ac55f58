import { hash } from 'node:crypto'
import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { JsonValue } from '../core/json-value.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import { beginCeremony, type CeremonyPurpose, takeCeremony } from './ceremony.ts'
import { challengeOf, knownTransports, parseRegistration } from './passkey-answer.ts'
import type { PeopleDeps } from './people-deps.ts'

/** EdDSA, ES256 and RS256 (COSE algorithm identifiers), which all authenticators have one of. */
const ALGORITHMS = [-8, -7, -257]
const TIMEOUT_MS = 5 * 60_000
const HANDLE_LABEL = 'countersign/v1/user-handle'

/** A passkey whose registration was checked; not stored yet. */
export type NewPasskey = {
  readonly credentialId: string
  readonly publicKey: Buffer
  readonly counter: number
  readonly transports: string
}

/**
 * What a browser needs to make a passkey: discoverable, with the person verified by the authenticator. Names are for
 * the authenticator's own list; the handle is a hash, so the authenticator keeps nothing that means anything here.
 */
export async function beginRegistration(
  deps: PeopleDeps,
  begun: { who: PersonRef; purpose: CeremonyPurpose; boundTo: string; facts: JsonValue },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { broker, settings } = deps
  const { who } = begun
  const known = await broker.store.read(async (tx) => tx.passkeys.list(who))
  const name = who.kind === 'operator' ? who.id : `Countersign ${who.id.slice(-6)}`
  const options = await generateRegistrationOptions({
    rpName: 'Countersign',
    rpID: settings.rpId,
    userName: name,
    userDisplayName: name,
    userID: new Uint8Array(hash('sha256', JSON.stringify([HANDLE_LABEL, who.kind, who.id]), 'buffer')),
    attestationType: 'none',
    timeout: TIMEOUT_MS,
    excludeCredentials: known.map((row) => ({
      id: row.credentialId,
      transports: knownTransports(JSON.parse(row.transports)),
    })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
  })
  await beginCeremony(broker, { ...begun, challenge: options.challenge })
  return options
}

/**
 * Checks what a browser made of it (WebAuthn section 7.1) and uses the challenge up.
 *
 * @returns the passkey and what the ceremony remembered; undefined if anything does not hold.
 */
export async function finishRegistration(
  deps: PeopleDeps,
  answered: { answer: string; purpose: CeremonyPurpose; boundTo: string },
): Promise<{ passkey: NewPasskey; facts: unknown } | undefined> {
  const response = parseRegistration(answered.answer)
  const challenge = response && challengeOf(response.response.clientDataJSON)
  if (!response || challenge === undefined) return undefined
  const facts = await takeCeremony(deps.broker, { ...answered, challenge })
  if (facts === undefined) return undefined
  const { origin, rpId } = deps.settings
  const verdict = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(() => undefined)
  if (!verdict?.verified) return undefined
  const { credential } = verdict.registrationInfo
  return {
    facts,
    passkey: {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey),
      counter: credential.counter,
      transports: JSON.stringify(credential.transports ?? []),
    },
  }
}
