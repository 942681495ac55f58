import type { JsonValue } from '../json-value.ts'

/** What kind of event a leaf records. Codes are stable: the log outlives every version. */
export type LeafType =
  | 'decision'
  | 'evaluation'
  | 'outcome'
  | 'clean_up'
  | 'consent_request'
  | 'consent'
  | 'grant'
  | 'approval'
  | 'budget'
  | 'recipient'
  | 'agent'
  | 'account'
  | 'channel'
  | 'publisher'
  | 'manifest'
  | 'freeze'
  | 'incident'
  | 'operator'
  | 'person'
  | 'counted'
  | 'epoch'
  | 'erasure'
  | 'key_epoch'
  | 'retention'
  | 'memory'
  | 'notice'

/** The parts of a leaf, each committed to and erasable by itself. */
export const PART_NAMES = ['core', 'subj', 'body'] as const
export type PartName = (typeof PART_NAMES)[number]

/** What a leaf is made of before its parts are sealed. `d` and `r` are the outcome and its reason code. */
export type LeafContent = {
  type: LeafType
  outcome: string
  reason: string
  /** Skill, manifest, amount, incident: what is kept for the legal period. */
  core?: JsonValue
  /** User, agent, grant: who it was. */
  subj?: JsonValue
  /** Arguments, results, texts: what goes first. */
  body?: JsonValue
}

/**
 * The leaf's bytes: fixed key order, no personal data, no stable pseudonym, time to the second.
 *
 * @param commitments base64url by part name; the parts themselves stay sealed beside the log.
 */
export function leafBytes(
  content: LeafContent,
  eventId: string,
  atMs: number,
  policyDigest: string,
  commitments: Readonly<Partial<Record<PartName, string>>>,
): Buffer {
  return Buffer.from(
    JSON.stringify({
      v: 1,
      t: content.type,
      id: eventId,
      at: Math.floor(atMs / 1000),
      d: content.outcome,
      r: content.reason,
      pol: policyDigest,
      parts: commitments,
    }),
  )
}
