import {
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server'
import type { PasskeyRow, PersonRef } from '../ports/people-rows.ts'
import { beginCeremony, takeCeremony } from './ceremony.ts'
import { challengeOf, knownTransports, parseAssertion } from './passkey-answer.ts'
import type { PeopleDeps } from './people-deps.ts'

const TIMEOUT_MS = 5 * 60_000

/** A checked signature of a passkey. The counter it brings is to be kept by whoever acts on it. */
export type PasskeyUse = {
  readonly passkey: PasskeyRow
  readonly who: PersonRef
  readonly counter: number
}

export type PasskeyChecked =
  | { readonly kind: 'used'; readonly use: PasskeyUse }
  | { readonly kind: 'refused' }
  /** The authenticator counted backwards: there may be two of it. */
  | { readonly kind: 'counter_went_back'; readonly use: PasskeyUse }

/** @param who whose passkeys may answer; null for whoever is there (discoverable credentials). */
export async function beginPasskeyUse(
  deps: PeopleDeps,
  begun: { who: PersonRef | null; purpose: 'sign_in' | 'step_up'; boundTo: string },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { broker, settings } = deps
  const { who, purpose, boundTo } = begun
  const own = who && (await broker.store.read(async (tx) => tx.passkeys.list(who)))
  const options = await generateAuthenticationOptions({
    rpID: settings.rpId,
    userVerification: 'required',
    timeout: TIMEOUT_MS,
    ...(own
      ? {
          allowCredentials: own.map((row) => ({
            id: row.credentialId,
            transports: knownTransports(JSON.parse(row.transports)),
          })),
        }
      : {}),
  })
  await beginCeremony(broker, { purpose, boundTo, facts: {}, challenge: options.challenge })
  return options
}

/** Checks the answer of an authenticator (WebAuthn section 7.2) and uses the challenge up. */
export async function checkPasskeyUse(
  deps: PeopleDeps,
  answered: { answer: string; purpose: 'sign_in' | 'step_up'; boundTo: string },
): Promise<PasskeyChecked> {
  const refused = { kind: 'refused' } as const
  const response = parseAssertion(answered.answer)
  const challenge = response && challengeOf(response.response.clientDataJSON)
  if (!response || challenge === undefined) return refused
  const { broker, settings } = deps
  if ((await takeCeremony(broker, { ...answered, challenge })) === undefined) return refused
  const found = await broker.store.read(async (tx) => {
    const passkey = await tx.passkeys.find(response.id)
    if (!passkey) return undefined
    const who = { kind: passkey.kind === 'operator' ? 'operator' : 'user', id: passkey.personId } as const
    return (await tx.people.find(who))?.status === 'active' ? { passkey, who } : undefined
  })
  if (!found) return refused
  const { passkey, who } = found
  const verdict = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: settings.origin,
    expectedRPID: settings.rpId,
    requireUserVerification: true,
    // The counter is looked at below: one that goes back is told apart from a bad signature.
    credential: { id: passkey.credentialId, publicKey: new Uint8Array(passkey.publicKey), counter: 0 },
  }).catch(() => undefined)
  if (!verdict?.verified) return refused
  const counter = verdict.authenticationInfo.newCounter
  const use = { passkey, who, counter }
  const isBack = (counter > 0 || passkey.counter > 0) && counter <= passkey.counter
  return isBack ? { kind: 'counter_went_back', use } : { kind: 'used', use }
}
