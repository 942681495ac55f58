import { freezeIdsFor } from '../core/decision/freeze-ids.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { termsOf } from './grant-terms.ts'

/**
 * Whether an execution is still as this process left it. One that was taken for dead finds it in doubt, and perhaps
 * settled: then it is not its to send any more.
 */
export async function isStillOurs(tx: Tx, row: ActionRow): Promise<boolean> {
  const now = await tx.actions.find(row.id, row.userId)
  return now?.status === row.status && now.nodeId === row.nodeId
}

/**
 * Whether what permitted an execution still stands: asked right before the first byte, and again before the
 * same bytes are sent a second time. A one-time grant was used up by this very permit.
 */
export async function authorityStands(tx: Tx, row: ActionRow): Promise<boolean> {
  const skill = await tx.skills.find(row.skillId)
  if (skill?.currentDigest !== row.manifestDigest) return false
  const freezes = await tx.freezes.matching(
    freezeIdsFor({ ...row, skill: row.skillId, publisherId: skill?.publisherId ?? null }),
  )
  const grant = row.grantId === null ? undefined : await tx.grants.find(row.grantId, row.userId)
  const agent = await tx.agents.find(row.agentId, row.userId)
  if (freezes.length > 0 || agent?.status !== 'connected' || !grant) return false
  const isLive = grant.status === 'active' || (grant.status === 'used_up' && grant.oneTime)
  // A user who narrows a grant takes back what it no longer names.
  const isNamed = termsOf(grant).terms.actions.some(({ name }) => name === row.action)
  return isLive && isNamed && tx.nowMs < grant.expiresAtMs
}
