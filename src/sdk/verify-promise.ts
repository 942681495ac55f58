import { PROMISE_TYP, type PromiseClaims, promiseClaims } from '../core/execution/action-token.ts'
import {
  decodeBase64url,
  importVerificationKeys,
  type JwsFault,
  verifyCompactJws,
} from '../core/execution/compact-jws.ts'
import type { Checkpoint } from '../core/merkle/checkpoint.ts'
import { type HashSearch, newestFirst, searchHash } from '../core/merkle/hash-audit.ts'
import type { LogFault } from '../core/merkle/log-audit.ts'
import { foldNodes, inclusionNodes, verifyInclusion } from '../core/merkle/proof.ts'
import { tilePath } from '../core/merkle/tile.ts'
import { fetchedNodes, tilesForNodes } from '../core/merkle/tile-reader.ts'
import { type LogSource, readResource, type SourceRead } from './log-source.ts'
import { type LogTrust, readHead } from './verify-log.ts'

export type PromiseTrust = LogTrust & {
  /** The broker's published key set. */
  readonly keys: readonly unknown[]
  readonly issuer: string
}

export type PromiseFault = JwsFault | 'invalid_claims' | 'other_issuer' | 'other_log'

export type PromiseVerdict =
  /** The leaf is in the log. */
  | {
      readonly kind: 'kept'
      readonly claims: PromiseClaims
      readonly leafIndex: number
      readonly checkpoint: Checkpoint
    }
  /** It is not in the log, and need not be yet. */
  | { readonly kind: 'not_yet_due'; readonly claims: PromiseClaims; readonly checkpoint: Checkpoint }
  /** It should be in the log and is not: promise and note together are the evidence. */
  | {
      readonly kind: 'broken'
      readonly claims: PromiseClaims
      readonly checkpoint: Checkpoint
      /** The signed note, verbatim. */
      readonly note: string
    }
  /** This is no promise of this broker for this log. */
  | { readonly kind: 'refused'; readonly code: PromiseFault }
  /** The log could not be read, or is not what was signed; nothing is said about the promise. */
  | { readonly kind: 'fault'; readonly fault: LogFault }

const READS_AHEAD = 16
/** How far our clock and the broker's may be apart before a promise counts as broken. */
const CLOCK_TOLERANCE_MS = 10_000

/**
 * Holds a promise of inclusion against the log as it is served: the leaf is there, or is not due yet, or the promise is
 * broken. That it is not there is said only after every leaf hash was read and found to be what was signed.
 *
 * @param promise a compact JWS, from an answer of the broker or from the token of a call.
 * @param now the verifier's clock, Unix milliseconds; read once, before the log is.
 */
export async function verifyPromise(
  promise: string,
  source: LogSource,
  trust: PromiseTrust,
  now: () => number = Date.now,
): Promise<PromiseVerdict> {
  const keys = importVerificationKeys(trust.keys)
  const signed = verifyCompactJws(promise, { typ: PROMISE_TYP, keys, purpose: 'promise' })
  if (!signed.ok) return { kind: 'refused', code: signed.code }
  const parsed = promiseClaims.safeParse(signed.payload)
  const leafHash = parsed.success ? decodeBase64url(parsed.data.lfh) : undefined
  if (!parsed.success || !leafHash) return { kind: 'refused', code: 'invalid_claims' }
  const claims = parsed.data
  if (claims.iss !== trust.issuer) return { kind: 'refused', code: 'other_issuer' }
  if (claims.org !== (trust.origin ?? trust.logKey.name)) return { kind: 'refused', code: 'other_log' }

  // A checkpoint that is read later than this covers whatever had to be there by now.
  const readAtMs = now()
  const head = await readHead(source, trust)
  if (head.kind === 'fault') return head
  const { checkpoint, note } = head
  const found = await search(source, checkpoint, leafHash)
  if (found.kind === 'fault') return found
  if (found.kind === 'absent') {
    const isDue = readAtMs >= claims.mby * 1000 + CLOCK_TOLERANCE_MS
    return isDue ? { kind: 'broken', claims, checkpoint, note } : { kind: 'not_yet_due', claims, checkpoint }
  }
  const { leafIndex } = found
  const fault = await faultOfInclusion(source, checkpoint, leafHash, leafIndex)
  return fault ? { kind: 'fault', fault } : { kind: 'kept', claims, leafIndex, checkpoint }
}

async function search(source: LogSource, checkpoint: Checkpoint, leafHash: Buffer): Promise<HashSearch> {
  const search = searchHash(checkpoint, leafHash)
  const order = newestFirst(checkpoint.treeSize)
  const ahead: Promise<SourceRead>[] = []
  const readAhead = () => {
    const next = order.next()
    if (!next.done) ahead.push(readResource(source, next.value))
  }
  for (let i = 0; i < READS_AHEAD; i += 1) readAhead()
  let step = search.next()
  while (!step.done) {
    const read = await (ahead.shift() ?? readResource(source, step.value))
    if (read.kind === 'unavailable') return unavailable(read)
    readAhead()
    step = search.next(read.bytes)
  }
  return step.value
}

/** A tile alone proves nothing: the leaf must lead to the signed root. */
async function faultOfInclusion(
  source: LogSource,
  { treeSize, rootHash }: Checkpoint,
  leafHash: Buffer,
  leafIndex: number,
): Promise<LogFault | undefined> {
  const path = inclusionNodes(leafIndex, treeSize)
  const tiles = new Map<string, Buffer>()
  for (const ref of tilesForNodes(path.flat(), treeSize)) {
    const read = await readResource(source, ref)
    if (read.kind === 'unavailable') return unavailable(read).fault
    if (read.bytes.length !== ref.width * 32)
      return { code: 'malformed_tile', path: tilePath(ref), leafIndex }
    tiles.set(tilePath(ref), read.bytes)
  }
  const readHash = fetchedNodes(tiles, treeSize)
  const proof = path.map((nodes) => foldNodes(nodes, readHash))
  if (verifyInclusion(leafHash, leafIndex, treeSize, proof, rootHash)) return undefined
  return { code: 'root_mismatch', treeSize }
}

function unavailable({ path, detail }: Extract<SourceRead, { kind: 'unavailable' }>) {
  return { kind: 'fault', fault: { code: 'unavailable', path, detail } } as const
}
