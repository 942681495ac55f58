import type { ActionRow } from '../ports/rows.ts'

/** Whether a key has had its final answer; only a question that waits for a person goes on under it (P4). */
export function isRemembered(row: ActionRow): boolean {
  return row.status !== 'waiting'
}
