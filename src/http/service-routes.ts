import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { problem } from './problem.ts'
import { checkReadiness } from './readiness.ts'
import { type Route, route } from './route.ts'

const checksShape = z.strictObject({
  store: z.boolean(),
  register: z.boolean(),
  log: z.boolean(),
  clock: z.boolean(),
})

/** Health, readiness and the broker's public keys. */
export function serviceRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'isHealthy'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/healthz',
      callers: [],
      tag: 'Service',
      summary: 'Whether the process answers',
      responses: { 200: { description: 'It does.', shape: z.strictObject({ status: z.literal('ok') }) } },
      problems: [],
      handle: () => ({ status: 200, body: { status: 'ok' } }),
    }),
    route({
      method: 'get',
      path: '/readyz',
      callers: [],
      tag: 'Service',
      summary: 'Whether the broker can decide',
      description:
        'Store, register and log have to stand. An untrusted clock stops spending and nothing else.',
      responses: {
        200: {
          description: 'It can.',
          shape: z.strictObject({ status: z.literal('ready'), checks: checksShape }),
        },
      },
      problems: ['not_ready'],
      async handle() {
        const checks = await checkReadiness(broker, publisher)
        if (!checks.store || !checks.register || !checks.log)
          return problem('not_ready', { members: { checks } })
        return { status: 200, body: { status: 'ready', checks } }
      },
    }),
    route({
      method: 'get',
      path: '/.well-known/jwks.json',
      callers: [],
      tag: 'Service',
      summary: "The broker's public keys",
      description: 'cs_purpose says what each is good for. Skills and holders of receipts verify with them.',
      responses: {
        200: {
          description: 'A JWK set (RFC 7517).',
          shape: z.looseObject({ keys: z.array(z.looseObject({})) }),
        },
      },
      problems: [],
      handle: () => ({ status: 200, body: broker.signer.jwks() }),
    }),
  ]
}
