import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { LeafSealer } from './leaf-sealer.ts'
import { queueSkillNotice } from './queue-skill-notice.ts'

/**
 * Asks every skill of a user who is being erased for all that it keeps of them, one notice a skill, and cuts these notices
 * loose from the user: what is left names the skill, and the person as its publisher knows them, until it is acknowledged
 * or given up. Inside the step that removes the user's rows, and before it does.
 */
export async function orphanNotices(
  broker: Pick<Broker, 'newId' | 'manifests'>,
  tx: Tx,
  seal: LeafSealer,
  userId: string,
): Promise<void> {
  await queueSkillNotice(broker, tx, seal, { userId, scope: { kind: 'everything' }, reason: 'erased' })
  const asked = (await tx.skillNotices.asked(userId, null)).filter(
    ({ status }) => status === 'open' || status === 'refused',
  )
  const newestOf = new Map(asked.map((row) => [row.skillId, row]))
  for (const row of newestOf.values()) {
    await tx.skillNotices.remove(row.id, userId)
    await tx.skillNotices.insert(orphaned(row, tx.nowMs))
  }
}

/** Executions and events lead back to the user, so none is named: all of it is meant anyway. */
function orphaned(row: SkillNoticeRow, nowMs: number): SkillNoticeRow {
  return {
    ...row,
    userId: '',
    reason: 'erased',
    scope: JSON.stringify({ classes: 'all' }),
    agentId: null,
    grantId: null,
    nextAtMs: nowMs,
    queuedEventId: '',
    sentEventId: null,
    answerEventId: null,
  }
}
