import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import { keptUntilMs, tellAtMs } from '../core/notice/duty.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

/** Keeps, in the permit's transaction, what the skill may write of the user's, and until when it may keep that. */
export async function noteSkillDuties(
  broker: Pick<Broker, 'pseudonyms'>,
  tx: Tx,
  row: Pick<ActionRow, 'id' | 'userId' | 'agentId' | 'skillId'>,
  { manifest, digest }: LoadedManifest,
  action: LoadedAction,
  grant: { readonly id: string; readonly retentionDays: Readonly<Record<string, number>> },
): Promise<void> {
  const { remembers } = action.declared
  if (remembers.length === 0) return
  const until = keptUntilMs(manifest.memory, remembers, grant.retentionDays, tx.nowMs)
  const pairwiseId = broker.pseudonyms.pairwiseUser(row.userId, manifest.publisher)
  for (const [memoryClass, untilMs] of Object.entries(until)) {
    await tx.skillDuties.insert({
      actionId: row.id,
      memoryClass,
      userId: row.userId,
      skillId: row.skillId,
      pairwiseId,
      agentId: row.agentId,
      grantId: grant.id,
      manifestDigest: digest,
      untilMs,
      tellAtMs: tellAtMs(untilMs),
      noticeId: null,
      createdAtMs: tx.nowMs,
    })
  }
}
