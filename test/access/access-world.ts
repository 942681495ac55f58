import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { insertPoint, type TestPoint } from '../support/enforcement-point.ts'
import { DEPLOYMENT, type Granted, grantAll, order } from '../support/granted-agent.ts'
import { type Edit, sampleManifest } from '../support/sample-manifest.ts'
import { type Called, createTestApp, type TestApp } from '../support/test-app.ts'

/** A gateway in front of the coffee shop, and Alice, whose agent may order there. */
export type AccessWorld = {
  readonly test: TestApp
  readonly gateway: TestPoint
  readonly alice: Granted
  /** The AuthZEN request for one of Alice's actions. */
  question(action: string, args: JsonValue, context?: object): Record<string, unknown>
  post(path: string, body: unknown, key?: string, secret?: string): Promise<Called>
  evaluate(action: string, args: JsonValue, context?: object): Promise<Called['body']>
  reserve(action: string, args: JsonValue, key: string): Promise<Called['body']>
}

export const MENU: JsonValue = { store_id: 'LK-0571-022' }
export { order }

/** @param edits of the coffee shop's manifest. */
export async function accessWorld(
  terms: Partial<GrantTerms> = {},
  edits: readonly Edit[] = [],
): Promise<AccessWorld> {
  const test = await createTestApp()
  const alice = await grantAll(test.broker, sampleManifest('coffee.order', ...edits), terms)
  const gateway = await insertPoint(test.broker, { skills: ['coffee.order'] })
  const session = test.broker.newId('session')
  await test.broker.store.transaction(async (tx) =>
    tx.tokenFamilies.insert({
      id: 'family-of-alice',
      userId: alice.userId,
      agentId: alice.agent.id,
      sessionId: session,
      clientId: 'client',
      createdAtMs: tx.nowMs,
      endedAtMs: null,
    }),
  )
  const question = (action: string, args: JsonValue, context: object = {}) => ({
    subject: { type: 'user', id: alice.userId },
    action: { name: action },
    resource: { type: 'skill', id: 'coffee.order' },
    context: { agent: alice.agent.id, deployment: DEPLOYMENT, session, arguments: args, ...context },
  })
  const post = (path: string, body: unknown, key?: string, secret = gateway.secret) =>
    test.call('POST', `/access/v1/${path}`, {
      token: secret,
      body,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  return {
    test,
    gateway,
    alice,
    question,
    post,
    evaluate: async (action, args, context) =>
      (await post('evaluation', question(action, args, context))).body,
    reserve: async (action, args, key) => (await post('reservations', question(action, args), key)).body,
  }
}
