import {
  type Checkpoint,
  type CheckpointRefusal,
  type CheckpointVerdict,
  verifyCheckpoint,
} from '../core/merkle/checkpoint.ts'
import type { LogFault } from '../core/merkle/log-audit.ts'
import { consistencyNodes, foldNodes, isPowerOfTwo, rootsFromConsistency } from '../core/merkle/proof.ts'
import { tilePath } from '../core/merkle/tile.ts'
import { fetchedNodes, tilesForNodes } from '../core/merkle/tile-reader.ts'
import { HASH_BYTES, subtreesOf } from '../core/merkle/tree.ts'
import { type LogSource, readResource } from './log-source.ts'
import { type LogTrust, readHead } from './verify-log.ts'

/** What became of a log since a checkpoint was kept. */
export type FollowVerdict =
  /** The newer tree begins with all of the older one; keep `note` from now on. `first`: none was kept before. */
  | {
      readonly kind: 'first' | 'unchanged' | 'grown'
      readonly checkpoint: Checkpoint
      readonly note: string
    }
  /**
   * The log signed two histories. The notes prove it to anybody: with equal sizes by themselves, otherwise with
   * `path`, which leads from the newer root to another root for the older size (`rootsFromConsistency`).
   */
  | {
      readonly kind: 'contradiction'
      readonly previousNote: string
      readonly note: string
      readonly path: readonly Buffer[]
    }
  /** The newest checkpoint is smaller than the kept one: an old copy is served, or the log was rolled back. */
  | { readonly kind: 'behind'; readonly previousNote: string; readonly note: string }
  /** The kept checkpoint itself does not verify, so nothing can be compared with it. */
  | { readonly kind: 'previous_refused'; readonly code: CheckpointRefusal }
  | { readonly kind: 'fault'; readonly fault: LogFault }

/**
 * Checks that a log only grew since `previousNote`, from its tiles: a few reads, whatever its size.
 *
 * A log that serves damaged tiles gets a fault; only a proof that leads to the newly signed root makes a
 * contradiction, so nobody else on the way can make an honest log look like a liar.
 *
 * After a rotation of the log's key the kept checkpoint is one that the key before signed. Named in
 * `trust.previousLogKeys`, that key verifies it, and the tree of the new key's checkpoint must begin with all of its.
 *
 * @param previousNote the signed checkpoint kept from the last time; undefined the first time.
 */
export async function followLog(
  previousNote: string | undefined,
  source: LogSource,
  trust: LogTrust,
): Promise<FollowVerdict> {
  const current = await readHead(source, trust)
  if (current.kind === 'fault') return current
  const { checkpoint, note } = current
  if (previousNote === undefined) return { kind: 'first', checkpoint, note }

  const previous = verifyKept(previousNote, trust)
  if (previous.kind === 'refused') return { kind: 'previous_refused', code: previous.code }
  const { treeSize: fromSize, rootHash: fromRoot } = previous.checkpoint
  const { treeSize, rootHash } = checkpoint
  if (treeSize < fromSize) return { kind: 'behind', previousNote, note }
  if (treeSize === fromSize) {
    if (rootHash.equals(fromRoot)) return { kind: 'unchanged', checkpoint, note }
    return { kind: 'contradiction', previousNote, note, path: [] }
  }
  // Every tree begins with the empty one.
  if (fromSize === 0) return { kind: 'grown', checkpoint, note }

  const read = await readConsistencyPath(source, fromSize, treeSize)
  if (read.kind === 'fault') return read
  const roots = rootsFromConsistency(fromSize, treeSize, read.path)
  if (roots === undefined || !rootHash.equals(roots.toRoot)) {
    return { kind: 'fault', fault: { code: 'root_mismatch', treeSize } }
  }
  if (!fromRoot.equals(roots.fromRoot)) return { kind: 'contradiction', previousNote, note, path: read.path }
  return { kind: 'grown', checkpoint, note }
}

/** Any key the log ever had may have signed what was kept; the log itself must be the same one. */
function verifyKept(note: string, trust: LogTrust): CheckpointVerdict {
  const { logKey, previousLogKeys = [], witnessKeys, origin = logKey.name } = trust
  let verdict = verifyCheckpoint(note, logKey, witnessKeys, origin)
  for (const key of previousLogKeys) {
    // A refusal that says more than that this key did not sign is the one worth telling.
    if (verdict.kind === 'verified' || verdict.code !== 'no_known_signature') return verdict
    verdict = verifyCheckpoint(note, key, witnessKeys, origin)
  }
  return verdict
}

/** Computes a consistency path from tiles, with its first hash also when the older tree is complete. */
async function readConsistencyPath(
  source: LogSource,
  fromSize: number,
  toSize: number,
): Promise<{ kind: 'path'; path: Buffer[] } | { kind: 'fault'; fault: LogFault }> {
  const proof = consistencyNodes(fromSize, toSize)
  const path = isPowerOfTwo(fromSize) ? [subtreesOf(0, fromSize), ...proof] : proof
  const tiles = tilesForNodes(path.flat(), toSize)
  const reads = await Promise.all(tiles.map((tile) => readResource(source, tile)))
  const fetched = new Map<string, Buffer>()
  for (const [i, tile] of tiles.entries()) {
    const read = reads[i]
    const tileId = tilePath(tile)
    if (read?.kind === 'unavailable') {
      return { kind: 'fault', fault: { code: 'unavailable', path: tileId, detail: read.detail } }
    }
    if (read?.bytes.length !== tile.width * HASH_BYTES) {
      const leafIndex = tile.index * 256 ** (tile.level + 1)
      return { kind: 'fault', fault: { code: 'malformed_tile', path: tileId, leafIndex } }
    }
    fetched.set(tileId, read.bytes)
  }
  const readHash = fetchedNodes(fetched, toSize)
  return { kind: 'path', path: path.map((nodes) => foldNodes(nodes, readHash)) }
}
