import type { Broker } from '../broker/broker.ts'
import type { IdentityProvider } from '../ports/identity-provider.ts'
import type { Messenger } from '../ports/messenger.ts'
import type { GuessThrottle } from './guess-throttle.ts'

/** Choices about signing in, read once at start. */
export type PeopleSettings = {
  /** The one origin passkeys are made for and used at; without a slash at its end. */
  readonly origin: string
  /** The domain passkeys belong to (WebAuthn relying party id). */
  readonly rpId: string
  /** Who may make an account: whom an operator invited, or anybody. */
  readonly signUp: 'invited' | 'open'
}

/** What the use cases of signing in are made from. */
export type PeopleDeps = {
  readonly broker: Broker
  readonly settings: PeopleSettings
  readonly messenger: Messenger
  /** Null where people sign in with passkeys only. */
  readonly provider: IdentityProvider | null
  readonly throttle: GuessThrottle
}
