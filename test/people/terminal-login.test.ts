import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findTerminalPerson, isSteppedUp } from '../../src/people/person.ts'
import { recover } from '../../src/people/recover.ts'
import { endAllSessions } from '../../src/people/sessions.ts'
import {
  answerTerminalLogin,
  beginTerminalLogin,
  pollTerminalLogin,
  showTerminalLogin,
} from '../../src/people/terminal-login.ts'
import { createPeopleWorld, type Enrolled, type PeopleWorld } from '../support/people-world.ts'

const HOUR_MS = 3_600_000
const ADDRESS = '192.0.2.7'
const CLI = 'countersign-cli (linux)'

let world: PeopleWorld
let operator: Enrolled
let user: Enrolled

beforeEach(async () => {
  world = await createPeopleWorld()
  operator = await world.firstOperator()
  user = await world.user(operator.person)
})
afterEach(() => world.test.close())

const begin = (kind: 'user' | 'operator') => beginTerminalLogin(world.deps, { kind })
const poll = (deviceCode: string) => pollTerminalLogin(world.deps, { deviceCode, userAgent: CLI })
const answer = ({ person }: Enrolled, code: string, allows = true) =>
  answerTerminalLogin(world.deps, { person, code, allows, address: ADDRESS })
const find = (token: string) => findTerminalPerson(world.deps, token, world.test.clock.nowMs())

describe('the login of a terminal', () => {
  it('gives a token once, to whoever polls with the device code, after the person said yes', async () => {
    const login = await begin('operator')
    expect((await poll(login.deviceCode)).kind).toBe('waiting')
    expect((await answer(operator, login.userCode.toLowerCase())).kind).toBe('answered')
    const polled = await poll(login.deviceCode)
    if (polled.kind !== 'allowed') throw new Error(polled.kind)
    expect((await poll(login.deviceCode)).kind).toBe('expired')
    const person = await find(polled.token)
    expect(person).toMatchObject({ kind: 'operator', id: 'lin.wei', channel: 'terminal' })
    expect(polled.expiresAtMs).toBe(world.test.clock.nowMs() + 8 * HOUR_MS)
  })

  it('is a session of eight hours for operators, and of one for users, that no browser can use', async () => {
    for (const [who, hours] of [
      [operator, 8],
      [user, 1],
    ] as const) {
      const login = await begin(who.person.kind)
      await answer(who, login.userCode)
      const polled = await poll(login.deviceCode)
      if (polled.kind !== 'allowed') throw new Error(polled.kind)
      expect(await world.find(polled.token)).toBeNull()
      expect(await find(who.cookie)).toBeNull()
      world.test.clock.advance(6 * 60_000)
      const person = await find(polled.token)
      expect(person && isSteppedUp(person, world.test.clock.nowMs())).toBe(who === operator)
      world.test.clock.advance(hours * HOUR_MS - 6 * 60_000)
      expect(await find(polled.token)).toBeNull()
    }
  })

  it('is not answered by the other kind of person, twice, late, or after a no', async () => {
    const login = await begin('operator')
    expect((await answer(user, login.userCode)).kind).toBe('not_found')
    expect((await answer(operator, login.userCode, false)).kind).toBe('answered')
    expect((await answer(operator, login.userCode)).kind).toBe('not_found')
    expect((await poll(login.deviceCode)).kind).toBe('refused')
    const late = await begin('operator')
    world.test.clock.advance(600_000)
    expect((await answer(operator, late.userCode)).kind).toBe('not_found')
    expect((await poll(late.deviceCode)).kind).toBe('expired')
  })

  it('slows down whoever tries codes', async () => {
    const show = () =>
      showTerminalLogin(world.deps, { person: user.person, code: 'BBBB-BBBB', address: ADDRESS })
    for (let i = 0; i < 4; i++) expect((await show()).kind).toBe('not_found')
    expect(await show()).toEqual({ kind: 'wait', seconds: 2 })
  })

  it('ends with all other sessions of its person', async () => {
    const login = await begin('user')
    await answer(user, login.userCode)
    const polled = await poll(login.deviceCode)
    if (polled.kind !== 'allowed') throw new Error(polled.kind)
    await endAllSessions(world.deps, { person: user.person, others: true })
    expect(await find(polled.token)).toBeNull()
  })

  it('allowed and not fetched yet ends with them too, and with a recovery', async () => {
    const before = await begin('user')
    await answer(user, before.userCode)
    await endAllSessions(world.deps, { person: user.person, others: true })
    expect((await poll(before.deviceCode)).kind).toBe('expired')
    const login = await begin('user')
    await answer(user, login.userCode)
    const others = await begin('operator')
    await answer(operator, others.userCode)
    await recover(world.deps, { code: user.codes[0] ?? '', address: ADDRESS })
    expect((await poll(login.deviceCode)).kind).toBe('expired')
    expect((await poll(others.deviceCode)).kind).toBe('allowed')
  })
})
