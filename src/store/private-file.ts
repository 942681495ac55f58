import { chmodSync, closeSync, existsSync, lstatSync, openSync } from 'node:fs'

/**
 * Makes a database file before SQLite does, for its owner alone (mode 0600), and closes one that was open to others.
 * SQLite gives the files beside it the mode of the database when it makes them; those that a crash left are closed too.
 */
export function makePrivate(file: string): void {
  // A file that is there is not opened: closing it again would drop the locks this process may hold on it (fcntl).
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) chmodSync(path, 0o600)
}

/** @throws Error if a file of secrets is missing, is a link, or is open to other users. */
export function checkPrivate(file: string): void {
  const found = lstatSync(file)
  if (!found.isFile()) throw new Error(`${file} must be a regular file, not a link`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new Error(`${file} is open to other users: run chmod 600 ${file}`)
}
