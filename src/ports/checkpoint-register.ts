/** The newest head of the log that may have been signed. */
export type RegisterEntry = {
  readonly origin: string
  readonly treeSize: number
  /** 32 bytes. */
  readonly rootHash: Buffer
}

/**
 * Remembers the newest head outside the log's own store, so that a store put back to an older state is noticed.
 * One process at a time owns it.
 */
export interface CheckpointRegister {
  /** Undefined when nothing was ever registered. @throws if what is there cannot be read. */
  read(): Promise<RegisterEntry | undefined>
  /**
   * Replaces exactly `from`, durably before it resolves; false, and nothing changed, if something else is there.
   * @throws RangeError if `to` would not grow, or be of another log.
   */
  advance(from: RegisterEntry | undefined, to: RegisterEntry): Promise<boolean>
}
