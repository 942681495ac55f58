import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'
import { makePrivate } from './private-file.ts'
import { checkGrowth, isSameEntry, parseRegisterLine, registerLine } from './register-entry.ts'

/** A register that is there and cannot be read; the message says what to do. */
export class RegisterFileBroken extends Error {
  override name = 'RegisterFileBroken'
}

/**
 * Keeps the checkpoint register in a file of its own, one line of JSON, replaced as a whole.
 *
 * @param isShared Whether several processes of this machine use it: then a lock, which the operating system drops with
 *   its process, makes look and replacement one step. Without it these calls never wait, and one process owns the file.
 */
export function openCheckpointRegisterFile(file: string, isShared = false): CheckpointRegister {
  const alone = isShared ? lockedBy(`${file}.lock`) : (work: () => boolean) => work()
  return {
    async read() {
      return readEntry(file)
    },
    async advance(from, to) {
      checkGrowth(from, to)
      return alone(() => {
        if (!isSameEntry(readEntry(file), from)) return false
        writeEntry(file, to)
        return true
      })
    },
  }
}

/** Runs work while no other process does. @throws if another holds the lock for longer than two seconds. */
function lockedBy(lockFile: string): (work: () => boolean) => boolean {
  return (work) => {
    makePrivate(lockFile)
    const lock = new Database(lockFile, { timeout: 2_000 })
    try {
      lock.exec('BEGIN EXCLUSIVE')
      return work()
    } finally {
      lock.close()
    }
  }
}

function readEntry(file: string): RegisterEntry | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return parseRegisterLine(text)
  } catch (cause) {
    throw new RegisterFileBroken(`${file} is not a checkpoint register: restore it from its newest copy`, {
      cause,
    })
  }
}

/** Writes beside, syncs, renames, syncs the folder: a crash leaves the old line or the new one, whole. */
function writeEntry(file: string, entry: RegisterEntry): void {
  const beside = `${file}.new`
  rmSync(beside, { force: true })
  const handle = openSync(beside, 'wx', 0o600)
  try {
    writeFileSync(handle, registerLine(entry))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(beside, file)
  if (process.platform === 'win32') return
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
