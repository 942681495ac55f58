import { afterEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { narrowGrant } from '../../src/broker/change-grant.ts'
import { termsOf } from '../../src/broker/grant-terms.ts'
import { resolveDue } from '../../src/broker/resolve-in-doubt.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { insertPoint } from '../support/enforcement-point.ts'
import { broken, notSent } from '../support/fake-skill.ts'
import { DEPLOYMENT } from '../support/granted-agent.ts'
import { type AccessWorld, accessWorld, MENU, order } from './access-world.ts'

let w: AccessWorld
const begin = async (terms: Partial<GrantTerms> = {}) => {
  w = await accessWorld(terms)
}
afterEach(() => w.test.close())

type Reservation = { id: string; status: string; reportByMs: number }
const reservationIn = (body: Record<string, unknown>) => body.reservation as Reservation
const buy = async (minor: number, key: string) =>
  reservationIn(await w.reserve('order_and_pay', order(minor), key))
const CNY = (amountMinor: number) => ({ amount: { currency: 'CNY', amountMinor } })

describe('a reservation over HTTP', () => {
  it('permits, says by when to report, and is committed with what was taken', async () => {
    await begin()
    const body = await w.reserve('order_and_pay', order(500), 'one-coffee')
    expect(body).toMatchObject({
      decision: true,
      reservation: {
        status: 'reserved',
        reportByMs: w.test.clock.nowMs() + w.gateway.point.reportWithinMs,
        amount: { currency: 'CNY', reservedMinor: 500, heldMinor: 500, capturedMinor: 0 },
      },
    })
    expect(body.promises).toHaveLength(1)
    const { id } = reservationIn(body)
    const done = await w.post(`reservations/${id}/commit`, CNY(450))
    expect([done.status, done.body]).toMatchObject([
      200,
      {
        reservation: {
          id,
          status: 'succeeded',
          reportByMs: null,
          amount: { heldMinor: 0, capturedMinor: 450, overrunMinor: 0 },
        },
      },
    ])
    const again = await w.post(`reservations/${id}/commit`, CNY(450))
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
    expect(again.body).toEqual(done.body)
    expect(w.test.skill.calls).toEqual([])
  })

  it('is the same under its key, another under another, and a conflict for another request', async () => {
    await begin()
    const first = await buy(500, 'the-one-key')
    expect(await buy(500, 'the-one-key')).toEqual(first)
    expect((await buy(500, 'another-key')).id).not.toBe(first.id)
    const conflict = await w.post('reservations', w.question('order_and_pay', order(501)), 'the-one-key')
    expect([conflict.status, conflict.body.code]).toEqual([400, 'idempotency_conflict'])
  })

  it('has keys apart from the agent’s: neither meets what the other asked for', async () => {
    await begin()
    const { id } = await buy(500, 'same-spelling')
    const token = await w.test.tokenFor({ kind: 'agent', userId: w.alice.userId, agentId: w.alice.agent.id })
    w.test.skill.replyNext(notSent())
    const own = await w.test.call('POST', '/v1/actions', {
      token,
      body: { skill: 'coffee.order', action: 'get_menu', arguments: MENU, deployment: DEPLOYMENT },
      headers: { 'idempotency-key': 'same-spelling' },
    })
    expect(own.body.code).not.toBe('idempotency_conflict')
    expect(own.body.actionId).not.toBe(id)
  })

  it('wants a key, and a question that is one', async () => {
    await begin()
    const question = w.question('order_and_pay', order(500))
    expect((await w.post('reservations', question)).body.code).toBe('idempotency_key_required')
    expect((await w.post('reservations', question, 'short')).body.code).toBe('idempotency_key_invalid')
    expect((await w.post('reservations', { subject: 'alice' }, 'a-good-key')).status).toBe(400)
  })

  it('takes its arguments from the context alone', async () => {
    await begin()
    const { subject, resource, context } = w.question('get_menu', MENU)
    const { arguments: _, ...rest } = context as Record<string, unknown>
    const action = { name: 'get_menu', properties: MENU }
    const { body } = await w.post(
      'reservations',
      { subject, resource, action, context: rest },
      'by-properties',
    )
    expect(body).toMatchObject({ decision: false, context: { reason: 'invalid_arguments' } })
  })

  it('sends the person a question, and goes on under the same key after the yes', async () => {
    await begin({ askFirst: [{ kind: 'always', actions: ['order_and_pay'] }] })
    const asked = await w.reserve('order_and_pay', order(500), 'ask-first')
    expect(asked).toMatchObject({
      decision: false,
      context: {
        reason: 'approval_required',
        approvalId: expect.any(String),
        approvalUrl: expect.any(String),
      },
    })
    expect(await w.reserve('order_and_pay', order(500), 'ask-first')).toMatchObject({
      context: {
        reason: 'approval_required',
        approvalId: (asked.context as { approvalId: string }).approvalId,
      },
    })
    const { approvalId } = asked.context as { approvalId: string }
    await approveAction(w.test.broker, { userId: w.alice.userId, approvalId })
    expect(await w.reserve('order_and_pay', order(500), 'ask-first')).toMatchObject({ decision: true })
    expect(await w.reserve('order_and_pay', order(500), 'ask-again')).toMatchObject({ decision: false })
  })

  it('is refused with the reason the agent would be told, and stays refused under its key', async () => {
    await begin()
    const refused = await w.reserve('order_and_pay', order(9_000_000), 'too-much')
    expect(refused).toMatchObject({ decision: false, context: { reason: 'amount_above_manifest' } })
    expect(await w.reserve('order_and_pay', order(9_000_000), 'too-much')).toMatchObject({
      decision: false,
      context: { reason: 'amount_above_manifest', newKeyNeeded: true },
    })
  })

  it('asks about what spends where nobody says what the agent has read', async () => {
    await begin()
    const unknown = { session: undefined }
    const { body } = await w.post(
      'reservations',
      w.question('order_and_pay', order(500), unknown),
      'no-session',
    )
    expect(body).toMatchObject({ context: { reason: 'approval_required', questions: ['after_untrusted'] } })
  })

  it('uses up a grant that is good once', async () => {
    await begin({ oneTime: true })
    expect(await w.reserve('get_menu', MENU, 'only-once-1')).toMatchObject({ decision: true })
    // Whoever did not hear the answer asks again, and hears it.
    expect(await w.reserve('get_menu', MENU, 'only-once-1')).toMatchObject({ decision: true })
    expect(await w.reserve('get_menu', MENU, 'only-once-2')).toMatchObject({ decision: false })
    expect(await w.evaluate('get_menu', MENU)).toMatchObject({ decision: false })
  })
})

describe('what is reported over HTTP', () => {
  it.each([
    ['commit', CNY(1), 'commit', CNY(2)],
    ['commit', CNY(1), 'release', { reason: 'not_done' }],
    ['release', { reason: 'failed' }, 'commit', CNY(1)],
    ['release', { reason: 'failed' }, 'release', { reason: 'refused' }],
  ])('is settled once: %s %o, then %s %o', async (first, firstBody, second, secondBody) => {
    await begin()
    const { id } = await buy(500, 'settle-once')
    const settled = await w.post(`reservations/${id}/${first}`, firstBody)
    expect(settled.status).toBe(200)
    const again = await w.post(`reservations/${id}/${second}`, secondBody)
    expect([again.status, again.body.code]).toEqual([409, 'reservation_settled'])
    expect(again.body.reservation).toEqual(settled.body.reservation)
  })

  it('is nobody else’s: another point finds nothing, as with an id nobody has', async () => {
    await begin()
    const { id } = await buy(500, 'mine-alone')
    const other = await insertPoint(w.test.broker, { skills: ['coffee.order'] })
    const unknown = w.test.broker.newId('action')
    const answers = []
    for (const which of [id, unknown]) {
      for (const [path, body] of [
        ['commit', CNY(1)],
        ['release', { reason: 'not_done' }],
      ] as const) {
        const answer = await w.post(`reservations/${which}/${path}`, body, undefined, other.secret)
        answers.push([answer.status, answer.body.code])
      }
      const shown = await w.test.call('GET', `/access/v1/reservations/${which}`, { token: other.secret })
      answers.push([shown.status, shown.body.code])
    }
    expect(answers).toEqual(answers.map(() => [404, 'not_found']))
  })

  it('cannot touch what the broker itself has sent', async () => {
    await begin()
    const token = await w.test.tokenFor({ kind: 'agent', userId: w.alice.userId, agentId: w.alice.agent.id })
    w.test.skill.replyNext(broken())
    const sent = await w.test.call('POST', '/v1/actions', {
      token,
      body: { skill: 'coffee.order', action: 'get_menu', arguments: MENU, deployment: DEPLOYMENT },
      headers: { 'idempotency-key': 'by-the-broker' },
    })
    const release = await w.post(`reservations/${String(sent.body.actionId)}/release`, { reason: 'not_done' })
    expect(release.status).toBe(404)
  })

  it.each([
    ['a float', { amount: { currency: 'CNY', amountMinor: 1.5 } }],
    ['less than nothing', CNY(-1)],
    ['a currency in small letters', { amount: { currency: 'cny', amountMinor: 1 } }],
    ['an amount as text', { amount: { currency: 'CNY', amountMinor: '1' } }],
    ['something beside it', { ...CNY(1), tip: 1 }],
  ])('is refused with %s, and nothing is settled', async (_, body) => {
    await begin()
    const { id } = await buy(500, 'bad-report')
    expect((await w.post(`reservations/${id}/commit`, body)).status).toBe(400)
    const shown = await w.test.call('GET', `/access/v1/reservations/${id}`, { token: w.gateway.secret })
    expect(shown.body).toMatchObject({ reservation: { status: 'reserved' }, stands: true })
  })

  it('has no amount where nothing was to be spent', async () => {
    await begin()
    const { id } = reservationIn(await w.reserve('get_menu', MENU, 'just-the-menu'))
    const answer = await w.post(`reservations/${id}/commit`, CNY(1))
    expect([answer.status, answer.body.code]).toEqual([400, 'reservation_spends_nothing'])
    expect((await w.post(`reservations/${id}/commit`, {})).status).toBe(200)
  })

  it('is overdue at the deadline, and then an operator’s to settle', async () => {
    await begin()
    const { id, reportByMs } = await buy(500, 'too-late')
    w.test.clock.advance(reportByMs - w.test.clock.nowMs())
    const late = await w.post(`reservations/${id}/commit`, CNY(500))
    expect([late.status, late.body.code]).toEqual([409, 'reservation_overdue'])
    await resolveDue(w.test.broker)
    const again = await w.reserve('order_and_pay', order(500), 'too-late')
    expect(again).toMatchObject({
      decision: false,
      context: { reason: 'key_used' },
      reservation: { status: 'in_doubt' },
    })

    const token = await w.test.tokenFor({ kind: 'operator' })
    const inDoubt = await w.test.call('GET', '/v1/operator/in-doubt', { token })
    expect(inDoubt.text).toContain(id)
  })

  it('after a revoke still counts what was taken, and is shown not to stand before', async () => {
    await begin()
    const { id } = await buy(500, 'revoked-between')
    const revoked = await revokeAuthority(
      w.test.broker,
      { userId: w.alice.userId, scope: { kind: 'everything' } },
      async () => [],
    )
    expect(revoked).toMatchObject({ revocation: { unsettled: [{ actionId: id }] } })
    const shown = await w.test.call('GET', `/access/v1/reservations/${id}`, { token: w.gateway.secret })
    expect(shown.body).toMatchObject({ reservation: { status: 'reserved' }, stands: false })
    expect(await w.reserve('order_and_pay', order(500), 'revoked-between')).toMatchObject({
      decision: false,
      context: { reason: 'overtaken' },
    })
    expect((await w.post(`reservations/${id}/commit`, CNY(500))).body).toMatchObject({
      reservation: { status: 'succeeded', amount: { capturedMinor: 500 } },
    })
  })

  it('does not stand once its user has taken the action out of the grant', async () => {
    await begin()
    const { id } = await buy(500, 'narrowed-between')
    const { userId, grant } = w.alice
    const { terms } = termsOf(grant)
    const actions = terms.actions.filter(({ name }) => name !== 'order_and_pay')
    const narrowed = await narrowGrant(w.test.broker, {
      userId,
      grantId: grant.id,
      terms: { ...terms, actions },
    })
    expect(narrowed.kind).toBe('changed')
    const shown = await w.test.call('GET', `/access/v1/reservations/${id}`, { token: w.gateway.secret })
    expect(shown.body).toMatchObject({ reservation: { status: 'reserved' }, stands: false })
    expect(await w.reserve('order_and_pay', order(500), 'narrowed-between')).toMatchObject({
      decision: false,
      context: { reason: 'overtaken' },
    })
  })
})
