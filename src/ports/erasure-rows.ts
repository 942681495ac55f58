/** What the store keeps of erasures. Times are Unix milliseconds. */

export type ErasureRow = {
  id: string
  userId: string
  status: string
  step: string
  waitsFor: string | null
  paused: string
  cells: string
  requestedAtMs: number
  dueAtMs: number
  checkAtMs: number
  steppedAtMs: number
  endedAtMs: number | null
}

export type LegalHoldRow = { userId: string; operatorId: string; reason: string; createdAtMs: number }

/** Where one sealed part lies, without the part. */
export type PartPlace = { eventId: string; part: string; userId: string; cellId: string }
