import type { KeyObject } from 'node:crypto'
import type { KeyRotation } from './key-rotation.ts'

/**
 * What one cell key is for: a kind of part, of one user at one skill, that expires on one day; or one record that is
 * kept until somebody takes it away, such as an address.
 */
export type CellName = {
  readonly userId: string
  readonly skillId: string
  readonly part: 'core' | 'subj' | 'body' | `kept:${string}`
  /** Days since 1970-01-01 UTC. */
  readonly expiryDay: number
}

/** A cell with its key. The id is random and says nothing about whose cell it is. */
export type Cell = { readonly cellId: string; readonly key: KeyObject }

/** Which key store it is, and how often something was destroyed in it: an older copy of it has a lower generation. */
export type KeyStoreMark = { readonly id: string; readonly generation: number }

/** The cell keys: destroying one destroys everything sealed under it, wherever copies of that lie. */
export interface Cells {
  /** The cell if it is at hand already, without I/O: the path of nearly every action. */
  peek(name: CellName): Cell | undefined
  /** Finds or makes the cells, in the order of the names; resolves once their keys are durable. */
  ensure(names: readonly CellName[]): Promise<Cell[]>
  /**
   * Makes cells of no name, one for each day of expiry, that are found by their ids alone; resolves once their keys are
   * durable. They are kept in memory by nobody but the caller.
   */
  make(expiryDays: readonly number[]): Promise<Cell[]>
  /** The key of a cell; undefined when there is none, or none any more. */
  find(cellId: string): Promise<KeyObject | undefined>
  /** The keys of those of the cells that are still there, by id. */
  findAll(cellIds: readonly string[]): Promise<ReadonlyMap<string, KeyObject>>
  /** Whether there is a cell of this name, whether or not its key can still be opened. Makes none. */
  has(name: CellName): Promise<boolean>
  /** The ids of those of the names that have a cell, in no order. Makes none. */
  named(names: readonly CellName[]): Promise<string[]>
  /**
   * Takes cells' names away: what is sealed under them still opens, and `ensure` gives another cell for the name. Another
   * process may go on sealing under the old one for ten seconds.
   */
  unname(cellIds: readonly string[]): Promise<void>
  /** On which day each of those of the cells that are there expires. */
  expiryDays(cellIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Destroys the keys of at most so many cells with a name that expired before a day. @returns how many. */
  destroyExpired(beforeDay: number, limit: number): Promise<number>
  /**
   * Destroys keys for ever. Unknown ids are passed over, so a repeated call is harmless.
   *
   * @param why what was `erased` must never come back with an older copy of the key store, so that copies from before
   *   are refused from then on; what `expired`, or ended before its day, lives on in copies until
   *   their key epoch ends, and copies stay good.
   */
  destroy(cellIds: readonly string[], why?: 'erased' | 'expired'): Promise<void>
  mark(): Promise<KeyStoreMark>
  /** From one key-encryption key to the next. */
  readonly rotation: KeyRotation
  close(): Promise<void>
}
