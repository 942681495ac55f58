import type { MemoryHead } from '../core/memory/memory-head.ts'
import { checkQuota, type QuotaRefusal } from '../core/memory/memory-limits.ts'
import { decideRetention, type Retention, SESSION_MOST_MS } from '../core/memory/retention.ts'
import type { Cell } from '../ports/cells.ts'
import type { MemoryHeadRow, MemoryItemRow } from '../ports/memory-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { classTerms, type MemoryCaller, type MemoryGrant } from './memory-authority.ts'
import type { OpenedHead } from './open-memory.ts'
import type { Remember } from './remember-shape.ts'
import { sealMemory } from './seal-memory.ts'
import { liveSession, sessionFacts } from './session-facts.ts'

export type RememberRefusal =
  | 'memory_class_unknown'
  | 'category_not_in_class'
  | 'category_not_allowed'
  | 'origin_unknown'
  | Extract<Retention, { kind: 'refused' }>['code']
  | QuotaRefusal

/** What an item is made from. */
export type Making = {
  readonly caller: MemoryCaller
  readonly asked: Remember
  readonly requestHash: Buffer
  readonly requestDigest: string
  readonly cell: Cell
  readonly opened: readonly OpenedHead<MemoryHeadRow>[]
}

export type Made =
  | {
      readonly kind: 'made'
      readonly row: MemoryItemRow
      readonly head: MemoryHead
      readonly retention: Extract<Retention, { kind: 'kept' }>
      readonly replaced: MemoryHeadRow | undefined
    }
  | { readonly kind: 'refused'; readonly code: RememberRefusal }

/** The item as it will be kept, under the newest grant that allows its class. */
export async function itemOf(
  broker: Broker,
  tx: Tx,
  making: Making,
  grants: readonly MemoryGrant[],
): Promise<Made> {
  const { caller, asked, opened } = making
  const declared = grants[0]?.memory.get(asked.class)
  if (!declared) return { kind: 'refused', code: 'memory_class_unknown' }
  const [only] = declared.categories.length === 1 ? declared.categories : []
  const category = asked.category ?? only
  if (category === undefined || !declared.categories.includes(category))
    return { kind: 'refused', code: 'category_not_in_class' }
  if (!(await isOwnAction(tx, caller, asked))) return { kind: 'refused', code: 'origin_unknown' }

  const session = await liveSession(tx, caller)
  // What the agent may not see of this skill it may not keep either, or it could never recall it.
  const giving = grants.filter(({ terms }) => terms.categories.includes(category))
  const sessionEndsAtMs = (session?.startedAtMs ?? tx.nowMs) + SESSION_MOST_MS
  const kept = retentionUnder(broker, tx, giving.length > 0 ? giving : grants, asked, sessionEndsAtMs)
  if (kept.kind === 'refused') return kept
  if (giving.length === 0) return { kind: 'refused', code: 'category_not_allowed' }
  const { under, retention } = kept
  const replaced =
    asked.key === undefined
      ? undefined
      : opened.findLast(
          ({ row, head }) =>
            row.memoryClass === asked.class &&
            head.key === asked.key &&
            // What another session keeps for itself is not seen, so it is not replaced either.
            (row.sessionId === null || row.sessionId === caller.sessionId),
        )?.row
  const sizeBytes = Buffer.byteLength(asked.content)
  const full = await quotaRefusal(broker, tx, caller.userId, under.grant.id, sizeBytes, replaced)
  if (full) return { kind: 'refused', code: full }

  const read = session ? sessionFacts(session) : { readUntrusted: false, categories: [] }
  const head: MemoryHead = {
    key: asked.key ?? null,
    category,
    purpose: asked.purpose,
    originActionId: asked.originActionId ?? null,
    limitedBy: retention.limitedBy,
    untrusted: read.readUntrusted,
    categories: [...read.categories],
    requestDigest: making.requestDigest,
  }
  const id = broker.newId('memory')
  const row: MemoryItemRow = {
    id,
    userId: caller.userId,
    agentId: caller.agentId,
    grantId: under.grant.id,
    skillId: asked.skill,
    memoryClass: asked.class,
    sessionId: retention.sessionOnly ? caller.sessionId : null,
    requestHash: making.requestHash,
    cellId: making.cell.cellId,
    sizeBytes,
    ...sealMemory(making.cell.key, { id, userId: caller.userId }, head, asked.content),
    createdAtMs: tx.nowMs,
    expiresAtMs: retention.expiresAtMs,
    ended: null,
  }
  return { kind: 'made', row, head, retention, replaced }
}

type Under = {
  readonly kind: 'kept'
  readonly under: MemoryGrant
  readonly retention: Extract<Retention, { kind: 'kept' }>
}

/** The grant that lets it be kept longest; the refusal of the first one where none does. */
function retentionUnder(
  broker: Broker,
  tx: Tx,
  grants: readonly MemoryGrant[],
  asked: Remember,
  sessionEndsAtMs: number,
): Under | Extract<Retention, { kind: 'refused' }> {
  let best: Under | undefined
  let refused: Extract<Retention, { kind: 'refused' }> | undefined
  for (const under of grants) {
    const terms = classTerms(under, asked.class, broker.settings.memory.mostDays)
    if (!terms) continue
    const wanted = {
      expiresAtMs: asked.expiresAtMs ?? null,
      sessionOnly: asked.sessionOnly ?? false,
      sessionEndsAtMs,
    }
    const retention = decideRetention(terms, wanted, tx.nowMs)
    if (retention.kind === 'refused') refused ??= retention
    else if (!best || retention.expiresAtMs > best.retention.expiresAtMs)
      best = { kind: 'kept', under, retention }
  }
  return best ?? refused ?? { kind: 'refused', code: 'class_not_kept' }
}

/** An origin is an action this agent asked for itself, at this skill. */
async function isOwnAction(tx: Tx, { userId, agentId }: MemoryCaller, asked: Remember): Promise<boolean> {
  if (asked.originActionId === undefined) return true
  const action = await tx.actions.find(asked.originActionId, userId)
  return action?.userId === userId && action.agentId === agentId && action.skillId === asked.skill
}

async function quotaRefusal(
  broker: Broker,
  tx: Tx,
  userId: string,
  grantId: string,
  sizeBytes: number,
  replaced: MemoryHeadRow | undefined,
): Promise<QuotaRefusal | undefined> {
  const used = await tx.memoryItems.use(userId)
  const ofUser = { items: 0, bytes: 0 }
  for (const { items, bytes } of used) {
    ofUser.items += items
    ofUser.bytes += bytes
  }
  const ofGrant = used.find((each) => each.grantId === grantId) ?? { items: 0, bytes: 0 }
  const freed = replaced ? { items: 1, bytes: replaced.sizeBytes } : undefined
  return checkQuota(broker.settings.memory, sizeBytes, ofUser, ofGrant, freed)
}
