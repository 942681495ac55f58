import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'

/**
 * Makes a database file before SQLite does, for its owner alone (mode 0600), and closes one that was open to others.
 * SQLite gives the files beside it the mode of the database when it makes them; those that a crash left are closed too.
 */
export function makePrivate(file: string): void {
  // A file that is there is not opened: closing it again would drop the locks this process may hold on it (fcntl).
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) chmodSync(path, 0o600)
}
