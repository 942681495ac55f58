import type { Store } from '../ports/store.ts'
import { BACKOFF, type Backoff } from './backoff.ts'
import { DatabaseClock } from './database-clock.ts'
import { type FenceMemory, fenceInMemory } from './database-fence-file.ts'
import { checkServing } from './migrate-postgres.ts'
import type { ClockSources } from './platform-clock.ts'
import { toStoreError } from './postgres-errors.ts'
import { openPool } from './postgres-pool.ts'
import { PostgresStore } from './postgres-store.ts'
import { Turns } from './turns.ts'

export type PostgresOptions = {
  /** Where the database is, with the role that serves and may not change the log. */
  url: string
  migrationsFolder: string
  /** In place of the database's clock and this machine's, for tests. */
  clocks?: ClockSources
  /** How many connections this process writes through; half as many more are for reading, and two for its own work. */
  connectionsMost?: number
  /** How many units of work may wait for their turn before the next is refused. */
  waitingMost?: number
  backoff?: Backoff
  /** The newest state of the database this node has ever seen; of this process alone if left out. */
  fence?: FenceMemory
}

/** For the log and the leases, which must not wait behind everything that is asked of this process. */
const KEEPERS = 2
/** How long a statement may take, and a unit of work stand still, before the server ends it. */
const STATEMENT_MS = 2_000
/** How long one waits for a turn or a connection before it is told to come again. */
const WAIT_MS = 3_000

const NEWEST = {
  name: 'log_newest_time',
  text: `select greatest(
    (select at_ms from log_leaves order by leaf_index desc limit 1), (select max(at_ms) from log_queue))`,
}

/**
 * Opens the store on PostgreSQL, which any number of processes may do at once. The schema is there already: the role
 * that serves cannot make it.
 *
 * @throws (rejects) DatabaseOfOtherVersion, ServingRoleTooStrong, or StoreUnavailable if the server does not answer.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const {
    url,
    connectionsMost = 10,
    waitingMost = 2_000,
    backoff = BACKOFF,
    fence = fenceInMemory(),
  } = options
  const shared = { url, fence, waitingMost, waitMs: WAIT_MS, statementMs: STATEMENT_MS }
  const writers = openPool({ ...shared, connectionsMost, readOnly: false })
  const readers = openPool({ ...shared, connectionsMost: Math.ceil(connectionsMost / 2), readOnly: true })
  const keepers = openPool({ ...shared, connectionsMost: KEEPERS, readOnly: false })
  try {
    const connection = await writers.take()
    try {
      await checkServing(connection.client, options.migrationsFolder)
      const { databaseMs } = await connection.begin('')
      const [[newestMs] = []] = await connection.ask(NEWEST)
      await connection.rollback()
      const clock = new DatabaseClock(databaseMs, Number(newestMs ?? 0), options.clocks)
      return new PostgresStore({
        writers,
        readers,
        keepers,
        clock,
        turns: new Turns(waitingMost, WAIT_MS),
        backoff,
      })
    } finally {
      writers.giveBack(connection)
    }
  } catch (error) {
    await Promise.all([writers.close(), readers.close(), keepers.close()])
    throw toStoreError(error)
  }
}
