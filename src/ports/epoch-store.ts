import type { LeafRow } from './rows.ts'

type Answer<T> = T | Promise<T>

/** A log that ended when the store was restored from a backup. Times are Unix milliseconds. */
export type PastLogRow = {
  epoch: number
  origin: string
  treeSize: number
  rootHash: Buffer
  note: string | null
  noteSize: number
  publishedSize: number
  publishedRoot: Buffer
  endedAtMs: number
  restoredAtMs: number
}

/** Where a leaf of an ended log is. */
export type PastLeafRow = LeafRow & { epoch: number }

export interface PastLogs {
  /** Every ended log, oldest first. */
  list(): Answer<PastLogRow[]>
  find(epoch: number): Answer<PastLogRow | undefined>
  leafByEvent(eventId: string): Answer<PastLeafRow | undefined>
  leaves(epoch: number, fromIndex: number, limit: number): Answer<PastLeafRow[]>
  leafHashes(epoch: number, fromIndex: number, limit: number): Answer<Buffer[]>
  nodes(epoch: number, level: number, fromIndex: number, limit: number): Answer<Buffer[]>
}

export interface RestoreLifts {
  /** Epochs of which an operator took what was forgotten of this user for settled. */
  epochs(userId: string): Answer<number[]>
  /** Settles them; what was settled before stays. */
  lift(userId: string, epoch: number, atMs: number): Answer<void>
}

export interface DeploymentMarks {
  find(name: string): Answer<string | undefined>
  set(name: string, value: string): Answer<void>
}

/** What a unit of work knows of restores. */
export interface EpochTx {
  readonly pastLogs: PastLogs
  readonly restoreLifts: RestoreLifts
  readonly deploymentMarks: DeploymentMarks
}
