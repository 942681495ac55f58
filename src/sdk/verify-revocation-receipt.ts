import { importVerificationKeys, type JwsFault, verifyCompactJws } from '../core/execution/compact-jws.ts'
import { type Checkpoint, type CheckpointRefusal, verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { parseVkey } from '../core/merkle/note-key.ts'
import {
  REVOCATION_RECEIPT_TYP,
  type RevocationClaims,
  revocationClaims,
  revocationReceiptShape,
} from '../core/revocation/revocation-receipt.ts'
import { type LeafFacts, type ProofFault, proveClaimed } from './prove-leaf.ts'
import type { ReceiptTrust } from './verify-receipt.ts'

export type RevocationReceiptVerdict =
  | {
      readonly kind: 'verified'
      readonly claims: RevocationClaims
      readonly leaf: LeafFacts
      readonly checkpoint: Checkpoint
    }
  | {
      readonly kind: 'refused'
      readonly code:
        | JwsFault
        | CheckpointRefusal
        | ProofFault
        | 'bad_vkey'
        | 'invalid_claims'
        | 'other_issuer'
        | 'status_mismatch'
    }

const CHARACTERS_MOST = 1_000_000

/** What the leaf of a revocation says openly. */
const TOLD_BY: ReadonlySet<string> = new Set(['grant revoked', 'agent disconnected', 'freeze frozen'])

/**
 * Verifies the receipt of a revocation offline: the broker signed it, it speaks of exactly this leaf, the leaf says that
 * authority ended then, and it is in the log that signed the checkpoint.
 */
export function verifyRevocationReceipt(received: unknown, trust: ReceiptTrust): RevocationReceiptVerdict {
  const shaped = revocationReceiptShape.safeParse(received)
  if (!shaped.success) return refused('malformed_receipt')
  const { receipt, leaf, checkpoint: note } = shaped.data
  const logKey = parseVkey(trust.vkey)
  if (!logKey) return refused('bad_vkey')

  const signed = verifyCompactJws(receipt, {
    typ: REVOCATION_RECEIPT_TYP,
    keys: importVerificationKeys(trust.keys),
    purpose: 'receipt',
    charactersMost: CHARACTERS_MOST,
  })
  if (!signed.ok) return refused(signed.code)
  const parsed = revocationClaims.safeParse(signed.payload)
  if (!parsed.success) return refused('invalid_claims')
  const claims = parsed.data
  if (claims.iss !== trust.issuer) return refused('other_issuer')

  const head = verifyCheckpoint(note, logKey, trust.witnessKeys)
  if (head.kind === 'refused') return refused(head.code)
  if (claims.org !== head.checkpoint.origin) return refused('wrong_origin')
  const proven = proveClaimed(leaf, claims.lfh, head.checkpoint)
  if (proven.kind === 'refused') return proven
  const { facts } = proven
  if (!TOLD_BY.has(`${facts.t} ${facts.d}`) || facts.at !== claims.at) return refused('status_mismatch')
  return { kind: 'verified', claims, leaf: facts, checkpoint: head.checkpoint }
}

function refused(
  code: Extract<RevocationReceiptVerdict, { kind: 'refused' }>['code'],
): RevocationReceiptVerdict {
  return { kind: 'refused', code }
}
