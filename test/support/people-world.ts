import {
  createAuthenticator,
  type SoftwareAuthenticator,
  type Tricks,
} from '../../src/demo/software-passkey.ts'
import { hashSecret } from '../../src/people/bearer-secret.ts'
import { beginEnrolment, finishEnrolment } from '../../src/people/enrol.ts'
import { createGuessThrottle } from '../../src/people/guess-throttle.ts'
import { invite, inviteFirstOperator } from '../../src/people/invite.ts'
import type { PeopleDeps } from '../../src/people/people-deps.ts'
import { findPerson, type Person } from '../../src/people/person.ts'
import { type Browser, beginSignIn, finishSignIn } from '../../src/people/sign-in.ts'
import { beginStepUp, finishStepUp } from '../../src/people/step-up.ts'
import type { Message } from '../../src/ports/messenger.ts'
import { createTestBroker, type TestBroker } from './test-broker.ts'

export const ORIGIN = 'https://broker.example'
export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

export type Enrolled = {
  person: Person
  cookie: string
  codes: readonly string[]
  key: SoftwareAuthenticator
}

export type PeopleWorld = {
  readonly test: TestBroker
  readonly deps: PeopleDeps
  readonly told: { userId: string; message: Message }[]
  /** The first operator, enrolled by the link of the first start. */
  firstOperator(): Promise<Enrolled>
  /** A user, invited by the operator and enrolled. */
  user(by: Person): Promise<Enrolled>
  signIn(
    key: SoftwareAuthenticator,
    about?: Partial<Browser>,
    tricks?: Tricks,
  ): ReturnType<typeof finishSignIn>
  stepUp(enrolled: Pick<Enrolled, 'person' | 'cookie' | 'key'>): ReturnType<typeof finishStepUp>
  find(cookie: string): Promise<Person | null>
}

/** Signing in over a test broker, with authenticators of its own; what people are told is kept in `told`. */
export async function createPeopleWorld(
  about: Partial<Pick<PeopleDeps, 'provider'> & PeopleDeps['settings']> & { test?: TestBroker } = {},
): Promise<PeopleWorld> {
  const test = about.test ?? (await createTestBroker())
  const told: PeopleWorld['told'] = []
  const deps: PeopleDeps = {
    broker: test.broker,
    settings: { origin: ORIGIN, rpId: 'broker.example', signUp: about.signUp ?? 'invited' },
    messenger: {
      tell: async (userId, message) => {
        told.push({ userId, message })
      },
    },
    provider: about.provider ?? null,
    throttle: createGuessThrottle(() => test.clock.nowMs()),
  }

  async function enrol(url: string, operatorName?: string): Promise<Enrolled> {
    const key = createAuthenticator(ORIGIN)
    const browser = browserWith()
    const token = url.slice(url.lastIndexOf('/') + 1)
    const begun = await beginEnrolment(deps, { token, operatorName, preSession: browser.preSession })
    if (begun.kind !== 'begun') throw new Error(begun.kind)
    const enrolled = await finishEnrolment(deps, {
      answer: key.create(begun.options),
      passkeyName: 'My phone',
      purpose: 'enrol',
      browser,
    })
    if (enrolled.kind !== 'enrolled') throw new Error(enrolled.kind)
    const { person, cookie, codes } = enrolled
    return { person, cookie, codes: codes ?? [], key }
  }

  return {
    test,
    deps,
    told,
    async firstOperator() {
      const url = await inviteFirstOperator(deps)
      if (url === undefined) throw new Error('there is an operator')
      return enrol(url, 'lin.wei')
    },
    async user(by) {
      const invited = await invite(deps, { by, kind: 'user', id: undefined })
      if (invited.kind !== 'invited') throw new Error(invited.kind)
      return enrol(invited.url)
    },
    async signIn(key, about = {}, tricks = {}) {
      const browser = browserWith(about)
      const options = await beginSignIn(deps, browser)
      return finishSignIn(deps, { answer: key.get(options, tricks), browser })
    },
    async stepUp({ person, cookie, key }) {
      const options = await beginStepUp(deps, person)
      return finishStepUp(deps, { person, cookie, answer: key.get(options) })
    },
    find: (cookie) => findPerson(deps, cookie, test.broker.store.now().nowMs),
  }
}

/** A browser with a form cookie of its own, as every browser has one. */
export function browserWith(about: Partial<Browser> = {}): Browser {
  return { preSession: hashSecret('some browser'), userAgent: FIREFOX, before: null, ...about }
}
