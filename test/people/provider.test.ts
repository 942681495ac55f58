import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  beginProviderSignIn,
  beginProviderStepUp,
  finishProviderSignIn,
  finishProviderStepUp,
} from '../../src/people/sign-in-with-provider.ts'
import type { IdentityProvider, ProviderAnswer } from '../../src/ports/identity-provider.ts'
import { browserWith, createPeopleWorld, type PeopleWorld } from '../support/people-world.ts'

const LOGIN = 'https://login.example'

let world: PeopleWorld
let answers: ProviderAnswer[]
let asked: { fresh: boolean; state: string }[]

beforeEach(async () => {
  answers = []
  asked = []
  const provider: IdentityProvider = {
    origins: [LOGIN],
    async begin(fresh) {
      const state = `state-${asked.length}`
      asked.push({ fresh, state })
      return { url: `${LOGIN}/authorize`, state, nonce: 'n', codeVerifier: 'v' }
    },
    finish: async () => answers.shift() ?? { kind: 'refused', code: 'none' },
  }
  world = await createPeopleWorld({ provider })
})
afterEach(() => world.test.close())

function identified(subject: string, authenticatedAtMs: number | null = null): ProviderAnswer {
  return { kind: 'identified', issuer: LOGIN, subject, authenticatedAtMs }
}

async function signIn(answer: ProviderAnswer, browser = browserWith()) {
  await beginProviderSignIn(world.deps, { browser, next: '/me' })
  answers.push(answer)
  return finishProviderSignIn(world.deps, { state: asked.at(-1)?.state ?? '', query: '', browser })
}

async function signedIn(subject: string) {
  const done = await signIn(identified(subject))
  if (done.kind !== 'signed_in') throw new Error(done.kind)
  return done
}

describe('signing in at the platform’s provider', () => {
  it('is one account for one issuer and subject, and brings no step-up with it', async () => {
    const [first, again, other] = [await signedIn('anna'), await signedIn('anna'), await signedIn('ben')]
    expect(again.person.id).toBe(first.person.id)
    expect(other.person.id).not.toBe(first.person.id)
    expect(first.person).toMatchObject({ kind: 'user', viaProvider: true, steppedUpAtMs: null })
    expect(first.next).toBe('/me')
  })

  it('refuses an answer twice, to an unknown state, in another browser, and late', async () => {
    const browser = browserWith()
    await beginProviderSignIn(world.deps, { browser, next: '/' })
    const finish = (state: string, by = browser) => {
      answers.push(identified('anna'))
      return finishProviderSignIn(world.deps, { state, query: '', browser: by })
    }
    expect((await finish('state-9')).kind).toBe('refused')
    expect((await finish('state-0', browserWith({ preSession: 'of a thief' }))).kind).toBe('refused')
    expect((await finish('state-0')).kind).toBe('refused')
    await beginProviderSignIn(world.deps, { browser, next: '/' })
    expect((await finish('state-1')).kind).toBe('signed_in')
    expect((await finish('state-1')).kind).toBe('refused')
    await beginProviderSignIn(world.deps, { browser, next: '/' })
    world.test.clock.advance(5 * 60_000)
    expect((await finish('state-2')).kind).toBe('refused')
  })
})

describe('a step-up at the provider', () => {
  async function stepUp(answer: (nowMs: number) => ProviderAnswer) {
    const { person, cookie } = await signedIn('anna')
    world.test.clock.advance(3_600_000)
    await beginProviderStepUp(world.deps, { person, next: '/me' })
    expect(asked.at(-1)?.fresh).toBe(true)
    answers.push(answer(world.test.clock.nowMs()))
    const state = asked.at(-1)?.state ?? ''
    return finishProviderStepUp(world.deps, { state, query: '', person, cookie })
  }

  it('takes a proof from after it began', async () => {
    expect((await stepUp((nowMs) => identified('anna', nowMs))).kind).toBe('stepped_up')
  })

  it.each([
    ['an old sign-in', (nowMs: number) => identified('anna', nowMs - 3_600_000)],
    ['a provider that does not say when', () => identified('anna', null)],
    ['another account', (nowMs: number) => identified('ben', nowMs)],
    ['a no', () => ({ kind: 'refused', code: 'access_denied' }) as const],
  ])('refuses %s', async (_, answer) => {
    expect((await stepUp(answer)).kind).toBe('refused')
  })
})
