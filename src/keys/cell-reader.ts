import type { KeyObject } from 'node:crypto'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import type { EpochKeySet } from '../ports/epoch-keys.ts'
import { type CellRow, openRow } from './cell-row.ts'

/** A key store whose keys are looked at, and never made, changed or destroyed. */
export type CellReader = {
  findAll(cellIds: readonly string[]): Promise<ReadonlyMap<string, KeyObject>>
  close(): Promise<void>
}

/** Opens the file of a key store that another process may own. @throws if it is not there. */
export function openCellReader(file: string, keks: EpochKeySet): CellReader {
  const db = new Database(file, { readonly: true, fileMustExist: true })
  const byId = db.prepare<[string], CellRow>(
    'SELECT cell_id AS cellId, epoch, wrapped FROM cells WHERE cell_id = ?',
  )
  return {
    findAll: async (cellIds) =>
      opened(
        keks,
        cellIds.flatMap((cellId) => byId.get(cellId) ?? []),
      ),
    async close() {
      db.close()
    },
  }
}

/** The same for a key store that several nodes share. @throws (rejects) if the server does not answer. */
export async function openSharedCellReader(url: string, keks: EpochKeySet): Promise<CellReader> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  return {
    async findAll(cellIds) {
      const { rows } = await client.query<{ cell_id: string; epoch: number; wrapped: Buffer }>(
        'select cell_id, epoch, wrapped from cells where cell_id = any($1::text[])',
        [cellIds],
      )
      return opened(
        keks,
        rows.map((row) => ({ cellId: row.cell_id, epoch: row.epoch, wrapped: row.wrapped })),
      )
    },
    close: () => client.end(),
  }
}

function opened(keks: EpochKeySet, rows: readonly CellRow[]): Map<string, KeyObject> {
  return new Map(
    rows.flatMap((row) => {
      const key = openRow(keks, row)
      return key ? [[row.cellId, key] as const] : []
    }),
  )
}
