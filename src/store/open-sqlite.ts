import { totalmem } from 'node:os'
import Database, { type Database as Connection, SqliteError } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { appendLeafHash, type Edge, edgeFromTiles, rootOf, TILE_HEIGHT } from '../core/merkle/tree.ts'
import type { NewLeaf, Store, Tx } from '../ports/store.ts'
import { GroupCommitWriter, type Unit } from './group-commit-writer.ts'
import { migrateSqlite } from './migrate-sqlite.ts'
import { type ClockSources, PlatformClock, SYSTEM_CLOCKS } from './platform-clock.ts'
import { makePrivate } from './private-file.ts'
import { prepareQueries, type Queries } from './queries.ts'
import { partValues } from './repositories/log.ts'
import { sqliteTables } from './schema/sqlite.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { UnitTx } from './unit-tx.ts'

export type SqliteOptions = {
  file: string
  migrationsFolder: string
  clocks?: ClockSources
  /** How many units of work one commit may carry. Short batches keep the slowest answers quick. */
  maxBatch?: number
}

/** Statements answer at once on this engine; the types of the port allow both. */
function now<Row>(rows: Row[] | Promise<Row[]>): Row[] {
  if (rows instanceof Promise) throw new TypeError('an embedded statement answered late')
  return rows
}

/** Most memory the writer's pages may take, and the share of the machine's they take at most. */
const CACHE_KIB_MOST = 1_048_576
const CACHE_SHARE = 0.25

/**
 * KiB of pages the writer keeps; they are taken as they are needed. Twenty thousand agents at work touch some 600 MB of
 * a million grants, and a page read again costs more than the statement that reads it.
 */
function pageCacheKib(): number {
  const bytes = process.constrainedMemory() || totalmem()
  return Math.floor(Math.min(CACHE_KIB_MOST, (Math.min(bytes, totalmem()) / 1024) * CACHE_SHARE))
}

/** Every pragma the store relies on, on every connection that writes. */
function openWriter(file: string): Connection {
  makePrivate(file)
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  // A checkpoint may be signed over leaves the moment their commit returns: a power cut must not lose them.
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  // Without it INSERT OR REPLACE deletes rows behind the back of the append-only triggers.
  db.pragma('recursive_triggers = ON')
  // What an erasure removes is overwritten in its pages; the write-ahead log keeps it until its next checkpoint.
  db.pragma('secure_delete = ON')
  // Every unit is a savepoint, and what it would take to undo one spills to a file beyond 64 KiB: 38 writes for
  // each decision, measured, where 4 do.
  db.pragma('temp_store = MEMORY')
  // 80 MB at most: pages that every commit writes again are copied back once for many commits, and the stall that
  // is goes with fewer answers.
  db.pragma('wal_autocheckpoint = 20000')
  db.pragma(`cache_size = -${pageCacheKib()}`)
  return db
}

/** Rebuilds the right edge of the tree from what is stored, reading at most 255 hashes a level. */
function loadEdge(queries: Queries): Edge {
  const newest = now(queries.log.newestLeaf({}))[0]
  return edgeFromTiles(newest ? newest.leafIndex + 1 : 0, (tileLevel, firstIndex, count) =>
    Buffer.concat(
      tileLevel === 0
        ? now(queries.log.leafHashes({ fromIndex: firstIndex, limit: count })).map((row) => row.hash)
        : now(queries.log.nodes({ level: tileLevel * TILE_HEIGHT, fromIndex: firstIndex, limit: count })).map(
            (row) => row.hash,
          ),
    ),
  )
}

/**
 * Opens the embedded store and migrates it. One process owns the file.
 *
 * @throws DatabaseOfOtherVersion; or an Error if the file cannot be opened or a migration fails.
 */
export function openSqliteStore(options: SqliteOptions): Store {
  const writerDb = openWriter(options.file)
  try {
    migrateSqlite(writerDb, options.migrationsFolder)
  } catch (error) {
    writerDb.close()
    throw error
  }
  const drizzled = drizzle(writerDb)
  const queries = prepareQueries({ db: drizzled, t: sqliteTables, d: sqliteDialect(writerDb) })

  const readerDb = new Database(options.file, { readonly: true })
  readerDb.pragma('cache_size = -65536')
  const readerQueries = prepareQueries({ db: drizzle(readerDb), t: sqliteTables, d: sqliteDialect(readerDb) })

  const newest = now(queries.log.newestLeaf({}))[0]
  const clock = new PlatformClock(options.clocks ?? SYSTEM_CLOCKS, newest?.atMs ?? 0)
  const memory = { load: () => loadEdge(queries), current: loadEdge(queries) }
  const writer = new GroupCommitWriter(writerDb, memory, options.maxBatch)
  let durable: Edge = memory.current
  let closed = false

  function sequenceFor(unit: Unit) {
    return (leaf: NewLeaf, atMs: number) => {
      unit.check()
      const leafIndex = memory.current.treeSize
      now(queries.log.insertLeaf({ leafIndex, atMs, ...leaf }))
      const { edge, stored } = appendLeafHash(memory.current, leaf.leafHash)
      for (const { level, nodeIndex, hash } of stored) now(queries.log.insertNode({ level, nodeIndex, hash }))
      memory.current = edge
      const keepParts = queries.log.insertParts[leaf.parts.length - 1]
      if (keepParts) now(keepParts(partValues(leaf)))
    }
  }

  function txOf(unit: Unit): Tx {
    const { nowMs, trusted } = clock.tick()
    return new UnitTx({
      run: (query, values) => {
        unit.check()
        return query(values)
      },
      queries,
      sequence: sequenceFor(unit),
      nowMs,
      clockTrusted: trusted,
    })
  }

  return {
    async transaction(work) {
      // The writer's queue would fail stop on a closed connection; late work is only refused.
      if (closed) throw new Error('the store is closed')
      const { value, edge } = await writer.run(async (unit) => ({
        value: await work(txOf(unit)),
        edge: memory.current,
      }))
      if (edge.treeSize > durable.treeSize) durable = edge
      return value
    },
    read(work) {
      const { nowMs, trusted } = clock.tick()
      return work(
        new UnitTx({
          run: (query, values) => query(values),
          queries: readerQueries,
          sequence: () => {
            throw new Error('the log is written by transactions only')
          },
          nowMs,
          clockTrusted: trusted,
        }),
      )
    },
    // One writer: what is committed is seen by whatever is decided next.
    drained: () => Promise.resolve(),
    async treeHead() {
      return { treeSize: durable.treeSize, rootHash: rootOf(durable) }
    },
    now() {
      const { nowMs, trusted } = clock.tick()
      return { nowMs, clockTrusted: trusted }
    },
    confirmClock: () => clock.confirm(),
    async overwriteRemnants() {
      // Deleted rows are zeroed in the file; until the write-ahead log is emptied they still stand there as they were.
      for (let tries = 0; tries < REMNANT_TRIES && !closed; tries += 1) {
        await writer.run(async () => undefined)
        if (emptyWriteAheadLog(options.file)) return true
        await new Promise((resolve) => setTimeout(resolve, REMNANT_PAUSE_MS))
      }
      return false
    },
    async close() {
      if (closed) return
      closed = true
      // An empty unit is the last in the queue: when it is through, so is everything before it.
      await writer.run(async () => undefined)
      readerDb.close()
      writerDb.pragma('wal_checkpoint(TRUNCATE)')
      writerDb.close()
    },
  }
}

const REMNANT_TRIES = 20
const REMNANT_PAUSE_MS = 25

/** By a connection of its own, which waits for nobody: the writer may be in the middle of a commit. */
function emptyWriteAheadLog(file: string): boolean {
  const db = new Database(file, { timeout: 0 })
  try {
    const [answer] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
    return answer?.busy === 0
  } catch (error) {
    if (error instanceof SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw error
  } finally {
    db.close()
  }
}
