import { randomUUID } from 'node:crypto'
import { type Edge, EMPTY_EDGE, rootOf } from '../core/merkle/tree.ts'
import type { Store, Tx, UnitOwner } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type Backoff, pause } from './backoff.ts'
import type { DatabaseClock } from './database-clock.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { goesAgain, isConnectionLost, isUniqueViolation, toStoreError } from './postgres-errors.ts'
import { storedEdge } from './postgres-log.ts'
import type { PostgresPool } from './postgres-pool.ts'
import { queueAccess } from './postgres-queue.ts'
import { type PostgresStatements, postgresStatements } from './postgres-statements.ts'
import { PostgresUnit } from './postgres-unit.ts'
import type { Run } from './repositories/repository.ts'
import type { Turns } from './turns.ts'
import { UnitTx } from './unit-tx.ts'
import { LEAVE_MARK, SWEEP_MARKS, type Trace, wasKept } from './unknown-commit.ts'

const UNKNOWN_WITHIN_MS = 5_000
const DRAIN_WITHIN_MS = 6_000
/** How often work is done again after others were quicker to add the same row, or the connection was lost. */
const AGAIN_MOST = 3
const SWEEP_MARKS_EVERY_MS = 600_000
const MARKS_KEPT_MS = 3_600_000

const SIZE = { name: 'log_size', text: 'select coalesce(max(leaf_index) + 1, 0) from log_leaves' }
const TAKE_ID = { name: 'take_xid', text: 'select pg_current_xact_id()::text' }
const ALL_OLDER_ENDED = {
  name: 'all_older_ended',
  text: 'select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8',
}

export type PostgresParts = {
  readonly writers: PostgresPool
  readonly readers: PostgresPool
  /** For work of the node itself, whose owner's name begins with a colon, and for the head of the tree. */
  readonly keepers: PostgresPool
  readonly clock: DatabaseClock
  readonly turns: Turns
  readonly backoff: Backoff
}

/** What one try came to: a value that is kept, or a failure, and how often such work may be done again. */
type Tried<T> = { value: T } | { error: unknown; tries: number }

export class PostgresStore implements Store {
  readonly #parts: PostgresParts
  readonly #writing: PostgresStatements = postgresStatements(true)
  readonly #reading: PostgresStatements = postgresStatements(false)
  #edge: Edge = EMPTY_EDGE
  #marksSweptAtMs = 0
  #closed = false
  readonly #running = new Set<Promise<unknown>>()

  constructor(parts: PostgresParts) {
    this.#parts = parts
  }

  transaction<T>(work: (tx: Tx) => Promise<T>, { userId = '' }: UnitOwner = {}): Promise<T> {
    return this.#track(() => this.#transact(work, userId))
  }

  async #transact<T>(work: (tx: Tx) => Promise<T>, userId: string): Promise<T> {
    const endTurn = await this.#parts.turns.take(userId)
    try {
      for (let tries = 1; ; tries++) {
        const tried = await this.#try(work, userId)
        if ('value' in tried) return tried.value
        if (tries >= tried.tries) throw toStoreError(tried.error)
        await pause(this.#parts.backoff, tries)
      }
    } finally {
      endTurn()
    }
  }

  read<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#track(() => this.#read(work, this.#parts.readers))
  }

  async #read<T>(work: (tx: Tx) => Promise<T>, pool: PostgresPool): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#look(work, pool)
      } catch (error) {
        // The first connection may be one that a server left behind when it went away.
        if (!isConnectionLost(error) || tries > 1) throw toStoreError(error)
      }
    }
  }

  async drained(): Promise<void> {
    const untilMs = performance.now() + DRAIN_WITHIN_MS
    try {
      // Whatever read before now has an id below this one: ids are taken before anything is read.
      const [[id] = []] = await this.#ask(this.#parts.writers, TAKE_ID)
      for (let tries = 1; performance.now() < untilMs; tries++) {
        const [[ended] = []] = await this.#ask(this.#parts.writers, { ...ALL_OLDER_ENDED, values: [id] })
        if (ended === true) return
        await pause(this.#parts.backoff, Math.min(tries, 3))
      }
    } catch (error) {
      throw new StoreUnavailable('not_drained', { cause: toStoreError(error) })
    }
    throw new StoreUnavailable('not_drained')
  }

  async treeHead() {
    const { keepers } = this.#parts
    const [[size] = []] = await this.#track(() => this.#ask(keepers, SIZE))
    const edge = await this.#track(() =>
      this.#read((tx) => storedEdge(tx, Number(size), this.#edge), keepers),
    )
    if (edge.treeSize > this.#edge.treeSize) this.#edge = edge
    return { treeSize: edge.treeSize, rootHash: rootOf(edge) }
  }

  now() {
    const { nowMs, trusted } = this.#parts.clock.now()
    return { nowMs, clockTrusted: trusted }
  }

  confirmClock(): void {
    this.#parts.clock.confirm()
  }

  async close(): Promise<void> {
    this.#closed = true
    // What began is finished: whoever waits for it is told what became of it.
    await Promise.allSettled(this.#running)
    const { writers, readers, keepers } = this.#parts
    await Promise.all([writers.close(), readers.close(), keepers.close()])
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the store is closed')
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Does the work once. */
  async #try<T>(work: (tx: Tx) => Promise<T>, owner: string): Promise<Tried<T>> {
    const { clock } = this.#parts
    const pool = owner.startsWith(':') ? this.#parts.keepers : this.#parts.writers
    let connection: PostgresConnection
    try {
      connection = await pool.take()
    } catch (error) {
      return { error, tries: 1 }
    }
    let isBroken = false
    let done: { value: T; trace: Trace; xid: string; nowMs: number }
    try {
      const { xid, databaseMs } = await connection.begin(owner)
      const time = clock.at(databaseMs)
      const unit = new PostgresUnit(connection, this.#writing, time)
      const value = await unit.do(work)
      const trace = this.#leaveTrace(connection, unit, time.nowMs)
      const committed = await connection.commit()
      isBroken = committed === 'unknown'
      // What was only looked at is what it was, whatever became of the COMMIT.
      if (!isBroken || trace === null) return { value }
      done = { value, trace, xid, nowMs: time.nowMs }
    } catch (error) {
      isBroken = isConnectionLost(error) || !(await connection.rollback())
      return { error, tries: this.#triesFor(error) }
    } finally {
      pool.giveBack(connection, isBroken)
    }
    return this.#findOut(done)
  }

  /** Whether a unit was kept whose COMMIT nobody answered for. */
  async #findOut<T>(done: { value: T; trace: Trace; xid: string; nowMs: number }): Promise<Tried<T>> {
    const { writers, backoff } = this.#parts
    const newMark = () => ({ id: randomUUID(), atMs: done.nowMs })
    const within = { ms: UNKNOWN_WITHIN_MS, backoff }
    try {
      if (await wasKept(writers, done.trace, done.xid, newMark, within)) return { value: done.value }
      return { error: new StoreUnavailable('unreachable'), tries: AGAIN_MOST }
    } catch (error) {
      return { error, tries: 1 }
    }
  }

  /** What the unit will be known by; null if it changed nothing. A leaf says enough; without one it leaves a mark. */
  #leaveTrace(connection: PostgresConnection, { firstLeaf }: PostgresUnit, nowMs: number): Trace | null {
    if (firstLeaf) return { kind: 'leaf', eventId: firstLeaf.eventId, userId: firstLeaf.userId }
    if (!connection.wrote) return null
    const id = randomUUID()
    connection.write({ ...LEAVE_MARK, values: [id, nowMs] })
    if (Math.abs(nowMs - this.#marksSweptAtMs) > SWEEP_MARKS_EVERY_MS) {
      this.#marksSweptAtMs = nowMs
      connection.write({ ...SWEEP_MARKS, values: [nowMs - MARKS_KEPT_MS] })
    }
    return { kind: 'mark', id }
  }

  #triesFor(error: unknown): number {
    if (goesAgain(error)) return this.#parts.backoff.triesMost
    return isUniqueViolation(error) || isConnectionLost(error) ? AGAIN_MOST : 1
  }

  /** Much that is looked up is known already: the first statement takes a connection, if there is one. */
  async #look<T>(work: (tx: Tx) => Promise<T>, pool: PostgresPool): Promise<T> {
    const { clock } = this.#parts
    const { dialect, queries } = this.#reading
    const { nowMs, trusted } = clock.now()
    let taken: Promise<PostgresConnection> | undefined
    const run: Run = async (query, values) => {
      const statement = dialect.statementOf(query)
      // The server refuses it too, but nobody waits for what it says to a write.
      if (statement.isWrite) throw new Error(`${statement.name} writes: transactions do that`)
      taken ??= pool.take()
      return (await taken).run(statement, values)
    }
    let isBroken = false
    try {
      const queue = queueAccess(async (query) => {
        taken ??= pool.take()
        return (await taken).ask(query)
      })
      return await work(
        new UnitTx({ run, queries, sequence: refuseLeaf, queue, nowMs, clockTrusted: trusted }),
      )
    } catch (error) {
      isBroken = isConnectionLost(error)
      throw error
    } finally {
      const used = await taken?.catch(() => undefined)
      if (used) pool.giveBack(used, isBroken)
    }
  }

  async #ask(pool: PostgresPool, query: { name: string; text: string; values?: unknown[] }) {
    const connection = await pool.take()
    let isBroken = true
    try {
      const rows = await connection.ask(query)
      isBroken = false
      return rows
    } finally {
      pool.giveBack(connection, isBroken)
    }
  }
}

function refuseLeaf(): never {
  throw new Error('the log is written by transactions only')
}
