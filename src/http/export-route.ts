import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { exportPerson } from '../broker/export-person.ts'
import { exportCursor, parseExportPlace } from '../broker/export-place.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { timeMs } from './path-id.ts'
import { InvalidRequest } from './problem.ts'
import { type Route, route } from './route.ts'

/** Everything the broker holds about whoever asks, a page at a time. */
export function exportRoute(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route {
  return route({
    method: 'get',
    path: '/v1/me/export',
    callers: ['user'],
    tag: 'Erasure and export',
    summary: 'Export everything the broker holds about you',
    description:
      'Begin without a cursor and follow nextCursor until it is null: first you and what you allowed, then what agents remember, then every action with its receipt, then every event of the log with its parts opened. A page of events may be empty and still have one after it.',
    needsStepUp: () => true,
    query: z.strictObject({
      cursor: z.string().max(120).optional().meta({ description: 'The nextCursor of the page before.' }),
    }),
    responses: {
      200: {
        description: 'One page.',
        shape: z.strictObject({
          format: z.literal('countersign-export/1'),
          userId: z.string(),
          exportedAtMs: timeMs,
          part: z.enum(['person', 'memory', 'actions', 'events']),
          items: z.array(z.unknown()),
          nextCursor: z.string().nullable(),
        }),
      },
    },
    problems: ['invalid_cursor'],
    async handle({ caller, query }) {
      const place = query.cursor === undefined ? null : parseExportPlace(query.cursor)
      if (place === undefined) throw new InvalidRequest('invalid_cursor')
      const { next, ...page } = await exportPerson(broker, publisher, { userId: caller.userId, place })
      return { status: 200, body: { ...page, nextCursor: next && exportCursor(next) } }
    },
  })
}
