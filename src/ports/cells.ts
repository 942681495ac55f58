import type { KeyObject } from 'node:crypto'

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
  /** The key of a cell; undefined when there is none, or none any more. */
  find(cellId: string): Promise<KeyObject | undefined>
  /** Whether there is a cell of this name, whether or not its key can still be opened. Makes none. */
  has(name: CellName): Promise<boolean>
  /** Destroys keys for ever. Unknown ids are passed over, so a repeated call is harmless. */
  destroy(cellIds: readonly string[]): Promise<void>
  mark(): Promise<KeyStoreMark>
  close(): Promise<void>
}
