import type { ChannelRow, GrantWatchRow, OutboxRow } from './reach-rows.ts'
import type { GrantRow } from './rows.ts'

type Answer<T> = T | PromiseLike<T>

export interface Channels {
  find(id: string): Answer<ChannelRow | undefined>
  list(userId: string): Answer<ChannelRow[]>
  insert(row: ChannelRow): Answer<void>
  /** Puts a new code in place of the one before. */
  setCode(id: string, codeHash: string, expiresAtMs: number, triesLeft: number): Answer<void>
  /** Takes one try, if one is left. @returns whether one was. */
  takeTry(id: string): Answer<boolean>
  /** Opens a channel whose code was told. @returns whether it waited for this code. */
  verify(id: string, codeHash: string, atMs: number): Answer<boolean>
  setFailures(id: string, failures: number): Answer<void>
  /** @returns whether it was there, and the user's. */
  remove(userId: string, id: string): Answer<boolean>
}

export interface Outbox {
  find(id: string): Answer<OutboxRow | undefined>
  insert(row: OutboxRow): Answer<void>
  /** The newest message of a batch on a channel, sent or not. */
  newestOf(userId: string, channelId: string, batch: string): Answer<OutboxRow | undefined>
  /** Not sent and due, the longest due first. */
  due(nowMs: number, limit: number): Answer<OutboxRow[]>
  /** When the next one is due; undefined when nothing waits. */
  nextDueMs(): Answer<number | undefined>
  /** Takes one due message for a while, so that no two nodes send it at once. @returns whether it was still free. */
  claim(id: string, seenNextAtMs: number, leaseUntilMs: number): Answer<boolean>
  /** Marks as sent what still speaks of the same things. @returns whether it did. */
  markSent(id: string, subjects: string, atMs: number): Answer<boolean>
  setNext(id: string, nextAtMs: number): Answer<void>
  setSubjects(id: string, subjects: string, expiresAtMs: number): Answer<void>
  remove(id: string): Answer<void>
  removeForChannel(channelId: string): Answer<void>
  removeExpired(nowMs: number): Answer<void>
}

export interface GrantWatches {
  /** Live grants of all users by their ids, after the one named. */
  page(afterGrantId: string, limit: number): Answer<GrantRow[]>
  find(grantId: string): Answer<GrantWatchRow | undefined>
  save(row: GrantWatchRow): Answer<void>
  /** When the user's grants were last used, of those used since; a permit is a use. */
  lastUses(userId: string, sinceMs: number): Answer<{ grantId: string; atMs: number }[]>
  /** When this grant was last used, if it was since. */
  lastUse(userId: string, grantId: string, sinceMs: number): Answer<number | undefined>
}

/** How one agent asked at one skill in a window. */
export type AskedCount = { agentId: string; skillId: string; status: string; count: number }

export interface AskedCounts {
  /** Approvals created since, by agent, skill and what became of them; those that ran out count as `expired`. */
  approvals(sinceMs: number, nowMs: number): Answer<AskedCount[]>
  consentRequests(sinceMs: number, nowMs: number): Answer<AskedCount[]>
}

/** What a unit of work sees of how people are reached, and how often they are asked. */
export interface ReachTx {
  readonly channels: Channels
  readonly outbox: Outbox
  readonly grantWatches: GrantWatches
  readonly askedCounts: AskedCounts
}
