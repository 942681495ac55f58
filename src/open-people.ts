import { readFileSync } from 'node:fs'
import type { Broker } from './broker/broker.ts'
import { createMessenger } from './broker/tell.ts'
import type { Config } from './config.ts'
import type { SessionLookup } from './http/session-caller.ts'
import { wireName } from './pages/cookies.ts'
import { isFormToken } from './pages/csrf.ts'
import { createGuessThrottle } from './people/guess-throttle.ts'
import { openOpenidProvider } from './people/openid-provider.ts'
import type { PeopleDeps } from './people/people-deps.ts'
import { findPerson, findTerminalPerson, isSteppedUp } from './people/person.ts'

/** What signing in is made from. The origin of passkeys is the broker's own: they are good nowhere else. */
export function openPeople(config: Pick<Config, 'signUp' | 'signInProvider'>, broker: Broker): PeopleDeps {
  const { origin, hostname } = new URL(broker.settings.issuer)
  return {
    broker,
    settings: { origin, rpId: hostname, signUp: config.signUp },
    messenger: createMessenger(broker),
    provider: providerOf(config, origin),
    throttle: createGuessThrottle(() => performance.now()),
  }
}

/** How a session is looked up, by pages and API alike. */
export function sessionLookup(broker: Broker): SessionLookup {
  return {
    cookieName: wireName('countersign', broker.settings.issuer.startsWith('https:')),
    findPerson: (value, nowMs) => findPerson({ broker }, value, nowMs),
    findTerminalPerson: (token, nowMs) => findTerminalPerson({ broker }, token, nowMs),
    isSteppedUp,
    isFormToken,
  }
}

function providerOf({ signInProvider }: Pick<Config, 'signInProvider'>, origin: string) {
  if (!signInProvider) return null
  const { issuer, clientId, clientSecretFile } = signInProvider
  return openOpenidProvider({
    issuer,
    clientId,
    clientSecret: clientSecretFile === null ? null : readFileSync(clientSecretFile, 'utf8').trim(),
    redirectUri: `${origin}/sign-in/provider/return`,
    allowsPlainHttp: issuer.startsWith('http:'),
  })
}
