import { z } from 'zod'
import { canonicalJson } from '../core/canonical-json.ts'
import { type ProvenLeaf, provenLeafShape } from '../core/execution/receipt.ts'
import type { JsonValue } from '../core/json-value.ts'
import { type NamedHead, parseEpochLeaf } from '../core/log/epoch-leaf.ts'
import { commitmentOf } from '../core/log/part.ts'
import { verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { type NoteKey, parseVkey } from '../core/merkle/note-key.ts'
import { verifyInclusion } from '../core/merkle/proof.ts'
import { decodeBase64 } from '../core/merkle/strict-text.ts'
import { hashLeaf } from '../core/merkle/tree.ts'

const partShape = z.looseObject({
  verdict: z.string(),
  salt: z.string().nullish(),
  value: z.unknown().optional(),
})
const eventShape = z.looseObject({
  eventId: z.string(),
  proven: provenLeafShape.nullable(),
  checkpoint: z.string().nullable(),
  parts: z.record(z.string(), partShape),
})

export type ExportedPartVerdict = 'present' | 'erased' | 'not_readable' | 'MISSING' | 'MISMATCH'
export type ExportedEventVerdict =
  | { readonly kind: 'verified'; readonly parts: Readonly<Record<string, ExportedPartVerdict>> }
  /** No checkpoint covered it yet: export it again. */
  | { readonly kind: 'not_proven' }
  | { readonly kind: 'refused'; readonly code: 'malformed' | 'bad_vkey' | 'checkpoint' | 'not_included' }

/**
 * Verifies one event of an export offline: its leaf is in the log that signed the checkpoint, and each part that is shown
 * is what the leaf commits to. `MISSING` is a part the leaf commits to that the export leaves out.
 *
 * @param vkey the log's verifier key, from somebody you trust.
 */
export function verifyExportedEvent(event: unknown, vkey: string): ExportedEventVerdict {
  const parsed = eventShape.safeParse(event)
  if (!parsed.success) return { kind: 'refused', code: 'malformed' }
  const key = parseVkey(vkey)
  if (!key) return { kind: 'refused', code: 'bad_vkey' }
  const { eventId, proven, checkpoint, parts } = parsed.data
  if (!proven || checkpoint === null) return { kind: 'not_proven' }
  const leaf = provenLeaf(proven, checkpoint, key)
  if (typeof leaf === 'string') return { kind: 'refused', code: leaf }
  const said = leafParts.safeParse(jsonOf(leaf))
  if (!said.success || said.data.id !== eventId) return { kind: 'refused', code: 'malformed' }
  const verdicts: Record<string, ExportedPartVerdict> = {}
  for (const [name, commitment] of Object.entries(said.data.parts))
    verdicts[name] = judge(eventId, name, commitment, parts[name])
  for (const name of Object.keys(parts)) verdicts[name] ??= 'MISMATCH'
  return { kind: 'verified', parts: verdicts }
}

const leafParts = z.looseObject({ id: z.string(), parts: z.record(z.string(), z.string()) })

function judge(
  eventId: string,
  name: string,
  commitment: string,
  shown: z.infer<typeof partShape> | undefined,
): ExportedPartVerdict {
  if (!shown) return 'MISSING'
  if (shown.verdict !== 'present') return shown.verdict === 'erased' ? 'erased' : 'not_readable'
  const salt = Buffer.from(shown.salt ?? '', 'base64url')
  if (salt.length !== 32 || shown.value === undefined) return 'MISMATCH'
  const bytes = Buffer.from(canonicalJson(shown.value as JsonValue))
  return commitmentOf(salt, eventId, name, bytes).toString('base64url') === commitment
    ? 'present'
    : 'MISMATCH'
}

/** The bytes of the leaf, if its proofs lead from the checkpoint to it. */
function provenLeaf(
  { epochs = [], ...proven }: ProvenLeaf,
  note: string,
  key: NoteKey,
): Buffer | 'checkpoint' | 'not_included' {
  const signed = verifyCheckpoint(note, key)
  if (signed.kind === 'refused') return 'checkpoint'
  let head: NamedHead = signed.checkpoint
  for (const epoch of epochs.toReversed()) {
    const first = included(epoch, head)
    const named = first && epoch.leafIndex === 0 ? parseEpochLeaf(first) : undefined
    if (!named) return 'not_included'
    head = named.held
  }
  return included(proven, head) ?? 'not_included'
}

function included(
  { leaf, leafIndex, proof }: Omit<ProvenLeaf, 'epochs'>,
  { treeSize, rootHash }: NamedHead,
): Buffer | undefined {
  const bytes = decodeBase64(leaf)
  const path = proof.map(decodeBase64).filter((hash) => hash !== undefined)
  if (!bytes || path.length !== proof.length) return undefined
  return verifyInclusion(hashLeaf(bytes), leafIndex, treeSize, path, rootHash) ? bytes : undefined
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
