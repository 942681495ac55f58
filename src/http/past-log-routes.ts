import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { listPastLogs, openPastLog } from '../broker/read-past-logs.ts'
import { parseTilePath } from '../core/merkle/tile.ts'
import type { Answer } from './answer.ts'
import { timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const epochParam = z.string().regex(/^[1-9]\d{0,8}$/)
const FOR_EVER = { 'cache-control': 'public, max-age=31536000, immutable' }

const headShape = z.strictObject({ size: z.int(), root: z.string() })
const pastLogShape = z.strictObject({
  epoch: z.int(),
  origin: z.string(),
  /** What is still here of it. */
  held: headShape,
  /** Its newest head that may have been published; leaves between the two are lost here. */
  published: headShape,
  endedAtMs: timeMs,
  restoredAtMs: timeMs,
})

/** Logs that ended when the store was restored from a backup, as C2SP tlog-tiles under a prefix each. */
export function pastLogRoutes(broker: Broker): Route[] {
  async function tileAnswer(epoch: string, path: string): Promise<Answer> {
    const ref = parseTilePath(path)
    const log = ref && (await openPastLog(broker, Number(epoch)))
    if (!ref || !log) return problem('not_found')
    const { level, index, width } = ref
    const found = level === 'entries' ? await log.entries(index, width) : await log.tile(level, index, width)
    if (found.kind === 'not_found') return problem('not_found')
    const content = { type: 'application/octet-stream', bytes: new Uint8Array(found.bytes) }
    const isPublic = level !== 'entries' && found.isFull
    return { status: 200, content, ...(isPublic ? { headers: FOR_EVER } : {}) }
  }
  const bytes = { description: 'The bytes.', mediaType: 'application/octet-stream' }
  const common = { method: 'get', tag: 'Log' } as const
  const tile = {
    ...common,
    responses: { 200: bytes },
    problems: ['not_found'],
    params: z.strictObject({ epoch: epochParam, path: z.string() }),
  } as const
  return [
    route({
      ...common,
      path: '/log/epochs',
      callers: [],
      summary: 'The logs that ended when the store was restored, oldest first',
      responses: {
        200: { description: 'The ended logs.', shape: z.strictObject({ epochs: z.array(pastLogShape) }) },
      },
      problems: [],
      async handle() {
        const epochs = (await listPastLogs(broker)).map(
          (log): z.input<typeof pastLogShape> => ({
            epoch: log.epoch,
            origin: log.origin,
            held: { size: log.treeSize, root: log.rootHash.toString('base64') },
            published: { size: log.publishedSize, root: log.publishedRoot.toString('base64') },
            endedAtMs: log.endedAtMs,
            restoredAtMs: log.restoredAtMs,
          }),
        )
        return { status: 200, body: { epochs } }
      },
    }),
    route({
      ...common,
      path: '/log/epochs/{epoch}/checkpoint',
      callers: [],
      summary: 'The newest signed checkpoint of an ended log that came with the backup',
      params: z.strictObject({ epoch: epochParam }),
      responses: { 200: { description: 'A C2SP signed note.', mediaType: 'text/plain; charset=utf-8' } },
      problems: ['not_found'],
      async handle({ params }) {
        const note = (await openPastLog(broker, Number(params.epoch)))?.checkpoint()
        if (note === undefined) return problem('not_found')
        return { status: 200, content: { type: 'text/plain; charset=utf-8', bytes: note } }
      },
    }),
    route({
      ...tile,
      path: '/log/epochs/{epoch}/tile/entries/{path*}',
      callers: ['agent', 'user', 'operator'],
      scope: 'log:read',
      summary: 'A bundle of leaves of an ended log',
      handle: ({ params }) => tileAnswer(params.epoch, `tile/entries/${params.path}`),
    }),
    route({
      ...tile,
      path: '/log/epochs/{epoch}/tile/{path*}',
      callers: [],
      summary: 'A tile of hashes of an ended log',
      handle: ({ params }) =>
        params.path.startsWith('entries/')
          ? problem('not_found')
          : tileAnswer(params.epoch, `tile/${params.path}`),
    }),
  ]
}
