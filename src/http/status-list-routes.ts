import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { StatusLists } from '../broker/status-lists.ts'
import { STATUS_LIST_MEDIA_TYPE, STATUS_TTL_SECONDS } from '../core/status-list/status-list.ts'
import { pathId } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const LIST = /^([1-9]\d{0,8})-(0|[1-9]\d{0,8})$/
/** As long as the token itself says that it may be gone on with. */
const CACHED = { 'cache-control': `public, max-age=${STATUS_TTL_SECONDS}` }

/** The status of every grant, in lists anybody may read: they say neither whose it is nor what it allows. */
export function statusListRoutes(broker: Broker): Route[] {
  const lists = new StatusLists(broker)
  return [
    route({
      method: 'get',
      path: '/status-lists',
      callers: [],
      tag: 'Status lists',
      summary: 'List the status lists there are',
      description: 'The aggregation endpoint of Token Status List, for whoever fetches all of them ahead.',
      responses: {
        200: {
          description: 'Their addresses.',
          shape: z.strictObject({ status_lists: z.array(z.string()) }),
        },
      },
      problems: [],
      async handle() {
        return { status: 200, headers: CACHED, body: { status_lists: await lists.uris() } }
      },
    }),
    route({
      method: 'get',
      path: '/status-lists/{id}',
      callers: [],
      tag: 'Status lists',
      summary: 'Get a signed status list',
      description:
        'A status list token: two bits a grant, 0 valid, 1 invalid, 2 suspended. Action tokens name the place in their `status` claim.',
      params: pathId,
      responses: {
        200: { description: 'A JWT of the type statuslist+jwt.', mediaType: STATUS_LIST_MEDIA_TYPE },
      },
      problems: ['not_found'],
      async handle({ params }) {
        const [, epoch, listNo] = LIST.exec(params.id) ?? []
        if (epoch === undefined || listNo === undefined) return problem('not_found')
        const token = await lists.token(Number(epoch), Number(listNo))
        if (token === undefined) return problem('not_found')
        return { status: 200, headers: CACHED, content: { type: STATUS_LIST_MEDIA_TYPE, bytes: token } }
      },
    }),
  ]
}
