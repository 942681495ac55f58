import { z } from 'zod'
import { SKILL_ID } from '../core/manifest/manifest.ts'
import type { MemoryHead } from '../core/memory/memory-head.ts'
import { KEY_CHARACTERS_MOST, RECALLED_MOST, WORDS_CHARACTERS_MOST } from '../core/memory/memory-limits.ts'
import { readableUntilMs } from '../core/memory/retention.ts'
import { scoreText, wordQuery } from '../core/memory/word-search.ts'
import type { MemoryHeadRow, MemoryItemRow } from '../ports/memory-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import {
  classTerms,
  type MemoryCaller,
  type MemoryGrant,
  type MemoryRefusal,
  memoryAuthority,
} from './memory-authority.ts'
import { type OpenedHead, type OpenedItem, openHeads, openItems } from './open-memory.ts'
import { liveSession, noteRead, type SessionFacts, touchSession } from './session-facts.ts'

export const RECALLED_BY_DEFAULT = 20

export const recallShape = z.strictObject({
  skill: z.string().max(64).regex(SKILL_ID).optional(),
  class: z.string().min(1).max(48).optional(),
  /** Exactly the key it was kept under. */
  key: z.string().min(1).max(KEY_CHARACTERS_MOST).optional(),
  /** Words that are all in the item: its key, its purpose or its content. */
  words: z.string().min(1).max(WORDS_CHARACTERS_MOST).optional(),
  limit: z.int().min(1).max(RECALLED_MOST).optional(),
})
export type Recall = z.infer<typeof recallShape>

export type RecalledItem = {
  readonly itemId: string
  readonly skill: string
  readonly class: string
  readonly category: string
  readonly key: string | null
  readonly purpose: string
  readonly content: string
  readonly originActionId: string | null
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly sessionOnly: boolean
  /** Whether the session that wrote it had read what a stranger may have written. */
  readonly untrusted: boolean
}

export type Recalled =
  | { readonly kind: 'recalled'; readonly items: readonly RecalledItem[]; readonly hasMore: boolean }
  | { readonly kind: 'refused'; readonly code: Exclude<MemoryRefusal, 'consent_required'> }

/**
 * What an agent kept under grants that stand now, by key, class or words; the best answers to words first, otherwise the
 * newest. Found by opening this one user's items in memory: no index of them is kept anywhere. Whether grant and item
 * still stand is looked at in the same unit of work as the clock, after all of that, and the clock once more right before
 * the answer.
 */
export async function recallMemory(broker: Broker, caller: MemoryCaller, asked: Recall): Promise<Recalled> {
  const query = asked.words === undefined ? undefined : wordQuery(asked.words)
  if (query?.length === 0) return { kind: 'recalled', items: [], hasMore: false }
  const before = await broker.store.read(async (tx) => {
    const authority = await memoryAuthority(broker, tx, caller, asked.skill ?? null)
    const grants = authority.kind === 'grants' ? authority.grants : []
    const rows: (MemoryHeadRow | MemoryItemRow)[] = []
    for (const { grant } of grants) {
      const own = query
        ? await tx.memoryItems.wholeOfGrant(caller.userId, grant.id)
        : await tx.memoryItems.headsOfGrant(caller.userId, grant.id)
      rows.push(...own)
    }
    return { authority, grants, rows, nowMs: tx.nowMs }
  })
  const { authority } = before
  if (authority.kind === 'refused') {
    if (authority.code === 'consent_required') return { kind: 'recalled', items: [], hasMore: false }
    return { kind: 'refused', code: authority.code }
  }
  const living = before.rows.filter((row) => before.nowMs < row.expiresAtMs)
  const wanted = living.filter(
    (row) =>
      (asked.class === undefined || row.memoryClass === asked.class) &&
      (row.sessionId === null || row.sessionId === caller.sessionId),
  )
  const found = query
    ? await foundByWords(broker, wanted, query, asked)
    : (await openHeads(broker, wanted)).filter(
        ({ head }) => asked.key === undefined || head.key === asked.key,
      )
  const inOrder = query ? found : found.toReversed()
  const hasExpired = living.length < before.rows.length
  if (inOrder.length === 0 && !hasExpired) return { kind: 'recalled', items: [], hasMore: false }
  return answer(broker, caller, asked, inOrder)
}

async function foundByWords(
  broker: Broker,
  rows: readonly (MemoryHeadRow | MemoryItemRow)[],
  query: ReturnType<typeof wordQuery>,
  asked: Recall,
): Promise<OpenedHead<MemoryHeadRow>[]> {
  const whole = rows.filter((row): row is MemoryItemRow => 'content' in row)
  const scored = (await openItems(broker, whole))
    .filter(({ head }) => asked.key === undefined || head.key === asked.key)
    .map((item) => ({
      item,
      score: scoreText(query, `${item.head.key ?? ''}\n${item.head.purpose}\n${item.content}`),
    }))
    .filter(({ score }) => score > 0)
  return scored
    .sort((a, b) => b.score - a.score || b.item.row.createdAtMs - a.item.row.createdAtMs)
    .map(({ item }) => item)
}

async function answer(
  broker: Broker,
  caller: MemoryCaller,
  asked: Recall,
  found: readonly OpenedHead<MemoryHeadRow>[],
): Promise<Recalled> {
  const { userId } = caller
  const limit = asked.limit ?? RECALLED_BY_DEFAULT
  const standing = await broker.store.transaction(async (tx) => {
    const authority = await memoryAuthority(broker, tx, caller, asked.skill ?? null)
    if (authority.kind === 'refused') return authority
    const rows = await readable(broker, tx, caller, authority.grants, found, limit + 1)
    // Whoever saw that its time has passed says so for good: no clock that is set back reads it again.
    await tx.memoryItems.endExpired(userId, tx.nowMs)
    const shown = rows.slice(0, limit)
    await noteRecalled(
      tx,
      caller,
      shown.map(({ head }) => head),
    )
    return { kind: 'standing' as const, shown, hasMore: rows.length > limit }
  }, caller)
  if (standing.kind === 'refused') {
    if (standing.code === 'consent_required') return { kind: 'recalled', items: [], hasMore: false }
    return { kind: 'refused', code: standing.code }
  }
  const opened = await openItems(
    broker,
    standing.shown.map(({ row }) => row),
  )
  const untilMs = new Map(standing.shown.map(({ row, untilMs: until }) => [row.id, until]))
  const { nowMs } = broker.store.now()
  const items = opened
    .filter(({ row }) => nowMs < (untilMs.get(row.id) ?? 0))
    .map((item) => recalledItem(item, untilMs.get(item.row.id) ?? 0))
  return { kind: 'recalled', items, hasMore: standing.hasMore }
}

type Readable = { readonly row: MemoryItemRow; readonly head: MemoryHead; readonly untilMs: number }

/** The first of the candidates that may be read at this instant. */
async function readable(
  broker: Broker,
  tx: Tx,
  caller: MemoryCaller,
  grants: readonly MemoryGrant[],
  candidates: readonly OpenedHead<MemoryHeadRow>[],
  most: number,
): Promise<Readable[]> {
  const byGrant = new Map(grants.map((one) => [one.grant.id, one]))
  const session = await liveSession(tx, caller)
  const found: Readable[] = []
  for (const { row: seen, head } of candidates) {
    if (found.length >= most) break
    const row = await tx.memoryItems.find(caller.userId, seen.id)
    const under = row && byGrant.get(row.grantId)
    if (!row || !under || row.ended !== null) continue
    const terms = classTerms(under, row.memoryClass, broker.settings.memory.mostDays)
    if (!terms || !under.terms.categories.includes(head.category)) continue
    const isOfSession = row.sessionId !== null
    const isOurs = row.sessionId === caller.sessionId && session && session.startedAtMs <= row.createdAtMs
    if (isOfSession && !isOurs) continue
    const untilMs = readableUntilMs({ ...row, sessionOnly: isOfSession }, terms)
    if (tx.nowMs < untilMs) found.push({ row, head, untilMs })
  }
  return found
}

/** What was recalled was read: its category, whatever its words may carry, and whether a stranger had a hand in it. */
async function noteRecalled(tx: Tx, caller: MemoryCaller, shown: readonly MemoryHead[]): Promise<void> {
  const read: SessionFacts = {
    readUntrusted: shown.some(({ untrusted }) => untrusted),
    categories: [...new Set(shown.flatMap(({ category, categories }) => [category, ...categories]))],
  }
  const before = await liveSession(tx, caller)
  const known = before ? (JSON.parse(before.categories) as string[]) : []
  const isNew =
    (read.readUntrusted && !before?.readUntrusted) || read.categories.some((name) => !known.includes(name))
  if (isNew) await noteRead(tx, caller, read)
  else await touchSession(tx, caller, before)
}

function recalledItem({ row, head, content }: OpenedItem<MemoryItemRow>, untilMs: number): RecalledItem {
  return {
    itemId: row.id,
    skill: row.skillId,
    class: row.memoryClass,
    category: head.category,
    key: head.key,
    purpose: head.purpose,
    content,
    originActionId: head.originActionId,
    createdAtMs: row.createdAtMs,
    expiresAtMs: untilMs,
    sessionOnly: row.sessionId !== null,
    untrusted: head.untrusted,
  }
}
