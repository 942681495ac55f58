import type { JsonValue } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { UnitOwner } from '../ports/store.ts'
import type { LeafOwner } from './leaf-sealer.ts'

/** What becomes of a notice. Codes are stable. */
export type NoticeEvent =
  | 'queued'
  | 'sent'
  /** The skill answered, and it was no acknowledgement. */
  | 'not_acknowledged'
  | 'acknowledged'
  | 'refused'
  | 'overdue'
  | 'given_up'
  | 'settled'

/** The leaf of one event of a notice. One for an erasure names nobody: it outlives the person's keys. */
export function noticeLeaf(
  row: SkillNoticeRow,
  outcome: NoticeEvent,
  reason: string,
  about: { core?: Readonly<Record<string, JsonValue>>; subj?: JsonValue; body?: JsonValue } = {},
): LeafContent {
  const isNobodys = row.reason === 'erased' || row.userId === ''
  return {
    type: 'notice',
    outcome,
    reason,
    core: { notice: row.id, skill: row.skillId, ...about.core },
    ...(isNobodys
      ? {}
      : { subj: about.subj ?? { user: row.userId, agent: row.agentId, grant: row.grantId } }),
    ...(about.body === undefined ? {} : { body: about.body }),
  }
}

/** Whose cells the leaves of a notice are sealed under. */
export function noticeCells(row: Pick<SkillNoticeRow, 'userId' | 'skillId' | 'reason'>): LeafOwner {
  return { userId: row.reason === 'erased' ? '' : row.userId, skillId: row.skillId }
}

/** Whose unit of work a notice belongs to: nobody's once its person was erased. */
export function noticeOwner({ userId }: Pick<SkillNoticeRow, 'userId'>): UnitOwner {
  return userId === '' ? {} : { userId }
}
