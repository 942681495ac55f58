import { resolve } from 'node:path'
import type { Command } from 'commander'
import { BackupDamaged } from '../store/backup/manifest.ts'
import { TargetNotEmpty } from '../store/backup/sqlite-sink.ts'
import { DataFolderBusy } from '../store/data-folder.ts'
import { countOf } from './count-of.ts'
import { databaseUrl, deploymentConfig, POSTGRES_MIGRATIONS, readRegister } from './deployment.ts'
import { MigrateRefused, migrateDatabase } from './migrate-database.ts'
import { openProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>
type Options = { to?: string; data: string }

export function addMigrate(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('migrate')
    .description('move the database of a stopped broker into PostgreSQL; there is no way back')
    .option('--to <url>', 'an empty database, as the role that serves (default: COUNTERSIGN_DATABASE_URL)')
    .option('--data <folder>', 'the data folder', env.COUNTERSIGN_DATA ?? './data')
    .addHelpText(
      'after',
      '\nPrefer COUNTERSIGN_DATABASE_URL to --to: other users see the arguments of a process.',
    )
    .action(async (options: Options) => {
      const progress = openProgress(terminal)
      try {
        const config = deploymentConfig(options.data, {
          ...env,
          COUNTERSIGN_DATABASE_URL: '',
          COUNTERSIGN_DATABASE_OWNER_URL: '',
        })
        const done = await migrateDatabase({
          folder: resolve(options.data),
          url: databaseUrl(options.to, env),
          migrationsFolder: POSTGRES_MIGRATIONS,
          readRegister: (epoch) => readRegister(config, epoch),
          nowMs: Date.now(),
          tell: progress.tell,
        })
        const rows = done.tables.reduce((sum, table) => sum + table.rows, 0)
        const what = done.wasThere ? 'it was there already' : 'moved'
        terminal.out(
          `${terminal.paint('green', what)}: ${rows} rows of ${countOf(done.tables.length, 'table')} in ${done.to}`,
        )
        terminal.out(
          `the log arrived as it was: ${done.treeSize} leaves, root ${done.rootHash.toString('base64')}`,
        )
        terminal.out('every counter and the whole log were examined there: no faults')
        terminal.out(
          `${options.data} starts no more; set COUNTERSIGN_DATABASE_URL, and keep its keys and register`,
        )
      } catch (error) {
        const refusals = [MigrateRefused, TargetNotEmpty, DataFolderBusy, BackupDamaged]
        if (!(error instanceof Error) || !refusals.some((kind) => error instanceof kind)) throw error
        terminal.err(`${terminal.paint('red', 'refused')}: ${error.message}`)
        terminal.exitWith(1)
      } finally {
        progress.end()
      }
    })
}
