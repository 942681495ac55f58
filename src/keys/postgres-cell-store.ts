import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Pool } from 'pg'
import type { Cell, CellName, Cells } from '../ports/cells.ts'
import type { EpochKeySet, EpochKeys } from '../ports/epoch-keys.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type CellRow, cacheKey, lookupOf, makeCell, openRow } from './cell-row.ts'
import { openKekFile } from './kek-file.ts'
import { ask, older, prepareKeyStore } from './postgres-key-store.ts'
import { openSharedRotation } from './postgres-rotation.ts'

export type PostgresCellOptions = {
  /** A database of its own, never the one whose contents are sealed; may hold a password, and no error shows it. */
  readonly url: string
  /** The file of the keys that wrap the cells: the same on every node, and in no backup. */
  readonly kekFile: string
  /** Who holds those keys, where it is not that file; told whether it may make the first. */
  readonly openKeks?: (mayCreate: boolean) => EpochKeys
  /** How often it is told which epochs this process holds, in milliseconds. */
  readonly tellEveryMs?: number
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
    const openKeks =
      options.openKeks ?? ((mayCreate) => openKekFile(options.kekFile, mayCreate, options.nowMs()))
    const keks = await prepareKeyStore(pool, { ...options, openKeks })
    return await cellsOf(pool, options, keks)
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function cellsOf(pool: Pool, options: PostgresCellOptions, keks: EpochKeys): Promise<Cells> {
  const { cacheMax = 200_000, monotonicMs = () => performance.now() } = options
  const { rotation, begunEpoch, close: closeRotation } = await openSharedRotation(pool, options, keks)
  const cache = new LRUCache<string, { cell: Cell; untilMs: number }>({ max: cacheMax })
  const wanted = new Map<string, Wanted>()
  let closed: Promise<void> | undefined

  const peek = (name: CellName): Cell | undefined => {
    const known = cache.get(cacheKey(name))
    return known && monotonicMs() < known.untilMs ? known.cell : undefined
  }

  /** Keys of epochs that are newer than ours come from a file that was put in place since: it is read again. */
  async function keysFor(epochs: readonly number[]): Promise<EpochKeySet> {
    const newest = Math.max(0, ...epochs)
    if (newest <= keks.current().newestEpoch) return keks.current()
    const again = await keks.reread()
    if (newest > again.newestEpoch) throw older(options.kekFile)
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
      const keys = await keysFor(rows.map(({ epoch }) => epoch))
      const lost: CellRow[] = []
      for (const row of rows) {
        const key = openRow(keys, toRow(row))
        if (key) found.set(row.lookup.toString('hex'), { cellId: row.cell_id, key })
        else lost.push(toRow(row))
      }
      return lost
    }
    const lost = await openFound()
    // A cell whose epoch is gone gives up its name but stays, in case only the wrong key file was put in place.
    if (lost.length > 0) {
      await ask(
        pool,
        `update cells set lookup = null from unnest($1::text[], $2::integer[]) as lost (cell_id, epoch)
         where cells.cell_id = lost.cell_id and cells.epoch = lost.epoch`,
        [lost.map(({ cellId }) => cellId), lost.map(({ epoch }) => epoch)],
      )
      // One that was wrapped anew in the moment between is not lost.
      await openFound()
    }
    for (let tries = 0; tries < 2; tries += 1) {
      const epoch = await begunEpoch(tries > 0)
      const keys = await keysFor([epoch])
      const missing = names.flatMap((name, i) => {
        const lookup = lookups[i]
        return lookup && !found.has(lookup.toString('hex'))
          ? [{ name, lookup, ...makeCell(keys, epoch) }]
          : []
      })
      if (missing.length === 0) break
      const made = await ask<{ cell_id: string }>(
        pool,
        // Nothing is wrapped in an epoch that has given way to another: nobody would wrap it anew.
        `with store as (select epoch from key_store where epoch = $4::integer for share)
         insert into cells (cell_id, lookup, expiry_day, epoch, wrapped)
         select made.cell_id, made.lookup, made.expiry_day, store.epoch, made.wrapped
         from store cross join unnest($1::text[], $2::bytea[], $3::bigint[], $5::bytea[])
           as made (cell_id, lookup, expiry_day, wrapped)
         on conflict (lookup) do nothing returning cell_id`,
        [
          missing.map(({ row }) => row.cellId),
          missing.map(({ lookup }) => lookup),
          missing.map(({ name }) => name.expiryDay),
          epoch,
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
    if (expiryDays.length === 0) return []
    for (let tries = 0; tries < 2; tries += 1) {
      const epoch = await begunEpoch(tries > 0)
      const keys = await keysFor([epoch])
      const made = expiryDays.map((expiryDay) => ({ expiryDay, ...makeCell(keys, epoch) }))
      const kept = await ask<{ cell_id: string }>(
        pool,
        `with store as (select epoch from key_store where epoch = $3::integer for share)
         insert into cells (cell_id, lookup, expiry_day, epoch, wrapped)
         select made.cell_id, null, made.expiry_day, store.epoch, made.wrapped
         from store cross join unnest($1::text[], $2::bigint[], $4::bytea[]) as made (cell_id, expiry_day, wrapped)
         returning cell_id`,
        [
          made.map(({ row }) => row.cellId),
          made.map(({ expiryDay }) => expiryDay),
          epoch,
          made.map(({ row }) => row.wrapped),
        ],
      )
      if (kept.length === made.length) return made.map(({ cell }) => cell)
    }
    throw new StoreUnavailable('busy')
  }

  async function findThem(cellIds: readonly string[]): Promise<Map<string, KeyObject>> {
    const keys = new Map<string, KeyObject>()
    for (let from = 0; from < cellIds.length; from += FOUND_AT_ONCE) {
      const ended = await openSome(cellIds.slice(from, from + FOUND_AT_ONCE), keys)
      // Epochs may have ended in the moment between: what they wrapped was wrapped anew before.
      if (ended.length > 0) await openSome(ended, keys)
    }
    return keys
  }

  /** @returns those that are there and were wrapped in an epoch that is gone. */
  async function openSome(cellIds: readonly string[], keys: Map<string, KeyObject>): Promise<string[]> {
    const rows = await ask<Stored>(
      pool,
      'select cell_id, lookup, epoch, wrapped from cells where cell_id = any($1::text[])',
      [cellIds],
    )
    const known = await keysFor(rows.map(({ epoch }) => epoch))
    const ended: string[] = []
    for (const row of rows) {
      const key = openRow(known, toRow(row))
      if (key) keys.set(row.cell_id, key)
      else if (!known.living.has(row.epoch)) ended.push(row.cell_id)
    }
    return ended
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

  function forget(cellIds: readonly string[]): void {
    const gone = new Set(cellIds)
    for (const [key, { cell }] of cache.entries()) if (gone.has(cell.cellId)) cache.delete(key)
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
      return (await findThem([cellId])).get(cellId)
    },
    findAll: findThem,
    async has(name) {
      const rows = await ask<{ cell_id: string }>(pool, 'select cell_id from cells where lookup = $1', [
        lookupOf(keks.current().lookupKey, name),
      ])
      return rows.length > 0
    },
    async named(names) {
      const { lookupKey } = keks.current()
      const found: string[] = []
      for (let from = 0; from < names.length; from += FOUND_AT_ONCE) {
        const lookups = names.slice(from, from + FOUND_AT_ONCE).map((name) => lookupOf(lookupKey, name))
        const text = 'select cell_id from cells where lookup = any($1::bytea[])'
        for (const row of await ask<{ cell_id: string }>(pool, text, [lookups])) found.push(row.cell_id)
      }
      return found
    },
    async unname(cellIds) {
      forget(cellIds)
      await ask(pool, 'update cells set lookup = null where cell_id = any($1::text[])', [cellIds])
    },
    async expiryDays(cellIds) {
      const rows = await ask<{ cell_id: string; expiry_day: string }>(
        pool,
        'select cell_id, expiry_day from cells where cell_id = any($1::text[])',
        [cellIds],
      )
      return new Map(rows.map((row) => [row.cell_id, Number(row.expiry_day)]))
    },
    async destroyExpired(beforeDay, limit) {
      const rows = await ask<{ cell_id: string }>(
        pool,
        `delete from cells where cell_id in
           (select cell_id from cells where expiry_day < $1 and lookup is not null order by expiry_day limit $2 for update skip locked)
         returning cell_id`,
        [beforeDay, limit],
      )
      forget(rows.map((row) => row.cell_id))
      return rows.length
    },
    async destroy(cellIds, why = 'erased') {
      forget(cellIds)
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
    rotation,
    async mark() {
      const [row] = await ask<{ id: string; generation: string }>(
        pool,
        'select id, generation from key_store',
      )
      if (!row) throw new Error('a key store without its mark')
      return { id: row.id, generation: Number(row.generation) }
    },
    close() {
      closed ??= answerWanted()
        .then(closeRotation)
        .then(() => pool.end())
      return closed
    },
  }
}

function toRow({ cell_id: cellId, epoch, wrapped }: Stored): CellRow {
  return { cellId, epoch, wrapped }
}
