import { z } from 'zod'
import type { LogReader } from '../broker/read-log.ts'
import { parseTilePath } from '../core/merkle/tile.ts'
import type { Answer } from './answer.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const wholeNumber = z.string().regex(/^(0|[1-9]\d{0,15})$/)
const hashes = z.array(z.string()).meta({ description: 'Hashes in base64, in the order of RFC 6962.' })
const FOR_EVER = { 'cache-control': 'public, max-age=31536000, immutable' }

/** The log as C2SP tlog-tiles has it, and proofs for those who do not want to fetch tiles. */
export function logRoutes(log: LogReader): Route[] {
  return [...tileRoutes(log), ...proofRoutes(log)]
}

function tileRoutes(log: LogReader): Route[] {
  const tileParams = z.strictObject({ path: z.string() })
  async function tileAnswer(path: string): Promise<Answer> {
    const ref = parseTilePath(path)
    if (!ref) return problem('not_found')
    const { level, index, width } = ref
    const found = level === 'entries' ? await log.entries(index, width) : await log.tile(level, index, width)
    if (found.kind === 'not_found') return problem('not_found')
    const content = { type: 'application/octet-stream', bytes: new Uint8Array(found.bytes) }
    // Entries are not for every cache: they were given to somebody with the scope for them.
    const isPublic = level !== 'entries' && found.isFull
    return { status: 200, content, ...(isPublic ? { headers: FOR_EVER } : {}) }
  }
  const bytes = { description: 'The bytes.', mediaType: 'application/octet-stream' }
  const common = { method: 'get', tag: 'Log', responses: { 200: bytes }, problems: ['not_found'] } as const
  return [
    route({
      method: 'get',
      path: '/log/checkpoint',
      callers: [],
      tag: 'Log',
      summary: 'The newest signed checkpoint',
      responses: { 200: { description: 'A C2SP signed note.', mediaType: 'text/plain; charset=utf-8' } },
      problems: ['not_found'],
      handle: () => textAnswer(log.checkpoint()),
    }),
    route({
      method: 'get',
      path: '/log/vkey',
      callers: [],
      tag: 'Log',
      summary: "The key that verifies the log's checkpoints",
      responses: { 200: { description: 'A C2SP verifier key.', mediaType: 'text/plain; charset=utf-8' } },
      problems: [],
      handle: () => textAnswer(`${log.vkey()}\n`),
    }),
    route({
      ...common,
      path: '/log/tile/entries/{path*}',
      callers: ['agent', 'user', 'operator'],
      scope: 'log:read',
      summary: 'A bundle of leaves',
      description: 'As C2SP tlog-tiles names them, such as /log/tile/entries/000.p/5.',
      params: tileParams,
      handle: ({ params }) => tileAnswer(`tile/entries/${params.path}`),
    }),
    route({
      ...common,
      path: '/log/tile/{path*}',
      callers: [],
      summary: 'A tile of hashes',
      description: 'As C2SP tlog-tiles names them, such as /log/tile/0/000.p/5.',
      params: tileParams,
      // The bundles have a route of their own, which asks who is there.
      handle: ({ params }) =>
        params.path.startsWith('entries/') ? problem('not_found') : tileAnswer(`tile/${params.path}`),
    }),
  ]
}

function proofRoutes(log: LogReader): Route[] {
  return [
    route({
      method: 'get',
      path: '/log/proof/inclusion',
      callers: [],
      tag: 'Log',
      summary: 'Prove that a leaf is in the log',
      query: z
        .strictObject({
          leafIndex: wholeNumber.optional(),
          /** The id of a leaf, in place of its index. */
          event: z.string().max(64).optional(),
          /** The size of the tree; the newest checkpoint's unless given. */
          treeSize: wholeNumber.optional(),
        })
        .refine((query) => (query.leafIndex === undefined) !== (query.event === undefined), {
          message: 'give leafIndex or event',
        })
        .refine((query) => query.event === undefined || query.treeSize === undefined, {
          message: 'treeSize goes with leafIndex',
        }),
      responses: {
        200: {
          description: 'The proof, leaf’s sibling first.',
          shape: z.strictObject({ leafIndex: z.int(), treeSize: z.int(), proof: hashes }),
        },
      },
      problems: ['not_found'],
      async handle({ query: { leafIndex, event, treeSize } }) {
        const found =
          event === undefined
            ? await log.inclusion(Number(leafIndex), ...(treeSize === undefined ? [] : [Number(treeSize)]))
            : await log.inclusionOfEvent(event)
        if (found.kind === 'not_found') return problem('not_found')
        const proof = inBase64(found.proof)
        return { status: 200, body: { leafIndex: found.leafIndex, treeSize: found.treeSize, proof } }
      },
    }),
    route({
      method: 'get',
      path: '/log/proof/consistency',
      callers: [],
      tag: 'Log',
      summary: 'Prove that the log only grew from one size to another',
      query: z.strictObject({ from: wholeNumber, to: wholeNumber }),
      responses: { 200: { description: 'The proof.', shape: z.strictObject({ proof: hashes }) } },
      problems: ['not_found'],
      async handle({ query }) {
        const found = await log.consistency(Number(query.from), Number(query.to))
        if (found.kind === 'not_found') return problem('not_found')
        return { status: 200, body: { proof: inBase64(found.proof) } }
      },
    }),
  ]
}

function textAnswer(text: string | undefined): Answer {
  if (text === undefined) return problem('not_found')
  return { status: 200, content: { type: 'text/plain; charset=utf-8', bytes: text } }
}

function inBase64(hashList: readonly Buffer[]): string[] {
  return hashList.map((hash) => hash.toString('base64'))
}
