import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { LeafSealer } from './leaf-sealer.ts'
import { noticeLeaf } from './notice-leaf.ts'
import { openIncident } from './open-incident.ts'

/**
 * Notes that a skill has not said in its own time that it deleted what it was told to: from now on it stands still for
 * this user, where the platform says so, and operators are told. The row is the caller's to keep.
 */
export async function markOverdueInTx(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  seal: LeafSealer,
  row: SkillNoticeRow,
): Promise<SkillNoticeRow> {
  await tx.log.append(seal(noticeLeaf(row, 'overdue', row.fault ?? 'silent'), tx.nowMs), tx.nowMs)
  const incidentId = await incidentOf(broker, tx, seal, row, 'notice_overdue')
  return { ...row, overdueAtMs: tx.nowMs, suspends: true, incidentId }
}

/**
 * One incident a skill and kind while it is open: a skill that is silent to a hundred thousand people is one matter. It
 * names no user, so that it keeps nobody's erasure from beginning.
 */
export async function incidentOf(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  seal: LeafSealer,
  row: SkillNoticeRow,
  kind: 'notice_overdue' | 'notice_refused',
): Promise<string> {
  const open = await tx.incidents.openOfSkill(row.skillId, kind)
  if (open) return open.id
  return openIncident(broker, tx, seal, {
    kind,
    userId: null,
    skillId: row.skillId,
    actionId: null,
    detail: JSON.stringify({ notice: row.id, fault: row.fault, code: row.answerCode }),
    stopsSpending: false,
  })
}

/** Nobody asks any more. What a person can still see stays; of an erased one nothing does. */
export async function giveUpInTx(tx: Tx, seal: LeafSealer, row: SkillNoticeRow): Promise<void> {
  const leaf = seal(noticeLeaf(row, 'given_up', row.fault ?? row.status), tx.nowMs)
  await tx.log.append(leaf, tx.nowMs)
  if (row.userId === '') await tx.skillNotices.remove(row.id, row.userId)
  else await tx.skillNotices.update({ ...row, status: 'given_up', suspends: true })
}
