import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Writes a secret for its owner alone: beside, synced, then renamed, so that what is in use is never lost to a crash. */
export function writeSecretFile(path: string, text: string): void {
  const beside = `${path}.new`
  rmSync(beside, { force: true })
  const file = openSync(beside, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  syncFolderOf(path)
}

/**
 * Writes a secret in place of one that must not be found again: the bytes of the old file are overwritten once the new
 * one is in place. A crash leaves the old secret or the new one, and what is left of either is removed by the next call,
 * or by `clearSecretRests`.
 */
export function replaceSecretFile(path: string, text: string): void {
  clearSecretRests(path)
  // The old bytes keep a name until they are overwritten, so that a crash in between does not lose sight of them.
  linkSync(path, `${path}.old`)
  writeSecretFile(path, text)
  clearSecretRests(path)
}

/** Overwrites and removes what a crash may have left beside a secret. */
export function clearSecretRests(path: string): void {
  for (const rest of [`${path}.new`, `${path}.old`]) {
    if (!existsSync(rest)) continue
    // The same file under two names: a crash came before the new one took its place.
    if (existsSync(path) && statSync(rest).ino === statSync(path).ino) rmSync(rest)
    else shredFile(rest)
    syncFolderOf(path)
  }
}

/** Overwrites a file's bytes where they lie, then removes it. What a disk keeps besides is not for us to reach. */
function shredFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, Buffer.alloc(fstatSync(file).size), 0, undefined, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  rmSync(path)
}

function syncFolderOf(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
