import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../src/demo/software-passkey.ts'
import { beginEnrolment, finishEnrolment, showEnrolment } from '../../src/people/enrol.ts'
import { invite, inviteFirstOperator } from '../../src/people/invite.ts'
import { isSteppedUp } from '../../src/people/person.ts'
import { endAllSessions, endSession, listSessions, signOut } from '../../src/people/sessions.ts'
import { beginSignIn, finishSignIn } from '../../src/people/sign-in.ts'
import { beginStepUp, finishStepUp } from '../../src/people/step-up.ts'
import {
  browserWith,
  createPeopleWorld,
  type Enrolled,
  ORIGIN,
  type PeopleWorld,
} from '../support/people-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

let world: PeopleWorld
let operator: Enrolled
let user: Enrolled

beforeEach(async () => {
  world = await createPeopleWorld()
  operator = await world.firstOperator()
  user = await world.user(operator.person)
})
afterEach(() => world.test.close())

const tokenOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)

describe('the link of the first start', () => {
  it('creates one operator, and there is no second such link', async () => {
    expect(operator.person).toMatchObject({ kind: 'operator', id: 'lin.wei' })
    expect(await inviteFirstOperator(world.deps)).toBeUndefined()
  })

  it('is void after an hour, after the next start, and once somebody else was first', async () => {
    const fresh = await createPeopleWorld()
    try {
      const first = (await inviteFirstOperator(fresh.deps)) ?? ''
      const second = (await inviteFirstOperator(fresh.deps)) ?? ''
      expect(await showEnrolment(fresh.deps, tokenOf(first))).toBeUndefined()
      expect(await showEnrolment(fresh.deps, tokenOf(second))).toMatchObject({ purpose: 'first_operator' })
      fresh.test.clock.advance(HOUR_MS)
      expect(await showEnrolment(fresh.deps, tokenOf(second))).toBeUndefined()
    } finally {
      await fresh.test.close()
    }
  })

  it('takes a name that leaves can hold', async () => {
    const fresh = await createPeopleWorld()
    try {
      const token = tokenOf((await inviteFirstOperator(fresh.deps)) ?? '')
      for (const operatorName of ['', 'Lin Wei', '<script>', undefined]) {
        expect((await beginEnrolment(fresh.deps, { token, operatorName, preSession: 'x' })).kind).toBe(
          'name_refused',
        )
      }
    } finally {
      await fresh.test.close()
    }
  })
})

describe('an invitation', () => {
  it('is used up by the first passkey, whoever began with it', async () => {
    const invited = await invite(world.deps, { by: operator.person, kind: 'user', id: undefined })
    if (invited.kind !== 'invited') throw new Error(invited.kind)
    const browser = browserWith()
    const [mine, theirs] = [createAuthenticator(ORIGIN), createAuthenticator(ORIGIN)]
    const about = { token: tokenOf(invited.url), operatorName: undefined, preSession: browser.preSession }
    const first = await beginEnrolment(world.deps, about)
    const second = await beginEnrolment(world.deps, about)
    if (first.kind !== 'begun' || second.kind !== 'begun') throw new Error('not begun')
    const common = { passkeyName: '', purpose: 'enrol', browser } as const
    const one = await finishEnrolment(world.deps, { ...common, answer: mine.create(first.options) })
    const two = await finishEnrolment(world.deps, { ...common, answer: theirs.create(second.options) })
    expect([one.kind, two.kind]).toEqual(['enrolled', 'refused'])
    expect((await world.signIn(theirs)).kind).toBe('refused')
  })

  it('is not made for somebody who has an account', async () => {
    const again = await invite(world.deps, { by: operator.person, kind: 'user', id: user.person.id })
    expect(again.kind).toBe('already_enrolled')
  })
})

describe('signing in by passkey', () => {
  it('opens a session of the person whose passkey answered', async () => {
    const signedIn = await world.signIn(user.key)
    if (signedIn.kind !== 'signed_in') throw new Error(signedIn.kind)
    expect(signedIn.person).toMatchObject({ kind: 'user', id: user.person.id })
    expect(await world.find(signedIn.cookie)).toMatchObject({ id: user.person.id })
    const leaf = await world.test.lastLeaf('person')
    expect([leaf.outcome, leaf.reason]).toEqual(['signed_in', 'by_user'])
  })

  it.each([
    ['of another origin', { origin: 'https://broker.example.evil' }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['of an authenticator that did not verify the person', { userVerified: false }],
    ['to a challenge nobody set', { challenge: 'c29tZSBvdGhlciBjaGFsbGVuZ2U' }],
  ] as const)('refuses an answer %s', async (_, tricks) => {
    expect((await world.signIn(user.key, {}, tricks)).kind).toBe('refused')
  })

  it('refuses the same answer a second time', async () => {
    const browser = browserWith()
    const answer = user.key.get(await beginSignIn(world.deps, browser))
    expect((await finishSignIn(world.deps, { answer, browser })).kind).toBe('signed_in')
    expect((await finishSignIn(world.deps, { answer, browser })).kind).toBe('refused')
  })

  it('refuses an answer from another browser, and the challenge is used up by it', async () => {
    const browser = browserWith()
    const answer = user.key.get(await beginSignIn(world.deps, browser))
    const thief = browserWith({ preSession: 'another browser' })
    expect((await finishSignIn(world.deps, { answer, browser: thief })).kind).toBe('refused')
    expect((await finishSignIn(world.deps, { answer, browser })).kind).toBe('refused')
  })

  it('refuses an answer after five minutes', async () => {
    const browser = browserWith()
    const answer = user.key.get(await beginSignIn(world.deps, browser))
    world.test.clock.advance(5 * MINUTE_MS)
    expect((await finishSignIn(world.deps, { answer, browser })).kind).toBe('refused')
  })

  it('refuses an answer to the challenge of a step-up', async () => {
    const answer = user.key.get(await beginStepUp(world.deps, user.person))
    const browser = browserWith({ preSession: user.person.sessionId })
    expect((await finishSignIn(world.deps, { answer, browser })).kind).toBe('refused')
  })

  it('refuses a passkey that counts backwards, logs it, and tells its owner', async () => {
    expect((await world.signIn(user.key, {}, { counter: 7 })).kind).toBe('signed_in')
    expect((await world.signIn(user.key, {}, { counter: 7 })).kind).toBe('refused')
    expect((await world.signIn(user.key, {}, { counter: 6 })).kind).toBe('refused')
    expect(await world.test.lastLeaf('person')).toMatchObject({
      outcome: 'passkey_refused',
      reason: 'counter_went_back',
    })
    expect(world.told).toContainEqual({ userId: user.person.id, message: { kind: 'security_changed' } })
    expect((await world.signIn(user.key, {}, { counter: 8 })).kind).toBe('signed_in')
  })

  it.each(['', '{}', 'null', '[]', '{"id":"x"}', 'x'.repeat(100_000)])(
    'refuses what no browser sends: %#',
    async (answer) => {
      expect((await finishSignIn(world.deps, { answer, browser: browserWith() })).kind).toBe('refused')
    },
  )

  it('never takes over a cookie from before, and ends the session that browser had', async () => {
    const fixed = user.cookie
    const signedIn = await world.signIn(operator.key, { preSession: fixed, before: user.person })
    if (signedIn.kind !== 'signed_in') throw new Error(signedIn.kind)
    expect(signedIn.cookie).not.toBe(fixed)
    expect(await world.find(fixed)).toBeNull()
  })
})

describe('a session', () => {
  it('is known by a hash alone: neither cookie, user agent nor name of the passkey is stored in clear', async () => {
    const { store } = world.test.broker
    const stored = JSON.stringify(
      await store.read(async (tx) => [
        await tx.personSessions.list(user.person),
        await tx.passkeys.list(user.person),
        await tx.recoveryCodes.list(user.person),
      ]),
    )
    expect(stored).toContain('Firefox · Linux')
    for (const secret of [
      user.cookie,
      'Mozilla',
      'My phone',
      user.codes[0] ?? 'none',
      (user.codes[0] ?? '-').replaceAll('-', ''),
    ]) {
      expect(stored).not.toContain(secret)
    }
  })

  it('is over after signing out, whoever copied the cookie', async () => {
    await signOut(world.deps, user.person)
    expect(await world.find(user.cookie)).toBeNull()
  })

  it('of an operator ends after 30 idle minutes, and after 12 hours whatever happens', async () => {
    world.test.clock.advance(30 * MINUTE_MS - 1)
    expect(await world.find(operator.cookie)).not.toBeNull()
    for (let i = 0; i < 23; i++) {
      world.test.clock.advance(29 * MINUTE_MS)
      expect(await world.find(operator.cookie)).not.toBeNull()
    }
    world.test.clock.advance(29 * MINUTE_MS)
    expect(await world.find(operator.cookie)).toBeNull()
  })

  it('of a user ends after 14 idle days', async () => {
    world.test.clock.advance(14 * DAY_MS - 1)
    expect(await world.find(user.cookie)).not.toBeNull()
    world.test.clock.advance(14 * DAY_MS)
    expect(await world.find(user.cookie)).toBeNull()
  })

  it('is listed to its owner, and ended by nobody else', async () => {
    await world.signIn(user.key)
    const sessions = await listSessions(world.deps, user.person)
    expect(sessions.map(({ isThis }) => isThis).sort()).toEqual([false, true])
    const sessionId = user.person.sessionId
    expect((await endSession(world.deps, { person: operator.person, sessionId })).kind).toBe('not_found')
    expect(await world.find(user.cookie)).not.toBeNull()
    expect((await endAllSessions(world.deps, { person: user.person, others: true })).ended).toBe(1)
    expect(await world.find(user.cookie)).not.toBeNull()
    expect((await endSession(world.deps, { person: user.person, sessionId })).kind).toBe('ended')
    expect(await world.find(user.cookie)).toBeNull()
  })

  it.each(['', 'x', 'A'.repeat(43), 'A'.repeat(42)])('is not found by %j', async (cookie) => {
    expect(await world.find(cookie)).toBeNull()
  })
})

describe('a step-up', () => {
  it('is good for five minutes, for its session alone, whose cookie it changes', async () => {
    const other = await world.signIn(user.key)
    if (other.kind !== 'signed_in') throw new Error(other.kind)
    world.test.clock.advance(5 * MINUTE_MS)
    const nowMs = () => world.test.clock.nowMs()
    expect(isSteppedUp((await world.find(user.cookie)) ?? user.person, nowMs())).toBe(false)
    const done = await world.stepUp(user)
    if (done.kind !== 'stepped_up') throw new Error(done.kind)
    expect(await world.find(user.cookie)).toBeNull()
    const again = await world.find(done.cookie)
    expect(again && isSteppedUp(again, nowMs())).toBe(true)
    const elsewhere = await world.find(other.cookie)
    expect(elsewhere && isSteppedUp(elsewhere, nowMs())).toBe(false)
    world.test.clock.advance(5 * MINUTE_MS)
    expect(again && isSteppedUp(again, nowMs())).toBe(false)
  })

  it('refuses the passkey of somebody else, and an answer begun in another session', async () => {
    const options = await beginStepUp(world.deps, user.person)
    const { person, cookie } = user
    const theirs = await finishStepUp(world.deps, { person, cookie, answer: operator.key.get(options) })
    expect(theirs.kind).toBe('refused')

    const other = await world.signIn(user.key)
    if (other.kind !== 'signed_in') throw new Error(other.kind)
    const begun = await beginStepUp(world.deps, other.person)
    const crossed = await finishStepUp(world.deps, { person, cookie, answer: user.key.get(begun) })
    expect(crossed.kind).toBe('refused')
  })

  it('does not come back to life in a session that was ended meanwhile', async () => {
    const options = await beginStepUp(world.deps, user.person)
    await signOut(world.deps, user.person)
    const { person, cookie } = user
    const done = await finishStepUp(world.deps, { person, cookie, answer: user.key.get(options) })
    expect(done.kind).toBe('refused')
  })
})
