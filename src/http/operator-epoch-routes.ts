import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { askForEpoch, showEpoch } from '../broker/key-epoch.ts'
import { actOf, reasonBody } from './operator-reason.ts'
import { timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const epochShape = z.strictObject({
  epoch: z.int(),
  begunAtMs: timeMs,
  dueAtMs: timeMs,
  standing: z.enum(['settled', 'asked', 'turning', 'waits']),
  /** Epochs whose keys are not destroyed yet, and how many cells they still wrap. */
  older: z.array(z.int()),
  remaining: z.int(),
})

/** The epoch of the key-encryption key. */
export function operatorEpochRoutes(broker: Broker): Route[] {
  async function answer(status: 200 | 202) {
    const { newest: _, older, ...view } = await showEpoch(broker)
    return { status, body: { ...view, older: [...older] } }
  }
  return [
    route({
      method: 'get',
      path: '/v1/operator/key-epoch',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Show the epoch of the key-encryption key',
      responses: {
        200: { description: 'How old it is, and how far the next one has come.', shape: epochShape },
      },
      problems: [],
      handle: () => answer(200),
    }),
    route({
      method: 'post',
      path: '/v1/operator/key-epoch/turn',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Change the key-encryption key before its time',
      description:
        'Within seconds every live cell key is wrapped anew and the old key is destroyed: backups of keys from before open nothing any more. Take new ones.',
      body: reasonBody,
      responses: { 202: { description: 'It will be begun.', shape: epochShape } },
      problems: [],
      async handle({ caller, body }) {
        const done = await askForEpoch(broker, actOf(caller, body.reason))
        if (done.kind !== 'asked') return problem('reason_refused', { detail: done.message })
        return answer(202)
      },
    }),
  ]
}
