import { z } from 'zod'
import { decodeBase64 } from '../merkle/strict-text.ts'

/** A head of a log: how many leaves, and the root over them. */
export type NamedHead = { readonly treeSize: number; readonly rootHash: Buffer }

export type EpochLeaf = {
  readonly eventId: string
  readonly atMs: number
  readonly policyDigest: string
  /** The log that ended. */
  readonly previousOrigin: string
  /** Its newest head that may have been published, as far as anybody here knows. */
  readonly published: NamedHead
  /** How much of it this broker still holds. Leaves between the two are lost here. */
  readonly held: NamedHead
}

const head = z.strictObject({ size: z.int().min(0), root: z.string().max(64) })
const leafShape = z.strictObject({
  v: z.literal(1),
  t: z.literal('epoch'),
  id: z.string(),
  at: z.int().min(0),
  d: z.literal('begun'),
  r: z.literal('restored'),
  pol: z.string(),
  origin: z.string().min(1),
  published: head,
  held: head,
  parts: z.strictObject({}),
})

/**
 * The first leaf of a log that was begun after a restore. It names the log before it in the clear, so that everybody
 * who can read leaves can tell what went before and how much of it is missing; it holds no personal data.
 */
export function epochLeafBytes(leaf: EpochLeaf): Buffer {
  const content: z.input<typeof leafShape> = {
    v: 1,
    t: 'epoch',
    id: leaf.eventId,
    at: Math.floor(leaf.atMs / 1000),
    d: 'begun',
    r: 'restored',
    pol: leaf.policyDigest,
    origin: leaf.previousOrigin,
    published: namedHead(leaf.published),
    held: namedHead(leaf.held),
    parts: {},
  }
  return Buffer.from(JSON.stringify(content))
}

/** Reads the first leaf of a later epoch back; undefined for any other leaf. Time to the second. */
export function parseEpochLeaf(bytes: Buffer): EpochLeaf | undefined {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
  const parsed = leafShape.safeParse(json)
  if (!parsed.success) return undefined
  const { id, at, pol, origin } = parsed.data
  const published = readHead(parsed.data.published)
  const held = readHead(parsed.data.held)
  if (!published || !held) return undefined
  return { eventId: id, atMs: at * 1000, policyDigest: pol, previousOrigin: origin, published, held }
}

/** The name of a log in its n-th epoch: the first has the configured one. */
export function epochOrigin(origin: string, epoch: number): string {
  return epoch === 1 ? origin : `${origin}/${epoch}`
}

function namedHead({ treeSize, rootHash }: NamedHead) {
  return { size: treeSize, root: rootHash.toString('base64') }
}

function readHead({ size, root }: z.infer<typeof head>): NamedHead | undefined {
  const rootHash = decodeBase64(root)
  return rootHash?.length === 32 ? { treeSize: size, rootHash } : undefined
}
