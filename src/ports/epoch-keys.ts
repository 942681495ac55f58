import type { KeyObject } from 'node:crypto'

/** The key-encryption keys as they stand. */
export interface EpochKeySet {
  /** Finds cells by name. It outlives the epochs: with a new one every cell would be made anew. */
  readonly lookupKey: KeyObject
  readonly newestEpoch: number
  /** Every epoch that can still unwrap. */
  readonly living: ReadonlyMap<number, KeyObject>
  /** When each living epoch began, in Unix milliseconds. */
  readonly begunAtMs: ReadonlyMap<number, number>
}

/**
 * Who holds the keys that wrap cell keys, one for each epoch: a file, or a key service that hands them out. Destroying an
 * epoch destroys whatever was wrapped in it, wherever copies of that lie.
 */
export interface EpochKeys {
  /** As last read. */
  current(): EpochKeySet
  /** Reads again what another process may have changed. */
  reread(): Promise<EpochKeySet>
  /** Makes the key of an epoch, durably; one that is there, or was, stays what it is. */
  begin(epoch: number, nowMs: number): Promise<EpochKeySet>
  /** Destroys the keys of epochs for ever; resolves once nothing of them is left where they were kept. */
  destroy(epochs: readonly number[]): Promise<EpochKeySet>
}
