import { afterEach, beforeEach, expect, it } from 'vitest'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { runUndoJobs } from '../../src/broker/undo-job.ts'
import { COFFEE, paid } from '../support/coffee-test.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let app: TestApp
let token: string
let incidentId: string

beforeEach(async () => {
  app = await createTestApp()
  token = await app.tokenFor({ kind: 'operator' })
  app.secrets.set('coffee.order /payment_token', SECRET)
  const alice = await grantAll(app.broker, COFFEE)
  app.skill.replyAlways(paid(100))
  for (let i = 0; i < 3; i++) await performAction(app.broker, alice.ask('order_and_pay', order(100)))
  const seal = await sealerFor(app.broker, { userId: '', skillId: 'coffee.order' })
  incidentId = await app.broker.store.transaction((tx) =>
    openIncident(app.broker, tx, seal, {
      kind: 'reported',
      userId: null,
      skillId: 'coffee.order',
      actionId: null,
      detail: 'orders nobody wanted',
      stopsSpending: false,
    }),
  )
  app.skill.replyAlways(answered({ state: 'cancelled' }))
})
afterEach(() => app.close())

const begin = (more: object = {}) =>
  app.call('POST', `/v1/operator/incidents/${incidentId}/undo`, {
    token,
    body: { fromMs: 0, toMs: app.clock.nowMs() + 1, reason: 'nobody wanted these', ...more },
  })

it('undoes in bulk from an incident, and says how far it is and what came of it', async () => {
  const begun = await begin()
  expect([begun.status, begun.body]).toMatchObject([
    201,
    { status: 'running', total: 3, counts: { waiting: 3 }, operatorId: 'lin.wei' },
  ])
  await runUndoJobs(app.broker)
  await runUndoJobs(app.broker)
  const path = `/v1/operator/undo-jobs/${String(begun.body.jobId)}`
  expect((await app.call('GET', path, { token })).body).toMatchObject({
    status: 'done',
    counts: { undone: 3 },
  })
  const listed = await app.call('GET', `/v1/operator/incidents/${incidentId}/undo`, { token })
  expect(listed.body.items).toHaveLength(1)
  const late = await app.call('POST', `${path}/cancel`, { token, body: { reason: 'changed our mind' } })
  expect(late.body.code).toBe('undo_job_ended')
  expect((await begin()).body.code).toBe('nothing_to_undo')
})

it('is cancelled before it has begun, and asks no skill for anything', async () => {
  const calls = app.skill.calls.length
  const { jobId } = (await begin()).body
  const path = `/v1/operator/undo-jobs/${String(jobId)}/cancel`
  const cancelled = await app.call('POST', path, { token, body: { reason: 'changed our mind' } })
  expect(cancelled.body).toMatchObject({ status: 'cancelled', counts: { cancelled: 3 } })
  await runUndoJobs(app.broker)
  expect(app.skill.calls).toHaveLength(calls)
})

it.each([
  ['a reason that says nothing', { reason: 'no' }],
  ['an action of no such form', { action: 'DROP TABLE' }],
  ['no time', { fromMs: 'yesterday' }],
])('is refused with %s', async (_, more) => {
  expect((await begin(more)).status).toBeGreaterThanOrEqual(400)
})

it('is no user’s and no agent’s to begin', async () => {
  token = await app.tokenFor({ kind: 'user' })
  expect((await begin()).body.code).toBe('wrong_caller')
})
