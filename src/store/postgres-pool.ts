import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg'
import { compareFences, type DatabaseFence } from '../core/nodes/database-fence.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import type { FenceMemory } from './database-fence-file.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { fenceOf } from './postgres-fence.ts'
import { Hosts } from './postgres-hosts.ts'

export type PoolOptions = {
  /** Where the database is, with the role that serves; may name several servers, of which one is the primary. May hold a password, and is never shown. */
  readonly url: string
  /** The newest state of the database that this process has seen: a server that is behind it is not used. */
  readonly fence: FenceMemory
  readonly connectionsMost: number
  /** How many may wait for a connection before the next is refused. */
  readonly waitingMost: number
  /** How long somebody waits for a connection. */
  readonly waitMs: number
  /** How long one statement may take, and how long a unit of work may stand still. */
  readonly statementMs: number
  /** Whether the server refuses writes through these connections. */
  readonly readOnly: boolean
}

export type PostgresPool = {
  /** Hands out a connection. @throws (rejects) StoreUnavailable if there is none in time. */
  take(): Promise<PostgresConnection>
  /** Takes it back; closes it if it is of no use any more. */
  giveBack(connection: PostgresConnection, isBroken?: boolean): void
  close(): Promise<void>
}

/** int8, which the client would give as text: every number of ours is a safe integer. */
const INT8 = 20

/** Opens no connection yet: each is made when somebody first needs it, and again after the server was away. */
export function openPool(options: PoolOptions): PostgresPool {
  const { url, fence, connectionsMost, waitingMost, waitMs, statementMs, readOnly } = options
  const hosts = new Hosts(url)
  /** Connects to whichever server is taken for the primary at that moment. */
  class HostClient extends Client {
    readonly target: string

    constructor(config: ClientConfig = {}) {
      const target = hosts.current()
      super({ ...config, connectionString: target })
      this.target = target
    }
  }
  const pool = new Pool({
    Client: HostClient,
    max: connectionsMost,
    connectionTimeoutMillis: waitMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    // Of the client's own: a server that is gone without a word answers never.
    query_timeout: statementMs * 2,
    keepAlive: true,
    pipeline: true,
    application_name: 'countersign',
    ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
    types: { getTypeParser: parserOf },
  })
  // A connection that ends while nobody uses it is replaced by the next one that is needed.
  pool.on('error', () => undefined)
  const connections = new WeakMap<PoolClient, { connection: PostgresConnection; at: DatabaseFence }>()

  /** Looks once at each new connection whether it leads to the primary, and to no older one than was seen before. */
  async function usable(client: PoolClient): Promise<PostgresConnection | 'outdated' | 'not_primary'> {
    const known = connections.get(client)
    if (known && compareFences(known.at, fence.newest()) >= 0) return known.connection
    if (known) {
      client.release(true)
      return 'outdated'
    }
    // While it is in use, what ends it is told by the statement that was on its way.
    client.on('error', () => undefined)
    let at: DatabaseFence | 'standby'
    try {
      at = await fenceOf(client)
    } catch (error) {
      client.release(true)
      throw error
    }
    if (at === 'standby' || compareFences(at, fence.newest()) < 0) {
      client.release(true)
      return 'not_primary'
    }
    fence.see(at)
    const connection = new PostgresConnection(client)
    connections.set(client, { connection, at })
    return connection
  }

  let closed: Promise<void> | undefined

  return {
    async take() {
      // The pool would keep any number waiting for as long as it may take.
      if (pool.waitingCount >= waitingMost) throw new StoreUnavailable('busy')
      for (let tries = 1; ; ) {
        const target = hosts.current()
        const client = await pool.connect().catch((error: unknown) => error)
        if (client instanceof Client) {
          const connection = await usable(client as PoolClient)
          if (connection === 'outdated') continue
          if (connection !== 'not_primary') return connection
        }
        hosts.turnFrom(target)
        if (tries >= hosts.count)
          throw client instanceof Client ? new StoreUnavailable('unreachable') : client
        tries += 1
      }
    },
    giveBack: (connection, isBroken = false) => connection.client.release(isBroken),
    close() {
      closed ??= pool.end()
      return closed
    },
  }
}

function parserOf(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8) return safeInteger
  return format === 'binary' ? types.getTypeParser(oid, format) : types.getTypeParser(oid, 'text')
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('a number in the database is no safe integer')
  return value
}
