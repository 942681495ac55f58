import type { Command } from 'commander'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { connectToPrimary, raiseFence } from '../store/postgres-fence.ts'
import { databaseUrl } from './deployment.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

export function addFailover(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('failover')
    .description(
      'tell every node that a promoted server is the primary now: none writes to an older one again',
    )
    .option('--to <url>', 'the server that was promoted, alone (default: COUNTERSIGN_DATABASE_URL)')
    .action(async (options: { to?: string }) => {
      const client = await connectToPrimary(databaseUrl(options.to, env)).catch((cause: unknown) => {
        if (!(cause instanceof StoreUnavailable)) throw cause
        throw new CannotRun('no primary answers there: promote the standby first (pg_ctl promote)', { cause })
      })
      try {
        terminal.out(
          terminal.paint('green', `this server is the primary, number ${await raiseFence(client)}`),
        )
        terminal.out('nodes that have seen it write to no older one, also after a restart')
      } finally {
        await client.end()
      }
    })
}
