import type { Tx } from '../ports/store.ts'

/** The user's IANA time zone; UTC until one is set. */
export async function userZone(tx: Tx, userId: string): Promise<string> {
  return (await tx.users.find(userId))?.timeZone ?? 'UTC'
}
