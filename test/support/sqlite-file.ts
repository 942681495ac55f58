import { fileURLToPath } from 'node:url'
import { openSqliteStore } from '../../src/store/open-sqlite.ts'
import type { ClockSources } from '../../src/store/platform-clock.ts'

export const MIGRATIONS = fileURLToPath(new URL('../../migrations/sqlite', import.meta.url))

/** Clocks that stand still at a time. */
function standingClocks(atMs: number): ClockSources {
  return { wallMs: () => atMs, monotonicMs: () => 0 }
}

/** Opens the embedded store at a file, with clocks that stand still. */
export function openTestStore(file: string, atMs: number) {
  return openSqliteStore({ file, migrationsFolder: MIGRATIONS, clocks: standingClocks(atMs) })
}
