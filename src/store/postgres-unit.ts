import type { NewLeaf, Tx } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { TransactionMisuse } from './group-commit-writer.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { queueLeaf } from './postgres-log.ts'
import { queueAccess } from './postgres-queue.ts'
import type { PostgresStatements } from './postgres-statements.ts'
import { UnitTx } from './unit-tx.ts'

/** How long a unit of work may take in all. Whoever waits for all older ones waits no longer than that. */
const UNIT_MS = 5_000

/** One unit of work on one connection: its `tx` is dead when the work has ended, and after its time. */
export class PostgresUnit {
  /** The first leaf it appended, by which it is found again if its commit is in doubt. */
  firstLeaf: NewLeaf | undefined
  #open = true
  readonly #untilMs = performance.now() + UNIT_MS
  readonly #connection: PostgresConnection
  readonly #tx: Tx

  constructor(
    connection: PostgresConnection,
    { dialect, queries }: PostgresStatements,
    clock: { nowMs: number; trusted: boolean },
  ) {
    this.#connection = connection
    this.#tx = new UnitTx({
      run: (query, values) => {
        this.#check()
        return connection.run(dialect.statementOf(query), values)
      },
      queries,
      sequence: (leaf, atMs) => this.#append(leaf, atMs),
      queue: queueAccess((query) => {
        this.#check()
        return connection.askWriting(query)
      }),
      nowMs: clock.nowMs,
      clockTrusted: clock.trusted,
    })
  }

  async do<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await work(this.#tx)
    } finally {
      this.#open = false
    }
  }

  #append(leaf: NewLeaf, atMs: number): void {
    this.#check()
    this.firstLeaf ??= leaf
    queueLeaf(this.#connection, leaf, atMs)
  }

  #check(): void {
    if (!this.#open) throw new TransactionMisuse('used after its transaction ended')
    if (performance.now() > this.#untilMs) throw new StoreUnavailable('busy')
  }
}
