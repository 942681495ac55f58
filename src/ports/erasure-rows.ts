/** What the store keeps of erasures. Times are Unix milliseconds. */

export type ErasureRow = {
  id: string
  userId: string
  scope: string
  scopeId: string | null
  status: string
  step: string
  waitsFor: string | null
  paused: string
  cells: string
  partsTotal: number
  partsDone: number
  requestedAtMs: number
  dueAtMs: number
  checkAtMs: number
  steppedAtMs: number
  endedAtMs: number | null
}

export type LegalHoldRow = { userId: string; operatorId: string; reason: string; createdAtMs: number }

/** A part that is kept under another cell from now on. */
export type ResealedPart = PartPlace & { sealed: Buffer }

/** Where one sealed part lies, without the part. */
export type PartPlace = { eventId: string; part: string; userId: string; cellId: string }
