import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Pool } from 'pg'
import type { Cell, CellName, Cells } from '../ports/cells.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type CellRow, cacheKey, lookupOf, makeCell, openRow } from './cell-row.ts'
import { type KeyEncryptionKeys, openKekFile } from './kek-file.ts'
import { KeyFileError } from './key-file.ts'
import { ask, prepareKeyStore } from './postgres-key-store.ts'

export type PostgresCellOptions = {
  /** A database of its own, never the one whose contents are sealed; may hold a password, and no error shows it. */
  readonly url: string
  /** The file of the keys that wrap the cells: the same on every node, and in no backup. */
  readonly kekFile: string
  /** Unix milliseconds. */
  readonly nowMs: () => number
  /** False once anything can be sealed: an empty key store was lost then. */
  readonly mayCreate: boolean
  readonly cacheMax?: number
  readonly monotonicMs?: () => number
}

const DAY_MS = 86_400_000
const WITHIN_MS = 3_000
/** Cells looked up with one question. */
const FOUND_AT_ONCE = 1_000
/**
 * A cell that another node destroyed may still be sealed under here for so long; what is, nobody can open. Nothing is
 * opened from memory: whether a key is still there is looked up each time.
 */
const SEALED_UNDER_MOST_MS = 10_000

type Stored = { cell_id: string; lookup: Buffer; epoch: number; wrapped: Buffer }
type Wanted = { name: CellName; answer: PromiseWithResolvers<Cell> }

/**
 * Opens the key store of cell keys in a PostgreSQL database that several nodes share.
 *
 * What is deleted there stays in its pages and its write-ahead log for a while: wrapped, and of no use to anybody once the
 * epoch of the key that wrapped it is destroyed.
 *
 * @throws (rejects) KeyFileError when the key-encryption keys are missing, broken, open to other users, or not those of
 *   the other nodes; StoreUnavailable if the database does not answer.
 */
export async function openPostgresCellStore(options: PostgresCellOptions): Promise<Cells> {
  const pool = new Pool({
    connectionString: options.url,
    max: 4,
    connectionTimeoutMillis: WITHIN_MS,
    statement_timeout: WITHIN_MS,
    query_timeout: WITHIN_MS,
    idle_in_transaction_session_timeout: WITHIN_MS,
    keepAlive: true,
    application_name: 'countersign-keys',
    // A leaf may be sealed under a key as soon as it is answered: a power cut must not lose that key.
    options: '-c synchronous_commit=on',
  })
  // A connection that ends, in use or not, is told by the next statement.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  try {
    let keks = await prepareKeyStore(pool, options)
    return cellsOf(pool, options, {
      current: () => keks,
      reread: () => {
        keks = openKekFile(options.kekFile, false, options.nowMs())
        return keks
      },
    })
  } catch (error) {
    await pool.end()
    throw error
  }
}

type Keks = { current(): KeyEncryptionKeys; reread(): KeyEncryptionKeys }

function cellsOf(pool: Pool, options: PostgresCellOptions, keks: Keks): Cells {
  const { cacheMax = 200_000, monotonicMs = () => performance.now() } = options
  const cache = new LRUCache<string, { cell: Cell; untilMs: number }>({ max: cacheMax })
  const wanted = new Map<string, Wanted>()
  let closed: Promise<void> | undefined

  const peek = (name: CellName): Cell | undefined => {
    const known = cache.get(cacheKey(name))
    return known && monotonicMs() < known.untilMs ? known.cell : undefined
  }

  /** Keys of epochs that are newer than our file come from a file that was put in place since: it is read again. */
  function keysFor(rows: readonly CellRow[]): KeyEncryptionKeys {
    const newest = Math.max(0, ...rows.map(({ epoch }) => epoch))
    if (newest <= keks.current().newestEpoch) return keks.current()
    const again = keks.reread()
    if (newest > again.newestEpoch)
      throw new KeyFileError(
        'keys_differ',
        `${options.kekFile} is older than the key store: put the newest in place`,
      )
    return again
  }

  async function findOrMake(names: readonly CellName[]): Promise<Cell[]> {
    const { lookupKey } = keks.current()
    const lookups = names.map((name) => lookupOf(lookupKey, name))
    const found = new Map<string, Cell>()
    const openFound = async () => {
      const rows = await ask<Stored>(
        pool,
        'select cell_id, lookup, epoch, wrapped from cells where lookup = any($1::bytea[])',
        [lookups],
      )
      const keys = keysFor(rows.map(toRow))
      const lost: string[] = []
      for (const row of rows) {
        const key = openRow(keys, toRow(row))
        if (key) found.set(row.lookup.toString('hex'), { cellId: row.cell_id, key })
        else lost.push(row.cell_id)
      }
      return lost
    }
    const lost = await openFound()
    // A cell whose epoch is gone gives up its name but stays, in case only the wrong key file was put in place.
    if (lost.length > 0)
      await ask(pool, 'update cells set lookup = null where cell_id = any($1::text[])', [lost])
    const missing = names.flatMap((name, i) => {
      const lookup = lookups[i]
      return lookup && !found.has(lookup.toString('hex'))
        ? [{ name, lookup, ...makeCell(keks.current()) }]
        : []
    })
    if (missing.length > 0) {
      const made = await ask<{ cell_id: string }>(
        pool,
        `insert into cells (cell_id, lookup, expiry_day, epoch, wrapped)
         select * from unnest($1::text[], $2::bytea[], $3::bigint[], $4::integer[], $5::bytea[])
         on conflict (lookup) do nothing returning cell_id`,
        [
          missing.map(({ row }) => row.cellId),
          missing.map(({ lookup }) => lookup),
          missing.map(({ name }) => name.expiryDay),
          missing.map(({ row }) => row.epoch),
          missing.map(({ row }) => row.wrapped),
        ],
      )
      const kept = new Set(made.map((row) => row.cell_id))
      for (const { lookup, cell } of missing)
        if (kept.has(cell.cellId)) found.set(lookup.toString('hex'), cell)
      // Another node made it in the same moment: its key is the one.
      if (kept.size < missing.length) await openFound()
    }
    return lookups.map((lookup) => {
      const cell = found.get(lookup.toString('hex'))
      // Destroyed in the moment between: whoever asked may ask again.
      if (!cell) throw new StoreUnavailable('busy')
      return cell
    })
  }

  async function makeAll(expiryDays: readonly number[]): Promise<Cell[]> {
    if (closed) throw new Error('the cell store is closed')
    const made = expiryDays.map((expiryDay) => ({ expiryDay, ...makeCell(keks.current()) }))
    if (made.length > 0)
      await ask(
        pool,
        `insert into cells (cell_id, lookup, expiry_day, epoch, wrapped)
         select cell_id, null, expiry_day, epoch, wrapped
         from unnest($1::text[], $2::bigint[], $3::integer[], $4::bytea[]) as made (cell_id, expiry_day, epoch, wrapped)`,
        [
          made.map(({ row }) => row.cellId),
          made.map(({ expiryDay }) => expiryDay),
          made.map(({ row }) => row.epoch),
          made.map(({ row }) => row.wrapped),
        ],
      )
    return made.map(({ cell }) => cell)
  }

  /** Answers everything wanted since the last turn with one question. */
  async function answerWanted(): Promise<void> {
    const batch = [...wanted]
    wanted.clear()
    const untilMs = monotonicMs() + SEALED_UNDER_MOST_MS
    try {
      const cells = await findOrMake(batch.map(([, { name }]) => name))
      batch.forEach(([key, { answer }], i) => {
        const cell = cells[i] as Cell
        cache.set(key, { cell, untilMs })
        answer.resolve(cell)
      })
    } catch (error) {
      for (const [, { answer }] of batch) answer.reject(error)
    }
  }

  function want(name: CellName): Promise<Cell> {
    if (closed) return Promise.reject(new Error('the cell store is closed'))
    const key = cacheKey(name)
    const already = wanted.get(key)
    if (already) return already.answer.promise
    if (wanted.size === 0) setImmediate(() => void answerWanted())
    const answer = Promise.withResolvers<Cell>()
    wanted.set(key, { name, answer })
    return answer.promise
  }

  return {
    peek,
    ensure: (names) => Promise.all(names.map((name) => peek(name) ?? want(name))),
    make: makeAll,
    async find(cellId) {
      const [row] = await ask<Stored>(
        pool,
        'select cell_id, lookup, epoch, wrapped from cells where cell_id = $1',
        [cellId],
      )
      return row && openRow(keysFor([toRow(row)]), toRow(row))
    },
    async findAll(cellIds) {
      const keys = new Map<string, KeyObject>()
      for (let at = 0; at < cellIds.length; at += FOUND_AT_ONCE) {
        const rows = await ask<Stored>(
          pool,
          'select cell_id, lookup, epoch, wrapped from cells where cell_id = any($1::text[])',
          [cellIds.slice(at, at + FOUND_AT_ONCE)],
        )
        const living = keysFor(rows.map(toRow))
        for (const row of rows) {
          const key = openRow(living, toRow(row))
          if (key) keys.set(row.cell_id, key)
        }
      }
      return keys
    },
    async has(name) {
      const rows = await ask<{ cell_id: string }>(pool, 'select cell_id from cells where lookup = $1', [
        lookupOf(keks.current().lookupKey, name),
      ])
      return rows.length > 0
    },
    async destroy(cellIds, why = 'erased') {
      const gone = new Set(cellIds)
      for (const [key, { cell }] of cache.entries()) if (gone.has(cell.cellId)) cache.delete(key)
      const today = Math.floor(options.nowMs() / DAY_MS)
      // What had expired anyway is swept again out of any copy; only what was erased must never come back.
      await ask(
        pool,
        `with gone as (delete from cells where cell_id = any($1::text[]) returning expiry_day)
         update key_store set generation = generation + 1
         where $3::boolean and exists (select 1 from gone where expiry_day >= $2::bigint)`,
        [cellIds, today, why === 'erased'],
      )
    },
    async mark() {
      const [row] = await ask<{ id: string; generation: string }>(
        pool,
        'select id, generation from key_store',
      )
      if (!row) throw new Error('a key store without its mark')
      return { id: row.id, generation: Number(row.generation) }
    },
    close() {
      closed ??= answerWanted().then(() => pool.end())
      return closed
    },
  }
}

function toRow({ cell_id: cellId, epoch, wrapped }: Stored): CellRow {
  return { cellId, epoch, wrapped }
}
