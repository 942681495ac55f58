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
  readonly register: string
  /** The keys that sign what reaches people. */
  readonly reachKeys: string
}

export function dataFilesIn(folder: string): DataFiles {
  return {
    database: join(folder, 'broker.sqlite'),
    cells: join(folder, 'cells.sqlite'),
    kek: join(folder, 'kek.json'),
    keys: join(folder, 'keys'),
    register: join(folder, 'checkpoint-register.json'),
    reachKeys: join(folder, 'reach-keys.json'),
  }
}
