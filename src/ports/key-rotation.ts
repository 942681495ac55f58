/** How far the key store has come from one key-encryption key to the next. */
export type EpochState = {
  /** The epoch that wraps new cells, and when its key was made. Unix milliseconds. */
  readonly epoch: number
  readonly begunAtMs: number
  /** The newest epoch whose key is there; above `epoch` while processes are waited for. */
  readonly newest: number
  /** Epochs before whose keys are not destroyed yet. */
  readonly older: readonly number[]
  /** Cells that are still wrapped in those. */
  readonly remaining: number
}

/**
 * Takes a key store from one epoch to the next. Each step may be done twice, and by any process: what is not yet true when
 * a step begins is never taken for done.
 */
export interface KeyRotation {
  state(): Promise<EpochState>
  /** Makes the key of the next epoch. @returns its number. */
  begin(nowMs: number): Promise<number>
  /** Wraps new cells in the newest epoch, once every process that uses the store has its key; until then it waits. */
  activate(): Promise<'active' | 'waits'>
  /** Wraps cells of older epochs anew, at most so many. @returns how many; 0 once none is left. */
  rewrap(limit: number): Promise<number>
  /** Destroys the keys of older epochs that wrap nothing any more. @returns which. */
  retire(): Promise<number[]>
}
