import { z } from 'zod'
import { provenLeafShape } from '../execution/receipt.ts'
import { statusReferenceShape } from '../http-signature/authority-event.ts'
import { BECAME } from './became-of.ts'

export const REVOCATION_RECEIPT_TYP = 'countersign-revocation+jwt'

export const REVOCATION_SCOPES = ['grant', 'agent', 'skill', 'everything', 'freeze'] as const
/** How far it got to whoever had to be told. Only 'confirmed' is the receiver's own word. */
export const TOLD_STATES = ['waiting', 'answered', 'confirmed', 'given_up', 'no_address'] as const

const name = z.string().min(1).max(256)
const seconds = z.int().min(0)
const most = 2_000

/** What the broker says of one revocation, under its signature, as things stood when it signed. */
export const revocationClaims = z.strictObject({
  iss: name,
  iat: seconds,
  /** The log's origin. */
  org: name,
  /** The revocation's id. */
  rvk: name,
  scp: z.enum(REVOCATION_SCOPES),
  /** When it was durable: no decision permitted after it. Unix seconds. */
  at: seconds,
  /** Leaf hash of the revocation, base64url. */
  lfh: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** What ended, and where its status can be read. */
  grt: z.array(z.strictObject({ id: name, status: statusReferenceShape.nullable() })).max(most),
  /** Who was told. */
  tld: z
    .array(
      z.strictObject({
        kind: z.enum(['skill', 'agent']),
        id: name,
        state: z.enum(TOLD_STATES),
        at: seconds.optional(),
      }),
    )
    .max(most),
  /** What became of each action under way. */
  act: z
    .array(
      z.strictObject({ exe: name, skl: name, became: z.enum(BECAME), out: z.string().max(64).optional() }),
    )
    .max(most),
})
export type RevocationClaims = z.infer<typeof revocationClaims>

/** As it is handed out: the signed statement, its leaf with the proof, a signed checkpoint. */
export const revocationReceiptShape = z.strictObject({
  receipt: z.string().max(1_000_000),
  leaf: provenLeafShape,
  checkpoint: z.string().max(65_536),
})
export type RevocationReceipt = z.infer<typeof revocationReceiptShape>
