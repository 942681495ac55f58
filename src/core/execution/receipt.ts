import { z } from 'zod'

export const RECEIPT_TYP = 'countersign-receipt+jwt'

const hash43 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const name = z.string().min(1).max(256)
const base64 = z.base64().max(100_000)

/** What the broker says of one action, under its signature. */
export const receiptClaims = z.strictObject({
  iss: name,
  iat: z.int().min(0),
  /** The log's origin. */
  org: name,
  /** The action's id at the broker, the execution id a skill was told. */
  exe: name,
  skl: name,
  act: name,
  /** What had become of it when this was signed. */
  sts: z.enum([
    'waiting',
    'refused',
    'dispatched',
    'in_doubt',
    'succeeded',
    'refused_by_skill',
    'failed',
    'overtaken',
    'outcome_unknown',
  ]),
  /** Taken, in minor units of `cur`; both or neither. */
  amt: z.int().min(0).optional(),
  cur: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
  /** Leaf hash of the decision, base64url. */
  dec: hash43,
  /** Leaf hash of the outcome, once there is one. */
  out: hash43.optional(),
})
export type ReceiptClaims = z.infer<typeof receiptClaims>

const leafInTree = z.strictObject({
  /** The leaf's bytes. Its parts stay sealed: a receipt shows nothing but commitments to them. */
  leaf: base64,
  leafIndex: z.int().min(0),
  /** Inclusion proof in the tree of the checkpoint, leaf's sibling first. */
  proof: z.array(base64).max(63),
})
export const provenLeafShape = leafInTree.extend({
  /**
   * For a leaf of a log that has ended: the first leaf of each log after it, oldest first. Each names the tree before
   * it, which is what the proof before it leads to; the last is in the tree of the checkpoint.
   */
  epochs: z.array(leafInTree).min(1).max(32).optional(),
})
export type LeafInTree = z.infer<typeof leafInTree>
export type ProvenLeaf = z.infer<typeof provenLeafShape>

/** A receipt as it is handed out: the signed statement, its leaves with their proofs, a signed checkpoint. */
export const receiptShape = z.strictObject({
  receipt: z.string().max(16_384),
  decision: provenLeafShape,
  outcome: provenLeafShape.optional(),
  checkpoint: z.string().max(65_536),
})
export type Receipt = z.infer<typeof receiptShape>
