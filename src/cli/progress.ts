import type { Progress } from '../store/backup/write-backup.ts'
import type { Terminal } from './terminal.ts'

const EVERY_MS = 1_000

/** Tells on stderr how far long work has come, at most once a second; nothing for what is done at once. */
export function openProgress(terminal: Terminal): { readonly tell: Progress; end(): void } {
  let toldAtMs = performance.now()
  let ended = false
  return {
    tell(table, rows) {
      if (ended || performance.now() - toldAtMs < EVERY_MS) return
      toldAtMs = performance.now()
      terminal.err(terminal.paint('dim', `${table}: ${rows} rows`))
    },
    end() {
      ended = true
    },
  }
}
