import type { Database } from 'better-sqlite3'

/** Thrown when a transaction's work awaited anything but the store, and by its `tx` ever after. */
export class TransactionMisuse extends Error {
  override name = 'TransactionMisuse'
}

/** One unit of work: open while its own savepoint is the innermost one, dead for ever afterwards. */
export class Unit {
  #open = true
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  check(): void {
    if (!this.#open) {
      throw new TransactionMisuse('used after its transaction ended or awaited something outside the store')
    }
    // Work that swallowed the error of a full disk would go on writing, each statement kept on its own.
    if (!this.#db.inTransaction) throw new Error('the engine rolled this transaction back')
  }

  close(): void {
    this.#open = false
  }
}

/** What the writer keeps in memory about the database, such as the Merkle edge. Must be a cheap immutable value. */
export type Memory<M> = { load(): M; current: M }

type Queued = {
  work(unit: Unit): Promise<unknown>
  resolve(value: unknown): void
  reject(reason: unknown): void
}

type Statement = { run(): unknown }

/**
 * Owns one private connection. All work queued in one event-loop turn runs one after another inside one
 * BEGIN IMMEDIATE..COMMIT, each in its own savepoint; nobody learns an outcome before COMMIT returned.
 *
 * A batch never spans two turns: its statements are synchronous, so the work only ever yields to microtasks.
 * Once the microtasks are drained and the batch is still open, the running unit waits for something else.
 */
export class GroupCommitWriter<M> {
  #queue: Queued[] = []
  #scheduled = false
  #abandon: ((reason: Error) => void) | undefined
  readonly #db: Database
  readonly #memory: Memory<M>
  readonly #maxBatch: number
  readonly #statement: Record<'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'undo', Statement>

  constructor(db: Database, memory: Memory<M>, maxBatch = 64) {
    this.#db = db
    this.#memory = memory
    this.#maxBatch = maxBatch
    this.#statement = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      savepoint: db.prepare('SAVEPOINT unit'),
      release: db.prepare('RELEASE unit'),
      undo: db.prepare('ROLLBACK TO unit'),
    }
  }

  run<T>(work: (unit: Unit) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => void this.#flush())
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, this.#maxBatch)
    const outcomes: (() => void)[] = []
    try {
      this.#statement.begin.run()
      this.#watchForForeignAwait()
      for (const queued of batch) outcomes.push(await this.#runUnit(queued))
      this.#abandon = undefined
      this.#statement.commit.run()
    } catch (error) {
      // If ROLLBACK or the reload throws as well, the rejection is unhandled and the process ends: fail stop.
      this.#abandon = undefined
      if (this.#db.inTransaction) this.#statement.rollback.run()
      this.#memory.current = this.#memory.load()
      outcomes.length = 0
      for (const queued of batch) outcomes.push(() => queued.reject(error))
    }
    this.#scheduled = false
    if (this.#queue.length > 0) this.#schedule()
    for (const tell of outcomes) tell()
  }

  async #runUnit(queued: Queued): Promise<() => void> {
    const unit = new Unit(this.#db)
    const memoryBefore = this.#memory.current
    this.#statement.savepoint.run()
    try {
      const value = await new Promise<unknown>((resolve, reject) => {
        this.#abandon = reject
        queued.work(unit).then(resolve, reject)
      })
      unit.close()
      this.#statement.release.run()
      return () => queued.resolve(value)
    } catch (error) {
      unit.close()
      // The engine rolled everything back by itself: disk full, I/O error.
      if (!this.#db.inTransaction) throw error
      this.#statement.undo.run()
      this.#statement.release.run()
      this.#memory.current = memoryBefore
      return () => queued.reject(error)
    }
  }

  /** process.nextTick called from a microtask runs once no microtask is left, before any timer or I/O. */
  #watchForForeignAwait(): void {
    queueMicrotask(() =>
      process.nextTick(() => {
        if (!this.#abandon) return
        this.#abandon(new TransactionMisuse('the work awaited something outside the store'))
        this.#watchForForeignAwait()
      }),
    )
  }
}
