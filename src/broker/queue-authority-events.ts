import { canonicalJson } from '../core/canonical-json.ts'
import type { AuthorityEvent, AuthorityEventType } from '../core/http-signature/authority-event.ts'
import { eventsUrlOf } from '../core/manifest/events.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { statusReferenceIn } from './status-place.ts'

type Queueing = Pick<Broker, 'newId' | 'settings' | 'pseudonyms' | 'manifests'>

/** How long what was delivered is shown, and what was not is kept, in milliseconds. */
const KEEP_MS = 90 * 86_400_000
/** More of one kind are not listed; the status list has them all. */
const LISTED_MOST = 1_000

export type AuthorityNews = {
  readonly userId: string
  readonly type: AuthorityEventType
  /** Those that changed, as they are now. */
  readonly grants: readonly GrantRow[]
  /** What was permitted before and is not settled. */
  readonly executions: readonly { readonly actionId: string; readonly skillId: string }[]
  /** Whose receipt shows who was told; empty where there is none. */
  readonly revocationId: string
}

/**
 * Keeps an event for every skill and agent whose authority changed, in the transaction that changes it: it is told if and
 * only if it happened. Who has no address is kept too, so that a receipt says so.
 */
export async function queueAuthorityEvents(broker: Queueing, tx: Tx, news: AuthorityNews): Promise<void> {
  const { userId, grants, executions } = news
  const live = await tx.grants.live(userId)
  const stands = news.type === 'authority.suspended' ? live.filter((row) => row.status === 'active') : live
  const skillIds = new Set([...grants, ...executions].map(({ skillId }) => skillId))
  for (const skillId of [...skillIds].sort()) {
    const skill = await tx.skills.find(skillId)
    if (!skill) continue
    await keep(broker, tx, news, 'skill', skillId, await skillHasAddress(broker, tx, skill.currentDigest), {
      skill: skillId,
      user: broker.pseudonyms.pairwiseUser(userId, skill.publisherId),
      everything: !stands.some((row) => row.skillId === skillId),
      grants: await listed(broker, tx, grants, (row) => row.skillId === skillId, false),
      executions: executions
        .filter((one) => one.skillId === skillId)
        .slice(0, LISTED_MOST)
        .map(({ actionId }) => actionId),
    })
  }
  for (const agentId of [...new Set(grants.map((row) => row.agentId))].sort()) {
    const hasAddress = (await tx.agentCallbacks.find(agentId)) !== undefined
    await keep(broker, tx, news, 'agent', agentId, hasAddress, {
      agent: agentId,
      everything: !stands.some((row) => row.agentId === agentId),
      grants: await listed(broker, tx, grants, (row) => row.agentId === agentId, true),
      executions: [],
    })
  }
}

/** Tells a skill that all of it stands still, or goes on, whoever its users are. */
export async function queueSkillEvent(
  broker: Queueing,
  tx: Tx,
  skillId: string,
  type: AuthorityEventType,
): Promise<void> {
  const skill = await tx.skills.find(skillId)
  if (!skill || !(await skillHasAddress(broker, tx, skill.currentDigest))) return
  const news = { userId: '', type, grants: [], executions: [], revocationId: '' }
  const about = { skill: skillId, everything: true, grants: [], executions: [] }
  await keep(broker, tx, news, 'skill', skillId, true, about)
}

async function skillHasAddress(broker: Queueing, tx: Tx, digest: string | null): Promise<boolean> {
  return digest !== null && eventsUrlOf((await broker.manifests.load(tx, digest)).manifest) !== undefined
}

async function listed(
  broker: Queueing,
  tx: Tx,
  grants: readonly GrantRow[],
  isOf: (row: GrantRow) => boolean,
  named: boolean,
): Promise<AuthorityEvent['grants']> {
  const answer: AuthorityEvent['grants'] = []
  for (const { id } of grants.filter(isOf).slice(0, LISTED_MOST))
    answer.push({ ...(named ? { id } : {}), status: await statusReferenceIn(broker, tx, id) })
  return answer
}

async function keep(
  broker: Queueing,
  tx: Tx,
  { userId, type, revocationId }: AuthorityNews,
  receiverKind: 'skill' | 'agent',
  receiverId: string,
  hasAddress: boolean,
  about: Omit<AuthorityEvent, 'id' | 'issuer' | 'type' | 'atMs'>,
): Promise<void> {
  // What shows in no receipt and reaches nobody is not worth a row.
  if (!hasAddress && revocationId === '') return
  const id = broker.newId('eventDelivery')
  const event: AuthorityEvent = { id, issuer: broker.settings.issuer, type, atMs: tx.nowMs, ...about }
  await tx.eventDeliveries.insert({
    id,
    userId,
    revocationId,
    receiverKind,
    receiverId,
    payload: canonicalJson(plainJson(event)),
    status: hasAddress ? 'waiting' : 'no_address',
    attempts: 0,
    nextAtMs: tx.nowMs,
    expiresAtMs: tx.nowMs + KEEP_MS,
    createdAtMs: tx.nowMs,
    answeredAtMs: null,
    fault: null,
  })
}
