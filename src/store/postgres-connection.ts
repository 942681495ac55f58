import type { PoolClient } from 'pg'
import type { PostgresStatement } from './postgres-dialect.ts'
import { isConnectionLost } from './postgres-errors.ts'
import type { Values } from './row-codec.ts'

/** What came of a COMMIT whose answer arrived. */
export type Committed = 'kept' | 'unknown'

export type Begun = { xid: string; databaseMs: number }

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'
// The id comes before anything is read: who waits for older units knows them by it.
const TAKE_ID = { name: 'take_xid', text: 'select pg_current_xact_id()::text' }
const CLOCK = {
  name: 'clock',
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::bigint',
}
const TAKE_TURN = {
  name: 'user_turns_lock',
  text: 'select user_id from user_turns where user_id = $1 for update',
}
const FIRST_TURN = {
  name: 'user_turns_insert',
  text: 'insert into user_turns (user_id) values ($1) on conflict do nothing',
}
/** Of COMMIT: kept here, but not known to be anywhere else, because waiting for a standby was ended. */
const NOT_ON_STANDBY: ReadonlySet<string | undefined> = new Set(['01000', '57P01'])

/**
 * One connection for one unit of work at a time. Statements are sent without waiting for the ones before them, so that
 * writes cost no journey of their own: what went wrong with them is told by the next read, or by the commit.
 */
export class PostgresConnection {
  readonly client: PoolClient
  #failure: unknown
  #wrote = false
  #sent: Promise<unknown> = Promise.resolve()
  #warnings: (string | undefined)[] = []

  constructor(client: PoolClient) {
    this.client = client
    client.on('notice', (notice) => this.#warnings.push(notice.code))
  }

  /** Whether the unit changed anything, as far as it was asked to. */
  get wrote(): boolean {
    return this.#wrote
  }

  /** Begins a unit of work and waits for the turn of its user; the clock is read when the turn has come. */
  async begin(owner: string): Promise<Begun> {
    this.#start()
    const id = this.ask(TAKE_ID)
    const turn = this.ask({ ...TAKE_TURN, values: [owner] })
    const clock = this.ask(CLOCK)
    const [[xid], mine, [databaseMs]] = await all([id, turn, clock])
    if (mine.length > 0) return { xid: String(xid?.[0]), databaseMs: Number(databaseMs?.[0]) }
    this.#send({ ...FIRST_TURN, values: [owner] })
    const [, [later]] = await all([this.ask({ ...TAKE_TURN, values: [owner] }), this.ask(CLOCK)])
    return { xid: String(xid?.[0]), databaseMs: Number(later?.[0]) }
  }

  /** Begins a unit that waits for nobody's turn. */
  beginAside(): void {
    this.#start()
  }

  #start(): void {
    this.#failure = undefined
    this.#wrote = false
    this.#send(BEGIN)
  }

  /** Sends a statement; a write that answers with nothing is not waited for. */
  run<Row>(statement: PostgresStatement, values: Values): Row[] | Promise<Row[]> {
    const { name, text, binds, read, isWrite } = statement
    if (isWrite) this.#wrote = true
    const bound = binds.map((bind) => bind(values))
    const query = { name, text, values: isWrite ? bound : bound.map(findable) }
    if (read !== null) return this.ask(query).then((rows) => rows.map((row) => read(row) as Row))
    this.#send(query)
    return []
  }

  /** Sends a statement that may be a write, and waits for what came of it. */
  askWriting(query: { name: string; text: string; values?: unknown[] }): Promise<unknown[][]> {
    if (!query.text.startsWith('select')) this.#wrote = true
    return this.ask(query)
  }

  /** Sends a write that is none of the prepared ones. */
  write(query: { name: string; text: string; values: unknown[] }): void {
    this.#wrote = true
    this.#send(query)
  }

  /**
   * Ends the unit.
   *
   * @returns 'unknown' if the answer was lost, or if the unit is kept here and nobody knows whether a standby has it.
   * @throws (rejects) what went wrong with any of its statements: then nothing is kept.
   */
  async commit(): Promise<Committed> {
    this.#warnings = []
    let command: string
    try {
      command = (await this.client.query('COMMIT')).command
    } catch (error) {
      await this.#sent
      const failure = this.#failure ?? error
      if (!isConnectionLost(failure)) throw failure
      return 'unknown'
    }
    await this.#sent
    if (command !== 'COMMIT') throw this.#failure ?? new Error('the database undid a unit of work')
    return this.#warnings.some((code) => NOT_ON_STANDBY.has(code)) ? 'unknown' : 'kept'
  }

  /** @returns false if the connection is of no use any more. */
  async rollback(): Promise<boolean> {
    return this.client.query('ROLLBACK').then(
      () => true,
      () => false,
    )
  }

  /** Sends a statement that is none of the prepared ones, and waits for its rows. */
  async ask(query: { name: string; text: string; values?: unknown[] }): Promise<unknown[][]> {
    try {
      return (await this.client.query({ ...query, rowMode: 'array' })).rows
    } catch (error) {
      // After a first failure the server refuses everything else: what went wrong is what went wrong first.
      this.#failure ??= error
      throw this.#failure
    }
  }

  #send(query: string | { name: string; text: string; values: unknown[] }): void {
    this.#sent = this.client.query(query).then(undefined, (error: unknown) => {
      this.#failure ??= error
    })
  }
}

/** No text here can hold a NUL, so nothing equals one that does: it is asked for as what nobody can have stored. */
function findable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uffff') : value
}

/** Waits for every one of several answers, so that none of them fails unheard; throws the first failure. */
async function all<T extends readonly Promise<unknown>[]>(
  answers: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(answers)
  for (const answer of settled) if (answer.status === 'rejected') throw answer.reason
  return (await Promise.all(answers)) as { -readonly [K in keyof T]: Awaited<T[K]> }
}
