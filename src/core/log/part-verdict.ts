import { erasedBy, GONE_AT_RESTORE } from '../erasure/erasure-steps.ts'

/**
 * What became of one part that a leaf commits to. The two in capitals are alarms: somebody took a part away or changed it
 * without the log saying so.
 */
export const PART_VERDICTS = ['present', 'erased', 'expired', 'MISSING', 'MISMATCH'] as const
export type PartVerdict = (typeof PART_VERDICTS)[number]

/** How many parts the log says an erasure took, where it says so, and how many are marked as taken by it. */
export type ErasureClaim = { readonly leafIndex: number; readonly logged: number; readonly marked: number }

export type PartEvidence = {
  /** What stands beside the log; undefined if nothing does. */
  readonly row: { readonly cellId: string; readonly commitsToLeaf: boolean } | undefined
  /** Whether its key is there, and opens it to what the leaf commits to. */
  readonly opens: 'yes' | 'no' | 'no_key'
  /** The erasure that is named in its place, or that is destroying its key now; undefined if the log knows none. */
  readonly claim: ErasureClaim | undefined
  /** Whether the time it was to be kept for has passed. */
  readonly isPastItsTime: boolean
  /** Whether its log ended in a restore, which brings back no part whose key was gone by then. */
  readonly isOfEndedLog: boolean
}

/** The verdict on one part. A mark is believed only as far as the log says how many there are. */
export function judgePart({ row, opens, claim, isPastItsTime, isOfEndedLog }: PartEvidence): PartVerdict {
  if (!row) return 'MISSING'
  if (!row.commitsToLeaf) return 'MISMATCH'
  if (opens === 'yes') return 'present'
  if (opens === 'no') return 'MISMATCH'
  if (claim && claim.marked <= claim.logged) return 'erased'
  if (erasedBy(row.cellId) !== undefined) return 'MISSING'
  if (row.cellId === GONE_AT_RESTORE) return isOfEndedLog ? 'erased' : 'MISSING'
  return isPastItsTime ? 'expired' : 'MISSING'
}
