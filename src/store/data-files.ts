import { join } from 'node:path'

/** Where everything lives in a data folder. */
export type DataFiles = {
  /** Decisions, ledger and log, in one file so that they commit together. */
  readonly database: string
  readonly cells: string
  /** The keys that wrap cell keys: in no backup. */
  readonly kek: string
  /** The broker's signing keys. */
  readonly keys: string
  /** The newest state of a shared database that this node has seen. */
  readonly fence: string
  /** The register of the first epoch's log; later ones have their own. */
  readonly register: string
  /** The keys that sign what reaches people. */
  readonly reachKeys: string
}

/**
 * The register of one epoch's log. Each log has its own: the one of an ended log stays as evidence of how far it came.
 */
export function registerFileIn(folder: string, epoch: number): string {
  return join(folder, epoch === 1 ? 'checkpoint-register.json' : `checkpoint-register.${epoch}.json`)
}

export function dataFilesIn(folder: string): DataFiles {
  return {
    database: join(folder, 'broker.sqlite'),
    cells: join(folder, 'cells.sqlite'),
    kek: join(folder, 'kek.json'),
    keys: join(folder, 'keys'),
    register: registerFileIn(folder, 1),
    fence: join(folder, 'database-fence.json'),
    reachKeys: join(folder, 'reach-keys.json'),
  }
}
