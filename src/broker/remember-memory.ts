import { createHash } from 'node:crypto'
import { z } from 'zod'
import { digestOf } from '../core/canonical-json.ts'
import { SKILL_ID } from '../core/manifest/manifest.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { MemoryHead } from '../core/memory/memory-head.ts'
import {
  checkQuota,
  KEY_CHARACTERS_MOST,
  PURPOSE_CHARACTERS_MOST,
  type QuotaRefusal,
} from '../core/memory/memory-limits.ts'
import { decideRetention, type LimitedBy, type Retention, SESSION_MOST_MS } from '../core/memory/retention.ts'
import { checkText } from '../core/text-rules.ts'
import type { Cell } from '../ports/cells.ts'
import type { MemoryHeadRow, MemoryItemRow } from '../ports/memory-store.ts'
import type { Tx } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import {
  classTerms,
  type MemoryCaller,
  type MemoryGrant,
  type MemoryRefusal,
  memoryAuthority,
} from './memory-authority.ts'
import { memoryLeaf } from './memory-leaf.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type OpenedHead, openHeads } from './open-memory.ts'
import { plainText } from './plain-text.ts'
import { sealMemory } from './seal-memory.ts'
import { liveSession, noteRead, sessionFacts } from './session-facts.ts'

const DAY_MS = 86_400_000
/** Characters of a content at most, whatever the platform allows in bytes. */
const CONTENT_CHARACTERS_MOST = 262_144
/** How often it is looked again for an item of the same key, when somebody else wrote meanwhile. */
const ROUNDS_MOST = 10

export const rememberShape = z.strictObject({
  skill: z.string().max(64).regex(SKILL_ID),
  /** A memory class of the skill's manifest. */
  class: z.string().min(1).max(48),
  /** A data category of the class; may be left out where the class has one only. */
  category: z.string().min(1).max(48).optional(),
  /** What it is kept for; its user reads this. */
  purpose: plainText(PURPOSE_CHARACTERS_MOST),
  /** The name it is recalled by. An item of the same agent, skill, class and key is replaced. */
  key: plainText(KEY_CHARACTERS_MOST).optional(),
  content: z
    .string()
    .min(1)
    .max(CONTENT_CHARACTERS_MOST)
    .refine((text) => checkText(text, 'free_text') === undefined, {
      message: 'must be text: composed characters, no controls but tab and line break',
    }),
  /** The id of the agent's own action it came of. */
  originActionId: z.string().min(1).max(64).optional(),
  /** Until when it is wanted; as long as is allowed if left out, which is never for ever. Unix milliseconds. */
  expiresAtMs: z.int().min(0).optional(),
  /** Ends with the session, in 12 hours at most. */
  sessionOnly: z.boolean().optional(),
})
export type Remember = z.infer<typeof rememberShape>

export type Remembered =
  | {
      readonly kind: 'remembered'
      readonly itemId: string
      readonly expiresAtMs: number
      /** Who set that time. */
      readonly limitedBy: LimitedBy
      readonly sessionOnly: boolean
      readonly grantId: string
      /** The item it took the place of. */
      readonly replaced: string | null
      /** False for a repeated call: nothing was written again. */
      readonly isNew: boolean
    }
  | { readonly kind: 'refused'; readonly code: MemoryRefusal | RememberRefusal }
  /** The idempotency key was used for something else. */
  | { readonly kind: 'conflict' }
export type RememberRefusal =
  | 'memory_class_unknown'
  | 'category_not_in_class'
  | 'origin_unknown'
  | Extract<Retention, { kind: 'refused' }>['code']
  | QuotaRefusal

type Asked = Remember & { readonly idempotencyKey: string }

/**
 * Keeps an item for an agent: sealed under a key of its own, for the shortest of the times that manifest, grant,
 * platform and agent allow. Told once more under the same idempotency key, it answers what it answered before.
 */
export function rememberMemory(broker: Broker, caller: MemoryCaller, asked: Asked): Promise<Remembered> {
  // Whoever writes meanwhile may write the same key, and then it is all looked at again.
  return oneAtATime(`memory ${caller.userId}`, () => remember(broker, caller, asked))
}

async function remember(broker: Broker, caller: MemoryCaller, asked: Asked): Promise<Remembered> {
  const { userId, agentId } = caller
  const requestHash = hashOfRequest(caller, asked.idempotencyKey)
  const { idempotencyKey: _, ...request } = asked
  const requestDigest = digestOf(plainJson({ ...request, agentId }))
  const seal = await sealerFor(broker, { userId, skillId: asked.skill })
  for (let round = 0; ; round += 1) {
    const before = await broker.store.read(async (tx) => ({
      said: await saidBefore(tx, userId, requestHash),
      authority: await memoryAuthority(broker, tx, caller, asked.skill),
    }))
    if (before.authority.kind === 'refused') return before.authority
    if (before.said) return answerAgain(broker, before.said, requestDigest)
    const rows = asked.key === undefined ? [] : await headsUnder(broker, userId, before.authority.grants)
    const opened = await openHeads(broker, rows)
    const cells = await broker.cells.make([expiryDayOf(broker, before.authority.grants, asked)])
    const cell = cells[0] as Cell
    let isSealed = false
    try {
      const outcome = await broker.store.transaction(async (tx): Promise<Remembered | 'again' | 'said'> => {
        if (await saidBefore(tx, userId, requestHash)) return 'said'
        const authority = await memoryAuthority(broker, tx, caller, asked.skill)
        if (authority.kind === 'refused') return authority
        if (asked.key !== undefined && !(await isAllKnown(tx, userId, authority.grants, rows))) return 'again'
        const made = await itemOf(
          broker,
          tx,
          { caller, asked, requestHash, requestDigest, cell, opened },
          authority.grants,
        )
        if (made.kind === 'refused') return made
        const { row, head, retention, replaced } = made
        if (replaced) await tx.memoryItems.end(userId, replaced.id, 'replaced', tx.nowMs)
        await tx.memoryItems.insert(row)
        if (row.sessionId !== null) await noteRead(tx, caller, { readUntrusted: false, categories: [] })
        const { limitedBy, expiresAtMs, sessionOnly } = retention
        const leaf = memoryLeaf(
          'remembered',
          limitedBy,
          {
            skill: row.skillId,
            class: row.memoryClass,
            category: head.category,
            bytes: row.sizeBytes,
            expiresAtMs,
          },
          { user: userId, agent: agentId, grant: row.grantId, item: row.id, replaced: replaced?.id ?? null },
        )
        await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
        const { id: itemId, grantId } = row
        return {
          kind: 'remembered',
          itemId,
          expiresAtMs,
          limitedBy,
          sessionOnly,
          grantId,
          replaced: replaced?.id ?? null,
          isNew: true,
        }
      }, caller)
      isSealed = typeof outcome === 'object' && outcome.kind === 'remembered'
      if (typeof outcome === 'object') return outcome
      if (round >= ROUNDS_MOST) throw new StoreUnavailable('busy')
    } finally {
      // Nothing lies under it then, unless nobody knows whether the transaction was kept: it goes by its day.
      if (!isSealed) await broker.cells.destroy([cell.cellId], 'expired').catch(() => undefined)
    }
  }
}

/** SHA-256 over names that hold no line break. */
function hashOfRequest({ userId, agentId }: MemoryCaller, idempotencyKey: string): Buffer {
  return createHash('sha256')
    .update(`countersign/v1/memory-request\n${userId}\n${agentId}\n${idempotencyKey}`)
    .digest()
}

/** What has ended is remembered no more, so that the same call remembers it anew. */
async function saidBefore(tx: Tx, userId: string, requestHash: Buffer): Promise<MemoryHeadRow | undefined> {
  const row = await tx.memoryItems.findByRequest(userId, requestHash)
  return row && tx.nowMs < row.expiresAtMs ? row : undefined
}

async function answerAgain(broker: Broker, row: MemoryHeadRow, requestDigest: string): Promise<Remembered> {
  const [opened] = await openHeads(broker, [row])
  if (opened?.head.requestDigest !== requestDigest) return { kind: 'conflict' }
  return {
    kind: 'remembered',
    itemId: row.id,
    expiresAtMs: row.expiresAtMs,
    limitedBy: opened.head.limitedBy,
    sessionOnly: row.sessionId !== null,
    grantId: row.grantId,
    replaced: null,
    isNew: false,
  }
}

function headsUnder(
  broker: Broker,
  userId: string,
  grants: readonly MemoryGrant[],
): Promise<MemoryHeadRow[]> {
  return broker.store.read(async (tx) => {
    const rows: MemoryHeadRow[] = []
    for (const { grant } of grants) rows.push(...(await tx.memoryItems.headsOfGrant(userId, grant.id)))
    return rows
  })
}

/** Whether nothing was written since the rows were opened: it might bear the same key. */
async function isAllKnown(
  tx: Tx,
  userId: string,
  grants: readonly MemoryGrant[],
  rows: readonly MemoryHeadRow[],
): Promise<boolean> {
  const known = new Set(rows.map(({ id }) => id))
  for (const { grant } of grants) {
    if ((await tx.memoryItems.idsOfGrant(userId, grant.id)).some((id) => !known.has(id))) return false
  }
  return true
}

/** The day on which the key store lets go of the cell at the latest, should its row be lost. */
function expiryDayOf(broker: Broker, grants: readonly MemoryGrant[], asked: Asked): number {
  const { nowMs } = broker.store.now()
  const latestMs = Math.max(nowMs, ...grants.map(({ grant }) => grant.expiresAtMs))
  const most = Math.min(latestMs, nowMs + broker.settings.memory.mostDays * DAY_MS)
  return Math.floor(Math.min(most, asked.expiresAtMs ?? most) / DAY_MS) + 1
}

type Making = {
  readonly caller: MemoryCaller
  readonly asked: Asked
  readonly requestHash: Buffer
  readonly requestDigest: string
  readonly cell: Cell
  readonly opened: readonly OpenedHead<MemoryHeadRow>[]
}

type Made =
  | {
      readonly kind: 'made'
      readonly row: MemoryItemRow
      readonly head: MemoryHead
      readonly retention: Extract<Retention, { kind: 'kept' }>
      readonly replaced: MemoryHeadRow | undefined
    }
  | { readonly kind: 'refused'; readonly code: RememberRefusal }

/** The item as it will be kept, under the newest grant that allows its class. */
async function itemOf(broker: Broker, tx: Tx, making: Making, grants: readonly MemoryGrant[]): Promise<Made> {
  const { caller, asked, opened } = making
  const declared = grants[0]?.memory.get(asked.class)
  if (!declared) return { kind: 'refused', code: 'memory_class_unknown' }
  const [only] = declared.categories.length === 1 ? declared.categories : []
  const category = asked.category ?? only
  if (category === undefined || !declared.categories.includes(category))
    return { kind: 'refused', code: 'category_not_in_class' }
  if (!(await isOwnAction(tx, caller, asked))) return { kind: 'refused', code: 'origin_unknown' }

  const session = await liveSession(tx, caller)
  const kept = retentionUnder(broker, tx, grants, asked, (session?.startedAtMs ?? tx.nowMs) + SESSION_MOST_MS)
  if (kept.kind === 'refused') return kept
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
  asked: Asked,
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
async function isOwnAction(tx: Tx, { userId, agentId }: MemoryCaller, asked: Asked): Promise<boolean> {
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
