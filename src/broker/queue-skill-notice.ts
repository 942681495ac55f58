import type { JsonValue } from '../core/json-value.ts'
import type { ManifestDeletion } from '../core/manifest/deletion.ts'
import { deletionUrlOf } from '../core/manifest/deletion.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { type DutyScope, type NoticeReason, type NoticeScope, scopesOf } from '../core/notice/notice-scope.ts'
import type { SkillDutyRow, SkillNoticeRow } from '../ports/notice-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { LeafSealer } from './leaf-sealer.ts'

const DAY_MS = 86_400_000
/** How long a skill is asked before it is given up, in milliseconds. */
export const NOTICE_GIVEN_UP_MS = 90 * DAY_MS
/** By when a skill is expected to be done that promised no time, in milliseconds. */
const WITHIN_MS = 30 * DAY_MS

export type WantedNotice = {
  readonly userId: string
  /** What is to be deleted of what the user's skills may have kept: by grant, agent or skill, or everything. */
  readonly scope: DutyScope
  readonly reason: NoticeReason
}

export type QueuedNotice = {
  readonly id: string
  readonly skillId: string
  /** `no_address`: its manifest names nowhere to send a notice to, and nothing will be sent. */
  readonly status: 'open' | 'no_address'
  /** By when the skill promised to be done. Unix milliseconds. */
  readonly dueAtMs: number
}

/**
 * Keeps the notices that ask skills to delete what they may have kept, with their leaves, inside the transaction that
 * makes it necessary: one notice a skill, or several where it is about many executions. Nothing for what a notice asks
 * for already. Whoever calls it wakes `broker.notices` once that transaction is durable.
 *
 * @param seal of the transaction's leaves; whoever's cells it seals under, the leaf names user and agent only where
 *   the reason is not `erased`.
 */
export async function queueSkillNotice(
  broker: Pick<Broker, 'newId' | 'manifests'>,
  tx: Tx,
  seal: LeafSealer,
  wanted: WantedNotice,
): Promise<QueuedNotice[]> {
  const { userId, scope, reason } = wanted
  const kept = await tx.skillDuties.list(userId, scope.kind === 'skill' ? scope.id : null)
  const skills = [...new Set(kept.filter((duty) => covers(scope, duty)).map(({ skillId }) => skillId))]
  const queued: QueuedNotice[] = []
  for (const skillId of skills.sort()) {
    const ofSkill = kept.filter((duty) => duty.skillId === skillId)
    const due = await notAskedFor(
      tx,
      ofSkill.filter((duty) => covers(scope, duty)),
      reason,
    )
    // What another open notice asks for is left out on both sides: together they ask for everything.
    const all = ofSkill.filter((duty) => duty.noticeId === null || due.includes(duty)).length
    for (const part of scopesOf(reason, due, all)) {
      queued.push(await queueOne(broker, tx, seal, wanted, part.scope, part.duties))
    }
  }
  return queued
}

/** Asks a skill for what it was to keep until now at the latest; called by the sweeper. */
export async function queueExpiredNotice(
  broker: Pick<Broker, 'newId' | 'manifests'>,
  tx: Tx,
  seal: LeafSealer,
  about: { readonly userId: string; readonly skillId: string },
): Promise<QueuedNotice[]> {
  const kept = await tx.skillDuties.list(about.userId, about.skillId)
  const due = kept.filter(({ noticeId, tellAtMs }) => noticeId === null && tellAtMs <= tx.nowMs)
  const wanted = {
    userId: about.userId,
    scope: { kind: 'skill', id: about.skillId },
    reason: 'expired',
  } as const
  const queued: QueuedNotice[] = []
  for (const part of scopesOf('expired', due, kept.length)) {
    queued.push(await queueOne(broker, tx, seal, wanted, part.scope, part.duties))
  }
  return queued
}

function covers(scope: DutyScope, duty: SkillDutyRow): boolean {
  switch (scope.kind) {
    case 'grant':
      return duty.grantId === scope.id
    case 'agent':
      return duty.agentId === scope.id
    case 'skill':
      return duty.skillId === scope.id
    case 'everything':
      return true
  }
}

/** What an erasure asks for once more: a reason to keep something may have ended since, and a skill may be back. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(['kept', 'settled', 'given_up'])

/** Those that no notice asks for. */
async function notAskedFor(
  tx: Tx,
  duties: readonly SkillDutyRow[],
  reason: NoticeReason,
): Promise<SkillDutyRow[]> {
  const found: SkillDutyRow[] = []
  const statusOf = new Map<string, string>()
  for (const duty of duties) {
    const { noticeId, userId } = duty
    if (noticeId !== null && !statusOf.has(noticeId))
      statusOf.set(noticeId, (await tx.skillNotices.find(noticeId, userId))?.status ?? 'gone')
    const status = noticeId === null ? null : statusOf.get(noticeId)
    const isAgain = reason === 'erased' && ASKED_AGAIN.has(status ?? '')
    if (status === null || status === 'gone' || isAgain) found.push(duty)
  }
  return found
}

async function queueOne(
  broker: Pick<Broker, 'newId' | 'manifests'>,
  tx: Tx,
  seal: LeafSealer,
  { userId, scope: from, reason }: WantedNotice,
  scope: NoticeScope,
  duties: readonly SkillDutyRow[],
): Promise<QueuedNotice> {
  const newest = duties.at(-1)
  if (!newest) throw new Error('a notice about nothing')
  const place = await placeOf(broker, tx, newest)
  const id = broker.newId('notice')
  const agentId = onlyOne(duties.map((duty) => duty.agentId))
  const grantId = onlyOne(duties.map((duty) => duty.grantId))
  const leaf = seal(
    {
      type: 'notice',
      outcome: 'queued',
      reason,
      core: { notice: id, skill: newest.skillId, by: from.kind, deletable: place.deletion !== undefined },
      // What is said of an erasure outlives the person's keys, so it names nobody.
      ...(reason === 'erased'
        ? {}
        : { subj: { user: userId, agent: agentId, grant: grantId }, body: { scope: scopeJson(scope) } }),
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  const row: SkillNoticeRow = {
    id,
    userId,
    skillId: newest.skillId,
    publisherId: place.publisherId,
    pairwiseId: newest.pairwiseId,
    manifestDigest: place.digest,
    reason,
    scope: JSON.stringify(scope),
    agentId,
    grantId,
    status: place.deletion ? 'open' : 'no_address',
    attempts: 0,
    nextAtMs: tx.nowMs,
    dueAtMs: tx.nowMs + (place.deletion ? place.deletion.withinSeconds * 1000 : WITHIN_MS),
    giveUpAtMs: tx.nowMs + NOTICE_GIVEN_UP_MS,
    fault: null,
    answerCode: null,
    suspends: false,
    queuedAtMs: tx.nowMs,
    sentAtMs: null,
    answeredAtMs: null,
    overdueAtMs: null,
    queuedEventId: leaf.eventId,
    sentEventId: null,
    answerEventId: null,
    incidentId: null,
  }
  await tx.skillNotices.insert(row)
  for (const duty of duties) await tx.skillDuties.setNotice(duty, id)
  return { id, skillId: row.skillId, status: place.deletion ? 'open' : 'no_address', dueAtMs: row.dueAtMs }
}

/**
 * Who is asked: the skill as it is now, and where that says nothing, or is suspended, as it was when it was called. Where
 * neither names a place, there is none.
 */
async function placeOf(
  broker: Pick<Broker, 'manifests'>,
  tx: Tx,
  duty: SkillDutyRow,
): Promise<{ digest: string; publisherId: string; deletion: ManifestDeletion | undefined }> {
  const current = (await tx.skills.find(duty.skillId))?.currentDigest ?? null
  const digests = current === null ? [duty.manifestDigest] : [current, duty.manifestDigest]
  for (const digest of digests) {
    const { manifest } = await broker.manifests.load(tx, digest)
    if (deletionUrlOf(manifest) !== undefined)
      return { digest, publisherId: manifest.publisher, deletion: manifest.deletion }
  }
  const { manifest } = await broker.manifests.load(tx, duty.manifestDigest)
  return { digest: duty.manifestDigest, publisherId: manifest.publisher, deletion: undefined }
}

function onlyOne(names: readonly string[]): string | null {
  const [first, ...others] = new Set(names)
  return first !== undefined && others.length === 0 ? first : null
}

/** How many executions, not which: the notice itself names them. */
function scopeJson({ classes, executions, untilMs }: NoticeScope): JsonValue {
  return plainJson({ classes, executions: executions?.length, untilMs })
}
