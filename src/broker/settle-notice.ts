import { importVerificationKeys } from '../core/execution/compact-jws.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import {
  type AcknowledgementClaims,
  type AcknowledgementVerdict,
  verifyAcknowledgement,
} from '../core/notice/acknowledgement.ts'
import { AFTER_REFUSAL_MS, noticeRetryMs } from '../core/notice/notice-retry.ts'
import { NOTICE_MEDIA_TYPE } from '../core/notice/notice-token.ts'
import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { SkillReply } from '../ports/skill-caller.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { noticeCells, noticeLeaf, noticeOwner } from './notice-leaf.ts'
import { incidentOf } from './overdue-notice.ts'

/** What came back: the skill's own signed word, or why it is none. */
type Read =
  | { kind: 'said'; claims: AcknowledgementClaims; token: string }
  | { kind: 'fault'; fault: string; answered: boolean }

/** Keeps what one delivery came to. Anything but the skill's signed word on this very notice acknowledges nothing. */
export async function settleNotice(
  broker: Broker,
  sent: SkillNoticeRow,
  loaded: LoadedManifest,
  reply: SkillReply,
  random: () => number,
): Promise<void> {
  const read = readReply(broker, sent, loaded, reply)
  const seal = await sealerFor(broker, noticeCells(sent))
  await broker.store.transaction(async (tx) => {
    // Its person may have been erased meanwhile, and the notice be nobody's since: it is sent, and answered, once more.
    const row = await tx.skillNotices.find(sent.id, sent.userId)
    if (!row || (row.status !== 'open' && row.status !== 'refused')) return
    if (read.kind === 'said') await noteAnswer(broker, tx, seal, row, read)
    else await noteFault(tx, seal, row, read, random)
  }, noticeOwner(sent))
}

function readReply(
  broker: Broker,
  row: SkillNoticeRow,
  { manifest }: LoadedManifest,
  reply: SkillReply,
): Read {
  if (reply.kind === 'not_sent' || reply.kind === 'broken')
    return { kind: 'fault', fault: reply.code, answered: false }
  if (reply.kind !== 'answered') return { kind: 'fault', fault: 'not_understood', answered: true }
  // It is at work on it, and says so: asked again later, like one that does not answer.
  if (reply.status === 202) return { kind: 'fault', fault: 'accepted', answered: false }
  if (reply.status !== 200) return { kind: 'fault', fault: `status_${reply.status}`, answered: false }
  if (reply.contentType !== NOTICE_MEDIA_TYPE) return { kind: 'fault', fault: 'unsigned', answered: true }
  const token = reply.body.toString('ascii').trim()
  const verdict: AcknowledgementVerdict = verifyAcknowledgement(
    token,
    importVerificationKeys(manifest.runtimeKeys),
    {
      issuer: broker.settings.issuer,
      noticeId: row.id,
      skillId: row.skillId,
      userId: row.pairwiseId,
      sentAtMs: row.sentAtMs ?? row.queuedAtMs,
      nowMs: broker.store.now().nowMs,
    },
  )
  return verdict.ok
    ? { kind: 'said', claims: verdict.claims, token }
    : { kind: 'fault', fault: verdict.code, answered: true }
}

async function noteAnswer(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  row: SkillNoticeRow,
  { claims, token }: Extract<Read, { kind: 'said' }>,
): Promise<void> {
  const { sts, code = null, why = null } = claims
  const leaf = seal(
    noticeLeaf(row, sts === 'refused' ? 'refused' : 'acknowledged', sts, {
      // Its words, and its signature, which names the person, are the first to go.
      body: { code, why, acknowledgement: token },
    }),
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  const answered: SkillNoticeRow = {
    ...row,
    status: sts,
    fault: null,
    answerCode: code,
    answeredAtMs: tx.nowMs,
    answerEventId: leaf.eventId,
  }
  if (sts === 'refused') {
    const incidentId = await incidentOf(broker, tx, seal, answered, 'notice_refused')
    const nextAtMs = tx.nowMs + AFTER_REFUSAL_MS
    await tx.skillNotices.update({ ...answered, suspends: true, incidentId, nextAtMs })
    return
  }
  if (sts === 'deleted') await endDuties(tx, row)
  if (row.userId === '') await tx.skillNotices.remove(row.id, row.userId)
  else await tx.skillNotices.update({ ...answered, suspends: false })
}

/** What an execution may still write that is not over yet is asked for again. */
async function endDuties(tx: Tx, { id }: SkillNoticeRow): Promise<void> {
  for (const duty of await tx.skillDuties.ofNotice(id)) {
    const status = (await tx.actions.find(duty.actionId, duty.userId))?.status
    if (status === 'dispatched' || status === 'in_doubt') await tx.skillDuties.tellAgain(duty, tx.nowMs)
  }
  await tx.skillDuties.removeOfNotice(id)
}

/** A skill that answers, but wrongly, is logged the first time it does so in this way; the deliveries are leaves anyway. */
async function noteFault(
  tx: Tx,
  seal: LeafSealer,
  row: SkillNoticeRow,
  { fault, answered }: Extract<Read, { kind: 'fault' }>,
  random: () => number,
): Promise<void> {
  if (answered && row.fault !== fault)
    await tx.log.append(seal(noticeLeaf(row, 'not_acknowledged', fault), tx.nowMs), tx.nowMs)
  const retryAtMs = tx.nowMs + noticeRetryMs(row.attempts, random())
  // Its own time is up when it is, not when it is next told.
  const nextAtMs =
    row.overdueAtMs === null ? Math.min(retryAtMs, Math.max(row.dueAtMs, tx.nowMs + 1)) : retryAtMs
  await tx.skillNotices.update({ ...row, fault, nextAtMs: Math.min(nextAtMs, row.giveUpAtMs) })
}
