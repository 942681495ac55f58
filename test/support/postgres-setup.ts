import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, with an empty broker database to copy. */
    postgres: { port: number; folder: string }
  }
}

export const POSTGRES_MIGRATIONS = fileURLToPath(new URL('../../migrations/postgres', import.meta.url))
export const OWNER = 'countersign_owner'
export const SERVING = 'countersign'
/** Migrated once; every test store is a copy. */
export const TEMPLATE = 'countersign_template'

/** One server for every test of the run, ended with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  try {
    const client = new Client({ connectionString: server.url('postgres') })
    await client.connect()
    await client.query(`CREATE ROLE ${OWNER} LOGIN; CREATE ROLE ${SERVING} LOGIN`)
    await client.query(`CREATE DATABASE ${TEMPLATE} OWNER ${OWNER}`)
    await client.query('CREATE TABLE free_databases (name text PRIMARY KEY)')
    await client.end()
    await migratePostgres({
      ownerUrl: server.url(TEMPLATE, OWNER),
      servingRole: SERVING,
      migrationsFolder: POSTGRES_MIGRATIONS,
    })
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('postgres', { port: server.port, folder: server.folder })
  return () => server.stop()
}
