import type { KeyObject } from 'node:crypto'
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import Database, { type Database as Connection } from 'better-sqlite3'
import { LRUCache } from 'lru-cache'
import type { Cell, CellName, Cells } from '../ports/cells.ts'
import type { EpochKeys } from '../ports/epoch-keys.ts'
import { rotationOf } from './cell-rotation.ts'
import { type CellRow, cacheKey, lookupOf, makeCell, openRow } from './cell-row.ts'
import { WRAPPED_BYTES } from './cell-wrap.ts'
import { openKekFile } from './kek-file.ts'
import { KeyFileError } from './key-file.ts'
import { countDestruction, prepareKeyStoreMark, readKeyStoreMark } from './key-store-mark.ts'

export type CellStoreOptions = {
  /** The file of wrapped cell keys. */
  file: string
  /** The file of the keys that wrap them; kept apart, because it is in no backup. */
  kekFile: string
  /** Who holds those keys, where it is not that file; told whether it may make the first. */
  openKeks?: (mayCreate: boolean) => EpochKeys
  /** When the first key-encryption key is made, if it is. Unix milliseconds. */
  nowMs: number
  /** False once anything can be sealed: a store that is not there then was lost, and nothing would ever be opened again. */
  mayCreate?: boolean
  /** Cells kept open in memory. */
  cacheMax?: number
}

const DAY_MS = 86_400_000

type Wanted = { name: CellName; answer: PromiseWithResolvers<Cell> }
type WantedNew = { expiryDays: readonly number[]; answer: PromiseWithResolvers<Cell[]> }

/** Every pragma relied on; deleted keys are overwritten with zeroes in the file. */
function openCellFile(file: string): Connection {
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  // A leaf may be sealed under a key as soon as it is answered: a power cut must not lose that key.
  db.pragma('synchronous = FULL')
  db.pragma('secure_delete = ON')
  // Rows are added at the end only, so a wrapped key stays where it was first written until it is overwritten.
  db.exec(`CREATE TABLE IF NOT EXISTS cells (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cell_id TEXT NOT NULL UNIQUE,
    lookup BLOB UNIQUE CHECK (length(lookup) = 32),
    expiry_day INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    wrapped BLOB NOT NULL CHECK (length(wrapped) = ${WRAPPED_BYTES})
  ) STRICT`)
  db.exec('CREATE INDEX IF NOT EXISTS cells_by_epoch ON cells (epoch)')
  db.exec('CREATE INDEX IF NOT EXISTS cells_by_expiry ON cells (expiry_day)')
  prepareKeyStoreMark(db)
  return db
}

function prepareCells(db: Connection) {
  return {
    byLookup: db.prepare<[Buffer], CellRow>(
      'SELECT cell_id AS cellId, epoch, wrapped FROM cells WHERE lookup = ?',
    ),
    byId: db.prepare<[string], CellRow>(
      'SELECT cell_id AS cellId, epoch, wrapped FROM cells WHERE cell_id = ?',
    ),
    insert: db.prepare<[string, Buffer | null, number, number, Buffer]>(
      'INSERT INTO cells (cell_id, lookup, expiry_day, epoch, wrapped) VALUES (?, ?, ?, ?, ?)',
    ),
    unname: db.prepare<[string]>('UPDATE cells SET lookup = NULL WHERE cell_id = ?'),
    expiry: db.prepare<[string], { expiryDay: number }>(
      'SELECT expiry_day AS expiryDay FROM cells WHERE cell_id = ?',
    ),
    expired: db.prepare<[number, number], { cellId: string }>(
      'SELECT cell_id AS cellId FROM cells WHERE expiry_day < ? AND lookup IS NOT NULL ORDER BY expiry_day LIMIT ?',
    ),
    remove: db.prepare<[string], { expiryDay: number }>(
      'DELETE FROM cells WHERE cell_id = ? RETURNING expiry_day AS expiryDay',
    ),
  }
}

/**
 * Opens the key store of cell keys: an own file, apart from the database. One process owns it.
 *
 * @throws KeyFileError when the key-encryption keys are missing, broken or open to other users.
 */
export function openCellStore(options: CellStoreOptions): Cells {
  if (options.mayCreate === false && !existsSync(options.file)) {
    throw new KeyFileError(
      'private_key_missing',
      `${options.file} is missing, and with it the keys of all that is sealed: restore it from a backup`,
    )
  }
  const db = openCellFile(options.file)
  const isEmpty = db.prepare('SELECT 1 FROM cells LIMIT 1').get() === undefined
  let keks: EpochKeys
  try {
    keks = options.openKeks?.(isEmpty) ?? openKekFile(options.kekFile, isEmpty, options.nowMs)
  } catch (error) {
    db.close()
    throw error
  }
  const statements = prepareCells(db)

  const nameOf = new Map<string, string>()
  const cache = new LRUCache<string, Cell>({
    max: options.cacheMax ?? 200_000,
    dispose: (cell) => nameOf.delete(cell.cellId),
  })
  const wanted = new Map<string, Wanted>()
  const wantedNew: WantedNew[] = []
  let closed = false

  function findOrMake(name: CellName): Cell {
    const lookup = lookupOf(keks.current().lookupKey, name)
    const row = statements.byLookup.get(lookup)
    const found = row && openRow(keks.current(), row)
    if (row && found) return { cellId: row.cellId, key: found }
    // A cell whose epoch is gone gives up its name but stays, in case only the wrong key file was put in place.
    if (row) statements.unname.run(row.cellId)
    const made = makeCell(keks.current())
    statements.insert.run(made.row.cellId, lookup, name.expiryDay, made.row.epoch, made.row.wrapped)
    return made.cell
  }

  function makeOne(expiryDay: number): Cell {
    const made = makeCell(keks.current())
    statements.insert.run(made.row.cellId, null, expiryDay, made.row.epoch, made.row.wrapped)
    return made.cell
  }

  const findOrMakeAll = db.transaction((names: CellName[], makings: WantedNew[]) => ({
    found: names.map(findOrMake),
    made: makings.map(({ expiryDays }) => expiryDays.map(makeOne)),
  }))
  const unnameAll = db.transaction((cellIds: readonly string[]) => {
    for (const cellId of cellIds) statements.unname.run(cellId)
  })
  const removeAll = db.transaction((cellIds: readonly string[], why: 'erased' | 'expired') => {
    const today = Math.floor(Date.now() / DAY_MS)
    let erased = 0
    for (const cellId of cellIds) {
      // What had expired anyway is swept again out of any copy; only what was erased must never come back.
      const expiryDay = statements.remove.get(cellId)?.expiryDay
      if (expiryDay !== undefined && expiryDay >= today) erased += 1
    }
    if (erased > 0 && why === 'erased') countDestruction(db)
  })

  /** Answers everything wanted since the last turn with one commit. */
  function answerWanted(): void {
    const batch = [...wanted]
    const makings = wantedNew.splice(0)
    wanted.clear()
    if (batch.length + makings.length === 0) return
    try {
      const { found, made } = findOrMakeAll.immediate(
        batch.map(([, { name }]) => name),
        makings,
      )
      makings.forEach(({ answer }, i) => {
        answer.resolve(made[i] as Cell[])
      })
      batch.forEach(([key, { answer }], i) => {
        const cell = found[i] as Cell
        cache.set(key, cell)
        nameOf.set(cell.cellId, key)
        answer.resolve(cell)
      })
    } catch (error) {
      for (const { answer } of [...batch.map(([, one]) => one), ...makings]) answer.reject(error)
    }
  }

  function wantNew(expiryDays: readonly number[]): Promise<Cell[]> {
    if (closed) return Promise.reject(new Error('the cell store is closed'))
    if (wanted.size + wantedNew.length === 0) setImmediate(answerWanted)
    const answer = Promise.withResolvers<Cell[]>()
    wantedNew.push({ expiryDays, answer })
    return answer.promise
  }

  function want(name: CellName): Promise<Cell> {
    if (closed) return Promise.reject(new Error('the cell store is closed'))
    const key = cacheKey(name)
    const already = wanted.get(key)
    if (already) return already.answer.promise
    if (wanted.size + wantedNew.length === 0) setImmediate(answerWanted)
    const answer = Promise.withResolvers<Cell>()
    wanted.set(key, { name, answer })
    return answer.promise
  }

  const peek = (name: CellName) => cache.get(cacheKey(name))
  return {
    peek,
    ensure: (names) => Promise.all(names.map((name) => peek(name) ?? want(name))),
    make: wantNew,
    async find(cellId) {
      const name = nameOf.get(cellId)
      const cached = name === undefined ? undefined : cache.get(name)
      if (cached) return cached.key
      const row = statements.byId.get(cellId)
      return row && openRow(keks.current(), row)
    },
    async findAll(cellIds) {
      const keys = new Map<string, KeyObject>()
      for (const cellId of cellIds) {
        const row = statements.byId.get(cellId)
        const key = row && openRow(keks.current(), row)
        if (key) keys.set(cellId, key)
      }
      return keys
    },
    async has(name) {
      return statements.byLookup.get(lookupOf(keks.current().lookupKey, name)) !== undefined
    },
    async named(names) {
      const { lookupKey } = keks.current()
      return names.flatMap((name) => statements.byLookup.get(lookupOf(lookupKey, name))?.cellId ?? [])
    },
    async unname(cellIds) {
      for (const cellId of cellIds) cache.delete(nameOf.get(cellId) ?? '')
      unnameAll.immediate(cellIds)
    },
    async expiryDays(cellIds) {
      return new Map(
        cellIds.flatMap((cellId) => {
          const row = statements.expiry.get(cellId)
          return row ? [[cellId, row.expiryDay] as const] : []
        }),
      )
    },
    async destroyExpired(beforeDay, limit) {
      const cellIds = statements.expired.all(beforeDay, limit).map(({ cellId }) => cellId)
      for (const cellId of cellIds) cache.delete(nameOf.get(cellId) ?? '')
      removeAll.immediate(cellIds, 'expired')
      if (cellIds.length > 0) db.pragma('wal_checkpoint(TRUNCATE)')
      return cellIds.length
    },
    async destroy(cellIds, why = 'erased') {
      for (const cellId of cellIds) cache.delete(nameOf.get(cellId) ?? '')
      removeAll.immediate(cellIds, why)
      // Until then the wrapped keys would still stand in the write-ahead log.
      db.pragma('wal_checkpoint(TRUNCATE)')
    },
    mark: async () => readKeyStoreMark(db),
    rotation: rotationOf(db, keks),
    async close() {
      if (closed) return
      closed = true
      answerWanted()
      cache.clear()
      db.close()
    },
  }
}
