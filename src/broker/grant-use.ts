import type { GrantState } from '../core/grant/grant-state.ts'
import { unusedEndMs } from '../core/grant/unused.ts'
import type { Tx } from '../ports/store.ts'

/** What of a grant says how long it may lie unused. */
type Lying = { grantId: string; state: GrantState; changedAtMs: number; terms: { expiresAtMs: number } }

/** When a grant was last drawn on, and when it ends for not being used. */
export type GrantUse = {
  /** Null where no permit drew on it as far back as it matters. */
  lastUsedAtMs: number | null
  /** Null for one that has ended, or ends sooner by itself. */
  unusedExpiresAtMs: number | null
}

/** Says of each of a user's grants how it is used; one look at the user's actions for all of them. */
export async function grantUses(
  tx: Tx,
  unusedGrantMs: number,
  userId: string,
): Promise<(grant: Lying) => GrantUse> {
  const uses = await tx.grantWatches.lastUses(userId, Math.max(0, tx.nowMs - unusedGrantMs))
  const usedAtMs = new Map(uses.map(({ grantId, atMs }) => [grantId, atMs]))
  return ({ grantId, state, changedAtMs, terms }) => {
    const lastUsedAtMs = usedAtMs.get(grantId) ?? null
    const endsAtMs = unusedEndMs({ changedAtMs, lastUsedAtMs }, unusedGrantMs)
    const endsUnused = (state === 'active' || state === 'paused') && endsAtMs < terms.expiresAtMs
    return { lastUsedAtMs, unusedExpiresAtMs: endsUnused ? endsAtMs : null }
  }
}
