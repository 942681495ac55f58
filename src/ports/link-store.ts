import type { LinkAttemptRow, LinkedAccountRow } from './link-rows.ts'

type Answer<T> = T | PromiseLike<T>

export interface LinkedAccounts {
  find(id: string): Answer<LinkedAccountRow | undefined>
  findFor(userId: string, skillId: string, link: string): Answer<LinkedAccountRow | undefined>
  list(userId: string): Answer<LinkedAccountRow[]>
  insert(row: LinkedAccountRow): Answer<void>
  /** Puts new tokens in place of the ones a refresh began with. @returns whether those were still there. */
  renew(
    id: string,
    seenRevision: number,
    tokens: string,
    expiresAtMs: number | null,
    atMs: number,
  ): Answer<boolean>
  /** Says that the tokens no longer work. */
  setStatus(id: string, seenRevision: number, status: string, atMs: number): Answer<boolean>
  /** @returns the row that was there, and the user's. */
  remove(userId: string, id: string): Answer<LinkedAccountRow | undefined>
}

export interface LinkAttempts {
  insert(row: LinkAttemptRow): Answer<void>
  /** Uses an attempt up, whatever comes of it; undefined where there is none (any more). */
  take(stateHash: string): Answer<LinkAttemptRow | undefined>
  countFor(userId: string): Answer<number>
  removeExpired(nowMs: number): Answer<void>
}

/** What a unit of work sees of linked accounts. */
export interface LinkTx {
  readonly linkedAccounts: LinkedAccounts
  readonly linkAttempts: LinkAttempts
}
