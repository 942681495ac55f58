import type { Command } from 'commander'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { migratePostgres, ServingRoleTooStrong } from '../store/migrate-postgres.ts'
import { DatabaseOfOtherVersion } from '../store/migrate-sqlite.ts'
import { countOf } from './count-of.ts'
import { databaseUrl, POSTGRES_MIGRATIONS } from './deployment.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

const HELP = `
COUNTERSIGN_DATABASE_OWNER_URL names the role that owns the schema, COUNTERSIGN_DATABASE_URL the one that serves. They
must be two: who serves must not be able to change the log. Run it before the first start, and before each start of a
newer version; brokers never change the schema.`

/** Makes a PostgreSQL database ready for this version: the schema, and what the role that serves may do. */
export function addMigrateSchema(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('migrate-schema')
    .description('bring the schema of a PostgreSQL database to this version, as its owner')
    .addHelpText('after', HELP)
    .action(async () => {
      const ownerUrl = env.COUNTERSIGN_DATABASE_OWNER_URL
      if (!ownerUrl) throw new CannotRun('say who owns the schema: set COUNTERSIGN_DATABASE_OWNER_URL')
      const servingRole = roleIn(databaseUrl(undefined, env))
      try {
        const applied = await migratePostgres({
          ownerUrl,
          servingRole,
          migrationsFolder: POSTGRES_MIGRATIONS,
        })
        terminal.out(
          applied === 0
            ? `the schema is of this version already; ${servingRole} may serve from it`
            : `${terminal.paint('green', 'migrated')}: ${countOf(applied, 'migration')}; ${servingRole} may serve from it`,
        )
      } catch (error) {
        if (error instanceof StoreUnavailable)
          throw new CannotRun('the database does not answer', { cause: error })
        if (!(error instanceof DatabaseOfOtherVersion) && !(error instanceof ServingRoleTooStrong))
          throw error
        terminal.err(`${terminal.paint('red', 'refused')}: ${error.message}`)
        terminal.exitWith(1)
      }
    })
}

/** The role a connection string names. @throws CannotRun without one; the string itself, which may hold a password, is not shown. */
function roleIn(url: string): string {
  const role = URL.canParse(url) ? decodeURIComponent(new URL(url).username) : ''
  if (role === '')
    throw new CannotRun('COUNTERSIGN_DATABASE_URL names no role: postgres://role@host/database')
  return role
}
