import type { Tx } from '../ports/store.ts'

/**
 * Whether this user is being erased, was, or has asked for it and not thought better of it: nothing begins in their name
 * then, and nothing that was paused goes on.
 */
export async function erasureStands(tx: Tx, userId: string): Promise<boolean> {
  const erasure = await tx.erasures.newestOf(userId)
  return erasure !== undefined && erasure.status !== 'cancelled'
}
