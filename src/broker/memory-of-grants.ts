import type { GrantTerms } from '../core/grant/terms.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

const DAY_MS = 86_400_000

/** What is kept under grants that are taken back: nobody reads it from here on, and the next sweep destroys it. */
export async function endMemoryOfGrants(tx: Tx, userId: string, grantIds: readonly string[]): Promise<void> {
  for (const grantId of grantIds) await tx.memoryItems.endOfGrant(userId, grantId, 'revoked', tx.nowMs)
}

/** What is kept under grants that a new one replaces goes on under that one, as far as its terms let it. */
export async function moveMemory(tx: Tx, grant: GrantRow, replaced: readonly string[]): Promise<void> {
  if (replaced.length === 0) return
  for (const id of replaced) await tx.memoryItems.moveGrant(grant.userId, id, grant.id)
  await shortenMemory(tx, grant)
}

/** Lets what is kept under a grant end as its terms say now: they may have become narrower, and never lengthen anything. */
export async function shortenMemory(tx: Tx, grant: GrantRow): Promise<void> {
  const { retentionDays } = JSON.parse(grant.terms) as GrantTerms
  for (const row of await tx.memoryItems.headsOfGrant(grant.userId, grant.id)) {
    const days = Object.hasOwn(retentionDays, row.memoryClass) ? retentionDays[row.memoryClass] : undefined
    // A class for the session only has no days to count.
    const isGone = days === undefined || (days === 0 && row.sessionId === null)
    if (isGone) {
      await tx.memoryItems.end(grant.userId, row.id, 'revoked', tx.nowMs)
      continue
    }
    const byDays = row.sessionId === null ? row.createdAtMs + days * DAY_MS : row.expiresAtMs
    const untilMs = Math.min(row.expiresAtMs, byDays, grant.expiresAtMs)
    if (untilMs < row.expiresAtMs) await tx.memoryItems.setExpiry(grant.userId, row.id, untilMs)
  }
}
