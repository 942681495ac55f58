import { Pool, type PoolClient, types } from 'pg'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { PostgresConnection } from './postgres-connection.ts'

export type PoolOptions = {
  /** Where the database is, with the role that serves; may hold a password, and is never shown. */
  readonly url: string
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
  const { url, connectionsMost, waitingMost, waitMs, statementMs, readOnly } = options
  const pool = new Pool({
    connectionString: url,
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
  const connections = new WeakMap<PoolClient, PostgresConnection>()
  let closed: Promise<void> | undefined

  return {
    async take() {
      // The pool would keep any number waiting for as long as it may take.
      if (pool.waitingCount >= waitingMost) throw new StoreUnavailable('busy')
      const client = await pool.connect()
      const known = connections.get(client)
      if (known) return known
      // While it is in use, what ends it is told by the statement that was on its way.
      client.on('error', () => undefined)
      const connection = new PostgresConnection(client)
      connections.set(client, connection)
      return connection
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
