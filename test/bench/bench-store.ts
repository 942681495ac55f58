import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { type SharedPlace, SILENT, startBenchBroker } from './bench-broker.ts'
import type { BenchPostgres } from './bench-postgres.ts'
import { gatheringSink, type RowSink, sqliteSink } from './bulk-insert.ts'
import { fillDatabase, NO_SKILL } from './fill-database.ts'

export type StoreKind = 'sqlite' | 'postgres'

/** Where the brokers of a world keep what they keep. */
export type BenchStore = {
  readonly kind: StoreKind
  /** The folder of the broker's keys. */
  readonly keys: string
  placeOf(node: number): { folder: string; shared?: SharedPlace }
  /** Makes everything as a first start leaves it, and puts rows in before anybody serves. */
  fill(seed: (sink: RowSink) => void): Promise<void>
  /** Where to look at the database from outside; null for one that nobody but its broker looks at. */
  readonly adminUrl: string | null
}

export function sqliteStoreIn(folder: string): BenchStore {
  return {
    kind: 'sqlite',
    keys: dataFilesIn(folder).keys,
    placeOf: () => ({ folder }),
    fill: (seed) => fillDatabase(folder, (db) => seed(sqliteSink(db))),
    adminUrl: null,
  }
}

export async function postgresStoreIn(folder: string, server: BenchPostgres): Promise<BenchStore> {
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets, { recursive: true, mode: 0o700 })
  const made = await server.makeDatabases(`bench_${randomBytes(6).toString('hex')}`)
  const shared: SharedPlace = {
    databaseUrl: made.databaseUrl,
    keyStoreUrl: made.keyStoreUrl,
    register: pathToFileURL(join(secrets, 'checkpoint-register.json')).href,
    secrets,
  }
  const placeOf = (node: number) => ({ folder: join(folder, `node-${node}`), shared })
  return {
    kind: 'postgres',
    keys: join(secrets, 'keys'),
    placeOf,
    async fill(seed) {
      const first = await startBenchBroker({ ...placeOf(0), port: 0, skillOrigin: NO_SKILL }, SILENT)
      await first.stop()
      const sink = gatheringSink()
      seed(sink)
      const client = new Client({ connectionString: made.adminUrl })
      await client.connect()
      try {
        await sink.flush(client)
        await client.query('ANALYZE')
        // So that no write of the filling is still going on when something is measured.
        await client.query('CHECKPOINT')
      } finally {
        await client.end()
      }
    },
    adminUrl: made.adminUrl,
  }
}
