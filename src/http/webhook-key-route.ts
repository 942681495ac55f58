import { z } from 'zod'
import type { Carriers } from '../ports/carriers.ts'
import { type Route, route } from './route.ts'

/** The key that the platform's app verifies webhooks with. */
export function webhookKeyRoute({ webhookKey }: Pick<Carriers, 'webhookKey'>): Route {
  return route({
    callers: [],
    method: 'get',
    path: '/v1/webhook-keys',
    tag: 'Service',
    summary: 'Get the key that webhooks are signed with',
    description:
      'Ed25519, as a JWK set. Each webhook is signed by RFC 9421 over method, target, content type and content digest, with the tag `countersign-webhook`.',
    responses: {
      200: {
        description: 'One key.',
        shape: z.strictObject({ keys: z.array(z.record(z.string(), z.string())) }),
      },
    },
    problems: [],
    handle: () => ({ status: 200, body: { keys: [webhookKey] } }),
  })
}
