type Answer<T> = T | PromiseLike<T>

/** What the store keeps of an item of memory. Times are Unix milliseconds. */
export type MemoryItemRow = {
  id: string
  userId: string
  agentId: string
  grantId: string
  skillId: string
  memoryClass: string
  sessionId: string | null
  requestHash: Buffer
  cellId: string
  sizeBytes: number
  head: Buffer
  content: Buffer
  createdAtMs: number
  expiresAtMs: number
  ended: string | null
}

/** An item without its content, which may be long. */
export type MemoryHeadRow = Omit<MemoryItemRow, 'content'>

/** What is left of an item that is to be destroyed. */
export type MemoryDueRow = Pick<
  MemoryItemRow,
  'id' | 'userId' | 'skillId' | 'cellId' | 'expiresAtMs' | 'ended'
>

/** Why an item ended before its time, or that its time was seen to have passed. */
export type MemoryEnd = 'expired' | 'forgotten' | 'revoked' | 'replaced' | 'session'

export interface MemoryItems {
  find(userId: string, id: string): Answer<MemoryItemRow | undefined>
  /** What a call with this idempotency key wrote, unless it has ended. */
  findByRequest(userId: string, requestHash: Buffer): Answer<MemoryHeadRow | undefined>
  /** Every item under a grant that has not ended, expired ones among them, the oldest first. */
  headsOfGrant(userId: string, grantId: string): Answer<MemoryHeadRow[]>
  /** The same with their contents. */
  wholeOfGrant(userId: string, grantId: string): Answer<MemoryItemRow[]>
  /** The ids of the same. */
  idsOfGrant(userId: string, grantId: string): Answer<string[]>
  /** The user's items that have not ended, newest first, expired ones among them. */
  list(
    userId: string,
    page: { limit: number; before: { atMs: number; id: string } | null },
  ): Answer<MemoryItemRow[]>
  /** Every item of the user's that has a row, ended ones among them. */
  headsOfUser(userId: string): Answer<MemoryHeadRow[]>
  /** How much of the user's has not ended, by grant. */
  use(userId: string): Answer<{ grantId: string; items: number; bytes: number }[]>
  insert(row: MemoryItemRow): Answer<void>
  /** Makes an item unreadable for good; what ended before stays as it ended. */
  end(userId: string, id: string, why: MemoryEnd, atMs: number): Answer<void>
  endOfGrant(userId: string, grantId: string, why: MemoryEnd, atMs: number): Answer<void>
  /** Says of what has expired that it was seen to have: no clock brings it back. */
  endExpired(userId: string, nowMs: number): Answer<void>
  /** Lets an item end earlier. */
  setExpiry(userId: string, id: string, expiresAtMs: number): Answer<void>
  /** Puts what is kept under a grant under the one that takes its place. */
  moveGrant(userId: string, fromGrantId: string, toGrantId: string): Answer<void>
  /** What is to be destroyed, the longest due first; nothing of users whose data is held. */
  due(nowMs: number, limit: number): Answer<MemoryDueRow[]>
  /** Items of sessions whose token family has ended. */
  ofEndedSessions(limit: number): Answer<Pick<MemoryItemRow, 'id' | 'userId'>[]>
  /** Removes the row of an item that has ended or expired; tells whether it was there. */
  remove(userId: string, id: string): Answer<boolean>
}

/** What a unit of work sees of memory. */
export interface MemoryTx {
  readonly memoryItems: MemoryItems
}
