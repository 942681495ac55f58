import type { Database as Connection } from 'better-sqlite3'
import type { EpochKeys } from '../ports/epoch-keys.ts'
import type { KeyRotation } from '../ports/key-rotation.ts'
import { type CellRow, rewrapRows } from './cell-row.ts'

type SequencedRow = CellRow & { seq: number }

/**
 * The rotation of a key store that one process owns: the newest key there is wraps every new cell at once. Cells whose
 * epoch is gone already are left as they are; nothing opens them.
 */
export function rotationOf(db: Connection, keks: EpochKeys): KeyRotation {
  const ofEpoch = db.prepare<[number, number], SequencedRow>(
    'SELECT seq, cell_id AS cellId, epoch, wrapped FROM cells WHERE epoch = ? ORDER BY seq LIMIT ?',
  )
  const count = db.prepare<[number], { count: number }>('SELECT count(*) AS count FROM cells WHERE epoch = ?')
  const write = db.prepare<[number, Buffer, number]>('UPDATE cells SET epoch = ?, wrapped = ? WHERE seq = ?')
  const older = () => {
    const { living, newestEpoch } = keks.current()
    return [...living.keys()].filter((epoch) => epoch < newestEpoch).sort((a, b) => a - b)
  }
  const countOf = (epoch: number) => count.get(epoch)?.count ?? 0

  const rewrapSome = db.transaction((limit: number) => {
    const keys = keks.current()
    let done = 0
    for (const epoch of older()) {
      for (const { seq, ...row } of rewrapRows(keys, ofEpoch.all(epoch, limit - done))) {
        write.run(row.epoch, row.wrapped, seq)
        done += 1
      }
      if (done >= limit) break
    }
    return done
  })

  return {
    async state() {
      const { newestEpoch: epoch, begunAtMs } = keks.current()
      const before = older()
      const remaining = before.reduce((sum, one) => sum + countOf(one), 0)
      return { epoch, begunAtMs: begunAtMs.get(epoch) ?? 0, newest: epoch, older: before, remaining }
    },
    async begin(nowMs) {
      const next = keks.current().newestEpoch + 1
      await keks.begin(next, nowMs)
      return next
    },
    activate: async () => 'active',
    rewrap: async (limit) => rewrapSome.immediate(limit),
    async retire() {
      const unused = older().filter((epoch) => countOf(epoch) === 0)
      // The old wrapped bytes are of no use without their key, and still need not stand in the write-ahead log.
      db.pragma('wal_checkpoint(TRUNCATE)')
      await keks.destroy(unused)
      return unused
    },
  }
}
