import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { liftRestore } from '../broker/lift-restore.ts'
import { actOf, reasonBody } from './operator-reason.ts'
import { pathId } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

/** What operators decide about users after the store was restored from a backup. */
export function operatorRestoreRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/operator/users/{id}/lift-restore',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Take what a restore has forgotten of one user for settled',
      description:
        'For who knows from elsewhere what happened after the backup: suspended grants go on without the user’s yes, windows count as they stand, debts can be paid.',
      params: pathId,
      body: reasonBody,
      responses: {
        200: {
          description: 'The grants that go on, and the orders that can be paid.',
          shape: z.strictObject({ grants: z.array(z.string()), debts: z.array(z.string()) }),
        },
      },
      problems: ['not_found', 'nothing_forgotten'],
      async handle({ caller, params, body }) {
        const done = await liftRestore(broker, { ...actOf(caller, body.reason), userId: params.id })
        switch (done.kind) {
          case 'lifted':
            return { status: 200, body: { grants: [...done.grants], debts: [...done.debts] } }
          case 'user_unknown':
            return problem('not_found')
          case 'nothing_forgotten':
            return problem('nothing_forgotten')
          case 'reason_refused':
            return problem('reason_refused', { detail: done.message })
        }
      },
    }),
  ]
}
