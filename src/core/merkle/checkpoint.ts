import { type VerifiedSignature, verifyNote } from './note.ts'
import { ED25519, type NoteKey } from './note-key.ts'
import { decodeBase64, parseDecimal } from './strict-text.ts'
import { EMPTY_ROOT, HASH_BYTES } from './tree.ts'

/** The head of a log: how many leaves it has and what they hash to. */
export interface Checkpoint {
  readonly origin: string
  readonly treeSize: number
  readonly rootHash: Buffer
}

export type CheckpointVerdict =
  | {
      readonly kind: 'verified'
      readonly checkpoint: Checkpoint
      /** By the log and by every known witness. */
      readonly signatures: readonly VerifiedSignature[]
    }
  | { readonly kind: 'refused'; readonly code: CheckpointRefusal }

export type CheckpointRefusal =
  | 'malformed_note'
  | 'bad_signature'
  | 'no_known_signature'
  | 'malformed_checkpoint'
  | 'wrong_origin'

/**
 * Prints the body of a checkpoint, the text a log signs (c2sp.org/tlog-checkpoint). Never with extension lines.
 * @throws RangeError if the origin is not one line, the size not a safe integer or the root not 32 bytes.
 */
export function formatCheckpoint({ origin, treeSize, rootHash }: Checkpoint): string {
  const body = `${origin}\n${treeSize}\n${rootHash.toString('base64')}\n`
  if (parseCheckpoint(body) === undefined) throw new RangeError('origin, size or root cannot be a checkpoint')
  return body
}

/**
 * Parses the body of a checkpoint; undefined if it is malformed.
 *
 * Extension lines are refused although the specification allows them: logs of this kind never write any, no
 * monitor could audit them, and two checkpoints of one tree must not differ below the root.
 */
export function parseCheckpoint(body: string): Checkpoint | undefined {
  const [origin, size, root, end, ...more] = body.split('\n')
  if (!origin || size === undefined || root === undefined || end !== '' || more.length > 0) return undefined
  const treeSize = parseDecimal(size)
  const rootHash = decodeBase64(root)
  if (treeSize === undefined || rootHash?.length !== HASH_BYTES) return undefined
  // The tree without leaves has one root, so a signature over another one means nothing.
  if (treeSize === 0 && !rootHash.equals(EMPTY_ROOT)) return undefined
  return { origin, treeSize, rootHash }
}

/**
 * Opens a signed checkpoint. The log's own signature must be there: a witness's alone does not do.
 *
 * @param logKey the log's key, type 0x01. @param witnessKeys cosignatures to look for besides.
 * @param origin which log it must be of; the log's key name unless told otherwise.
 */
export function verifyCheckpoint(
  note: string,
  logKey: NoteKey,
  witnessKeys: readonly NoteKey[] = [],
  origin: string = logKey.name,
): CheckpointVerdict {
  const opened = verifyNote(note, [logKey, ...witnessKeys])
  if (opened.kind === 'refused') return opened
  if (logKey.type !== ED25519 || !opened.signatures.some((signature) => signature.key === logKey)) {
    return { kind: 'refused', code: 'no_known_signature' }
  }
  const checkpoint = parseCheckpoint(opened.text)
  if (checkpoint === undefined) return { kind: 'refused', code: 'malformed_checkpoint' }
  if (checkpoint.origin !== origin) return { kind: 'refused', code: 'wrong_origin' }
  return { kind: 'verified', checkpoint, signatures: opened.signatures }
}
