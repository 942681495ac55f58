import { Client, type ClientBase, DatabaseError } from 'pg'
import type { DatabaseFence } from '../core/nodes/database-fence.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { toStoreError } from './postgres-errors.ts'
import { hostsIn } from './postgres-hosts.ts'

/** Raised by operators when they fail over. */
const FAILOVERS = 'database_epoch'

const MARKS = `(select value from deployment_marks where name = 'log_epoch') as log_epoch,
  (select value from deployment_marks where name = '${FAILOVERS}') as failovers`
const WITH_TIMELINE = `select pg_is_in_recovery() as standby, ${MARKS},
  case when pg_is_in_recovery() then null else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as timeline`
/** For engines that have no timelines. */
const WITHOUT_TIMELINE = `select pg_is_in_recovery() as standby, ${MARKS}, null as timeline`

const NO_SUCH_TABLE = '42P01'
const NO_SUCH_FUNCTION = '42883'

/** What a server says of itself: 'standby', or the state it is at. Before there is a schema that is the first. */
export async function fenceOf(client: ClientBase): Promise<DatabaseFence | 'standby'> {
  const row = await ask(client, WITH_TIMELINE)
  if (row === undefined) return { logEpoch: 1, failovers: 0, timeline: 0 }
  if (row.standby) return 'standby'
  return {
    logEpoch: Number(row.log_epoch ?? 1),
    failovers: Number(row.failovers ?? 0),
    timeline: row.timeline === null ? 0 : Number.parseInt(row.timeline, 16),
  }
}

type Said = { standby: boolean; log_epoch: string | null; failovers: string | null; timeline: string | null }

async function ask(client: ClientBase, text: string): Promise<Said | undefined> {
  try {
    return (await client.query<Said>(text)).rows[0]
  } catch (error) {
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code === NO_SUCH_TABLE) return undefined
    if (code === NO_SUCH_FUNCTION && text !== WITHOUT_TIMELINE) return ask(client, WITHOUT_TIMELINE)
    throw error
  }
}

/**
 * Connects to whichever of the servers a URL names is a primary now.
 *
 * @throws (rejects) StoreUnavailable if none is.
 */
export async function connectToPrimary(url: string): Promise<Client> {
  let failure: unknown = new StoreUnavailable('unreachable')
  for (const host of hostsIn(url)) {
    const client = new Client({ connectionString: host, connectionTimeoutMillis: 5_000, keepAlive: true })
    client.on('error', () => undefined)
    try {
      await client.connect()
      if ((await fenceOf(client)) !== 'standby') return client
    } catch (error) {
      failure = error
    }
    await client.end().catch(() => undefined)
  }
  throw toStoreError(failure)
}

/** Makes this server the newest there is: whoever has seen it writes to no older one. Returns the new number. */
export async function raiseFence(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ value: string }>(
    `insert into deployment_marks (name, value) values ('${FAILOVERS}', '1') on conflict (name)
     do update set value = cast(cast(deployment_marks.value as integer) + 1 as text) returning value`,
  )
  return Number(rows[0]?.value)
}
