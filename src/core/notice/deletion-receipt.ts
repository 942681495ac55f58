import { z } from 'zod'
import { provenLeafShape } from '../execution/receipt.ts'
import { NOTICE_REASONS } from './notice-scope.ts'

export const DELETION_RECEIPT_TYP = 'countersign-deletion+jwt'

/** What has become of a notice. */
export const NOTICE_STATES = [
  'open',
  'refused',
  'deleted',
  'kept',
  'settled',
  'given_up',
  'no_address',
] as const
export type NoticeState = (typeof NOTICE_STATES)[number]

const name = z.string().min(1).max(256)
const seconds = z.int().min(0)
const hash43 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** What the broker says of one notice, under its signature, as things stood when it signed. */
export const deletionReceiptClaims = z.strictObject({
  iss: name,
  iat: seconds,
  /** The log's origin. */
  org: name,
  /** The notice's id. */
  ntc: name,
  skl: name,
  rsn: z.enum(NOTICE_REASONS),
  sts: z.enum(NOTICE_STATES),
  /** By when the skill promised to be done. */
  due: seconds,
  /** Whether that had passed without an acknowledgement. */
  ovd: z.boolean(),
  /** How often it was sent. */
  try: z.int().min(0),
  /** Leaf hashes: that it was queued, that it was last sent, and what the skill, or an operator, said. Base64url. */
  que: hash43,
  snt: hash43.optional(),
  ans: hash43.optional(),
  /** Base64url SHA-256 of the skill's own signed word. */
  ack: hash43.optional(),
})
export type DeletionReceiptClaims = z.infer<typeof deletionReceiptClaims>

/** As it is handed out: the signed statement, its leaves with their proofs, the skill's own word, a signed checkpoint. */
export const deletionReceiptShape = z.strictObject({
  receipt: z.string().max(16_384),
  queued: provenLeafShape,
  sent: provenLeafShape.optional(),
  answered: provenLeafShape.optional(),
  /** Signed by the skill with a runtime key of its manifest; gone once the time it is kept has passed. */
  acknowledgement: z.string().max(16_384).optional(),
  checkpoint: z.string().max(65_536),
})
export type DeletionReceipt = z.infer<typeof deletionReceiptShape>
