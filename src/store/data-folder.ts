import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database, { SqliteError } from 'better-sqlite3'
import { z } from 'zod'
import { makePrivate } from './private-file.ts'

const ownerShape = z.object({ pid: z.int(), startedAtMs: z.number() })

/** Thrown when another process owns the data folder; the message says which and since when. */
export class DataFolderBusy extends Error {
  override name = 'DataFolderBusy'
}

/**
 * Makes this process the only owner of a data folder until it releases it or ends, by whatever means.
 *
 * The owner holds an exclusive transaction on a lock file. The operating system drops that lock with the process, so
 * kill -9 leaves nothing to clean up, and a reused process id cannot be mistaken for the owner.
 *
 * @param nowMs What a second start is told as the time of this one. Unix milliseconds.
 * @throws DataFolderBusy if another process owns the folder.
 */
export function claimDataFolder(folder: string, nowMs: number): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lockFile = join(folder, 'owner.lock')
  const ownerFile = join(folder, 'owner.json')
  makePrivate(lockFile)
  const lock = new Database(lockFile, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!(error instanceof SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error
    throw new DataFolderBusy(`the data folder ${folder} is in use by ${describeOwner(ownerFile)}`)
  }
  const beside = `${ownerFile}.new`
  rmSync(beside, { force: true })
  writeFileSync(beside, JSON.stringify({ pid: process.pid, startedAtMs: nowMs }), { mode: 0o600 })
  renameSync(beside, ownerFile)
  return {
    release() {
      if (!lock.open) return
      rmSync(ownerFile, { force: true })
      lock.close()
    },
  }
}

/** Who holds the lock; an owner that is just starting has not written its name yet. */
function describeOwner(ownerFile: string): string {
  try {
    const { pid, startedAtMs } = ownerShape.parse(JSON.parse(readFileSync(ownerFile, 'utf8')))
    return `process ${pid} since ${new Date(startedAtMs).toISOString()}`
  } catch {
    return 'another process that is just starting'
  }
}
