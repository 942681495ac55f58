import { taggedDigest } from '../canonical-json.ts'
import type { JsonValue } from '../json-value.ts'
import type { Amount } from './amount-of.ts'

/** One exact action, as a yes covers it. */
export type ExactAction = {
  readonly userId: string
  readonly agentId: string
  readonly skill: string
  readonly manifestDigest: string
  readonly action: string
  readonly arguments: JsonValue
  readonly amount: Amount | null
  readonly recipients: readonly string[]
  /** Digest of the preview that was shown; null where none was. */
  readonly previewDigest: string | null
}

/**
 * What one yes covers: exactly this, once (DESIGN section 4, step 7). Tagged and canonical, so that no two
 * different requests can spell the same text.
 */
export function approvalDigestOfExact(exact: ExactAction): string {
  return taggedDigest('countersign/v1/approval', {
    user: exact.userId,
    agent: exact.agentId,
    skill: exact.skill,
    manifest: exact.manifestDigest,
    action: exact.action,
    arguments: exact.arguments,
    amount: exact.amount?.amountMinor ?? null,
    currency: exact.amount?.currency ?? null,
    recipients: [...exact.recipients],
    preview: exact.previewDigest,
  })
}
