import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { pauseGrant, renewGrant, resumeGrant } from '../../src/broker/change-grant.ts'
import { moveConnection } from '../../src/broker/move-connection.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { saveRecipient } from '../../src/broker/save-recipient.ts'
import { createAuthenticator } from '../../src/demo/software-passkey.ts'
import { beginEnrolment, finishEnrolment } from '../../src/people/enrol.ts'
import { endOperator } from '../../src/people/invite.ts'
import {
  beginAddPasskey,
  finishAddPasskey,
  listPasskeys,
  removePasskey,
  renamePasskey,
} from '../../src/people/passkeys.ts'
import { recover } from '../../src/people/recover.ts'
import { renewRecoveryCodes } from '../../src/people/recovery-codes.ts'
import { setThreshold } from '../../src/people/step-up-threshold.ts'
import { COFFEE_WISH, connectAgent } from '../support/connected-agent.ts'
import { grantAll } from '../support/granted-agent.ts'
import {
  browserWith,
  createPeopleWorld,
  type Enrolled,
  ORIGIN,
  type PeopleWorld,
} from '../support/people-world.ts'
import { sampleManifest } from '../support/sample-manifest.ts'

const DAY_MS = 86_400_000
const ADDRESS = '192.0.2.7'

let world: PeopleWorld
let operator: Enrolled
let user: Enrolled

beforeEach(async () => {
  world = await createPeopleWorld()
  operator = await world.firstOperator()
  user = await world.user(operator.person)
})
afterEach(() => world.test.close())

const codeOf = ({ codes }: Enrolled, i = 0) => codes[i] ?? ''
const comeBack = (code: string, address = ADDRESS) => recover(world.deps, { code, address })

async function makePasskey(token: string) {
  const key = createAuthenticator(ORIGIN)
  const browser = browserWith()
  const begun = await beginEnrolment(world.deps, {
    token,
    operatorName: undefined,
    preSession: browser.preSession,
  })
  if (begun.kind !== 'begun') throw new Error(begun.kind)
  const answer = key.create(begun.options)
  const enrolled = await finishEnrolment(world.deps, {
    answer,
    passkeyName: 'New phone',
    purpose: 'enrol',
    browser,
  })
  if (enrolled.kind !== 'enrolled') throw new Error(enrolled.kind)
  return enrolled
}

async function addPasskey(person: Enrolled['person']) {
  const key = createAuthenticator(ORIGIN)
  const answer = key.create(await beginAddPasskey(world.deps, person))
  return { key, added: await finishAddPasskey(world.deps, { person, answer, name: 'Second' }) }
}

describe('a recovery code', () => {
  it('is one of ten, typed as it may be, and good once', async () => {
    expect(user.codes).toHaveLength(10)
    const typed = ` ${codeOf(user).toUpperCase().replaceAll('-', ' ')} `
    expect((await comeBack(typed)).kind).toBe('recovered')
    expect((await comeBack(codeOf(user))).kind).toBe('refused')
    expect((await comeBack(codeOf(user, 1))).kind).toBe('recovered')
  })

  it('ends all sessions, tells every channel, and lets nobody in but to make a passkey', async () => {
    const outcome = await comeBack(codeOf(user))
    if (outcome.kind !== 'recovered') throw new Error(outcome.kind)
    expect(await world.find(user.cookie)).toBeNull()
    expect(await world.find(operator.cookie)).not.toBeNull()
    expect(world.told).toContainEqual({ userId: user.person.id, message: { kind: 'recovered' } })
    const enrolled = await makePasskey(outcome.token)
    expect(enrolled.person).toMatchObject({ kind: 'user', id: user.person.id })
    // Nine are left, so no new ones are shown.
    expect(enrolled.codes).toBeNull()
  })

  it('of an earlier set is void once new ones were made', async () => {
    const renewed = await renewRecoveryCodes(world.deps, user.person)
    expect((await comeBack(codeOf(user))).kind).toBe('refused')
    expect((await comeBack(renewed[9] ?? '')).kind).toBe('recovered')
  })

  it('of an operator whose account ended lets nobody in', async () => {
    const other = await world.test.broker.store.read(async (tx) => tx.people.list('operator'))
    expect(other).toHaveLength(1)
    const by = { ...operator.person, id: 'somebody.else' }
    expect((await endOperator(world.deps, { by, id: 'lin.wei' })).kind).toBe('ended')
    expect(await world.find(operator.cookie)).toBeNull()
    expect((await comeBack(codeOf(operator))).kind).toBe('refused')
    expect((await world.signIn(operator.key)).kind).toBe('refused')
  })

  it('cannot be guessed quickly, and a stranger’s guesses never keep the owner out', async () => {
    const wrong = '0'.repeat(26)
    for (let i = 0; i < 4; i++) expect((await comeBack(wrong)).kind).toBe('refused')
    expect(await comeBack(wrong)).toEqual({ kind: 'wait', seconds: 2 })
    // Even the right one waits at this address, and goes at once from another.
    expect((await comeBack(codeOf(user))).kind).toBe('wait')
    expect((await comeBack(codeOf(user), '198.51.100.1')).kind).toBe('recovered')
    world.test.clock.advance(2_000)
    expect((await comeBack(wrong)).kind).toBe('refused')
    expect(await comeBack(wrong)).toEqual({ kind: 'wait', seconds: 4 })
    world.test.clock.advance(3_600_000)
    expect((await comeBack(codeOf(user, 1))).kind).toBe('recovered')
  })
})

describe('within a day of a recovery', () => {
  it('nothing wider is given, and what narrows goes at once', async () => {
    const { broker } = world.test
    const userId = user.person.id
    const { grant } = await grantAll(broker, sampleManifest('coffee.order'), {}, { userId })
    await comeBack(codeOf(user))
    const about = { userId, grantId: grant.id }
    expect((await pauseGrant(broker, about)).kind).toBe('changed')
    expect((await resumeGrant(broker, about)).kind).toBe('recovered_recently')
    const later = grant.expiresAtMs + DAY_MS
    expect((await renewGrant(broker, { ...about, expiresAtMs: later })).kind).toBe('recovered_recently')
    const recipient = { userId, label: 'Ma', value: 'ma@example.org' }
    expect((await saveRecipient(broker, recipient)).kind).toBe('recovered_recently')
    const threshold = { userId, currency: 'CNY', amountMinor: 100 }
    expect((await setThreshold(world.deps, threshold)).kind).toBe('recovered_recently')
    const asking = await connectAgent(broker, userId)
    const asked = await requestConsent(broker, { ...COFFEE_WISH, userId, agentId: asking.id })
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    const yes = { userId, requestId: asked.request.id }
    expect((await approveConsent(broker, yes)).kind).toBe('recovered_recently')
    const ways = { userId, fromAgentId: grant.agentId, toAgentId: asking.id }
    expect((await moveConnection(broker, ways)).kind).toBe('recovered_recently')
    world.test.clock.advance(DAY_MS - 1)
    expect((await approveConsent(broker, yes)).kind).toBe('recovered_recently')
    world.test.clock.advance(1)
    expect((await resumeGrant(broker, about)).kind).toBe('changed')
    expect((await setThreshold(world.deps, threshold)).kind).toBe('set')
  })

  it('passkeys from before cannot be removed: they are the owner’s way back', async () => {
    const outcome = await comeBack(codeOf(user))
    if (outcome.kind !== 'recovered') throw new Error(outcome.kind)
    world.test.clock.advance(1)
    const { person } = await makePasskey(outcome.token)
    const about = { person, credentialId: user.key.credentialId }
    expect((await removePasskey(world.deps, about)).kind).toBe('recovered_recently')
    expect((await world.signIn(user.key)).kind).toBe('signed_in')
    world.test.clock.advance(DAY_MS)
    expect((await removePasskey(world.deps, about)).kind).toBe('removed')
    expect((await world.signIn(user.key)).kind).toBe('refused')
  })
})

describe('passkeys', () => {
  it('are several, named by their owner, and the last one stays', async () => {
    const { person } = user
    const last = await removePasskey(world.deps, { person, credentialId: user.key.credentialId })
    expect(last.kind).toBe('last_passkey')
    const { key, added } = await addPasskey(person)
    expect(added.kind).toBe('added')
    const { credentialId } = key
    await renamePasskey(world.deps, { person, credentialId, name: ' Work\u202e\nlaptop ' })
    const names = (await listPasskeys(world.deps, person)).map(({ name }) => name)
    expect(names.sort()).toEqual(['My phone', 'Work laptop'])
    expect((await removePasskey(world.deps, { person, credentialId: user.key.credentialId })).kind).toBe(
      'removed',
    )
    expect((await world.signIn(key)).kind).toBe('signed_in')
  })

  it('of somebody else can be neither renamed nor removed', async () => {
    const { credentialId } = user.key
    const { person } = operator
    expect((await renamePasskey(world.deps, { person, credentialId, name: 'x' })).kind).toBe('not_found')
    expect((await removePasskey(world.deps, { person, credentialId })).kind).toBe('not_found')
  })

  it('are not added by an answer begun in another session', async () => {
    const key = createAuthenticator(ORIGIN)
    const answer = key.create(await beginAddPasskey(world.deps, operator.person))
    const added = await finishAddPasskey(world.deps, { person: user.person, answer, name: '' })
    expect(added.kind).toBe('refused')
  })
})
