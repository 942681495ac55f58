import type { StoredNode } from '../core/merkle/tree.ts'
import type { LeaseState } from '../core/nodes/lease.ts'

/** An embedded engine answers at once, a networked one later; use cases await both alike. */
type Answer<T> = T | PromiseLike<T>

export interface Leases {
  /** The row, locked until the transaction ends. */
  lock(name: string): Answer<LeaseState | undefined>
  /** The row as it is now, without waiting for whoever has it locked. */
  find(name: string): Answer<LeaseState | undefined>
  /** Adds a lease that nobody ever had; false if somebody else was quicker. */
  insert(lease: LeaseState): Answer<boolean>
  save(lease: LeaseState): Answer<void>
  /** Every lease whose name begins so. */
  list(prefix: string): Answer<LeaseState[]>
  remove(name: string): Answer<void>
}

export type KeyCheckRow = { name: string; value: string; setAtMs: number }

export interface KeyChecks {
  list(): Answer<KeyCheckRow[]>
  /** Adds a check; false if there is one of that name. */
  insert(row: KeyCheckRow): Answer<boolean>
  /** Replaces a value, if it is still what it was. */
  replace(row: KeyCheckRow, before: string): Answer<boolean>
}

/** A leaf of committed work that has no place in the tree yet. */
export type QueuedLeaf = { eventId: string; userId: string; leaf: Buffer; leafHash: Buffer; atMs: number }
export type PlacedLeaf = QueuedLeaf & { leafIndex: number }

/** Leaves in line for the sequencer. An engine with one writer places them at once, and never has any. */
export interface LogQueue {
  /** In the order they are to be placed in. */
  oldest(limit: number): Answer<QueuedLeaf[]>
  /** Those of the events that have a place in the tree already. */
  placed(eventIds: readonly string[]): Answer<string[]>
  /** Gives leaves their places, which follow on the last one, with the nodes they finish. */
  place(leaves: readonly PlacedLeaf[], nodes: readonly StoredNode[]): Answer<void>
  /** Takes leaves out of the line. */
  remove(leaves: readonly QueuedLeaf[]): Answer<void>
  /** Leaves that have a place. */
  treeSize(): Answer<number>
  /** How far the log is behind what was committed. */
  backlog(): Answer<LogBacklog>
}

export type LogBacklog = {
  /** Time of the oldest leaf without a place; null if there is none. */
  queuedAtMs: number | null
  /** Time of the oldest leaf in the tree that no stored checkpoint covers; null if there is none. */
  uncoveredAtMs: number | null
}

/** What several processes on one database agree by. */
export interface NodeTx {
  readonly logQueue: LogQueue
  readonly leases: Leases
  readonly keyChecks: KeyChecks
}
