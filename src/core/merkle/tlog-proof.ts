import { type Checkpoint, type CheckpointRefusal, verifyCheckpoint } from './checkpoint.ts'
import type { VerifiedSignature } from './note.ts'
import type { NoteKey } from './note-key.ts'
import { verifyInclusion } from './proof.ts'
import { decodeBase64, parseDecimal } from './strict-text.ts'
import { HASH_BYTES } from './tree.ts'

/** An offline proof that a leaf is in a log (c2sp.org/tlog-proof@v1): index, path and the signed checkpoint. */
export interface TlogProof {
  readonly index: number
  readonly proof: readonly Buffer[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
  /** Whatever the issuer added. It is not authenticated and must not be trusted. */
  readonly extra?: Buffer
}

export type TlogProofVerdict =
  | {
      readonly kind: 'verified'
      readonly index: number
      readonly checkpoint: Checkpoint
      readonly signatures: readonly VerifiedSignature[]
    }
  | { readonly kind: 'refused'; readonly code: 'malformed_proof' | 'not_included' | CheckpointRefusal }

const HEADER = 'c2sp.org/tlog-proof@v1'
// A tree of 2^53 leaves is no higher, so a longer path is nonsense and need not be decoded.
const PATH_MAX = 63

/** Prints a proof in the form any C2SP verifier reads; files end in `.tlog-proof`. */
export function formatTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  const extraLine = extra === undefined ? [] : [`extra ${extra.toString('base64')}`]
  const path = proof.map((hash) => hash.toString('base64'))
  return `${[HEADER, ...extraLine, `index ${index}`, ...path].join('\n')}\n\n${checkpoint}`
}

/** Parses a proof strictly, the checkpoint left unread; undefined if it is malformed. */
export function parseTlogProof(text: string): TlogProof | undefined {
  // The first empty line ends the proof; the note below has one of its own.
  const boundary = text.indexOf('\n\n')
  if (boundary < 0) return undefined
  const [header, ...lines] = text.slice(0, boundary).split('\n')
  const extraLine = lines[0]?.startsWith('extra ') ? lines.shift() : undefined
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine.slice('extra '.length))
  const indexLine = lines.shift()
  const index = indexLine?.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined
  if (header !== HEADER || index === undefined || lines.length > PATH_MAX) return undefined
  if (extraLine !== undefined && extra === undefined) return undefined
  const proof: Buffer[] = []
  for (const line of lines) {
    const hash = decodeBase64(line)
    if (hash?.length !== HASH_BYTES) return undefined
    proof.push(hash)
  }
  const checkpoint = text.slice(boundary + 2)
  return { index, proof, checkpoint, ...(extra === undefined ? {} : { extra }) }
}

/**
 * Verifies that `leafHash` was in the log when it signed the checkpoint inside the proof. Works offline.
 * @param origin which log it must be of; the log's key name unless told otherwise.
 */
export function verifyTlogProof(
  text: string,
  leafHash: Uint8Array,
  logKey: NoteKey,
  witnessKeys: readonly NoteKey[] = [],
  origin: string = logKey.name,
): TlogProofVerdict {
  const parsed = parseTlogProof(text)
  if (parsed === undefined) return { kind: 'refused', code: 'malformed_proof' }
  const head = verifyCheckpoint(parsed.checkpoint, logKey, witnessKeys, origin)
  if (head.kind === 'refused') return head
  const { checkpoint, signatures } = head
  const { index, proof } = parsed
  if (!verifyInclusion(leafHash, index, checkpoint.treeSize, proof, checkpoint.rootHash)) {
    return { kind: 'refused', code: 'not_included' }
  }
  return { kind: 'verified', index, checkpoint, signatures }
}
