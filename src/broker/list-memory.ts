import type { Bilingual } from '../core/manifest/manifest.ts'
import type { LimitedBy } from '../core/memory/retention.ts'
import type { MemoryItemRow } from '../ports/memory-store.ts'
import type { Page, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { openItems } from './open-memory.ts'

/** One thing that is remembered about a person, as they see it. */
export type MemoryView = {
  readonly itemId: string
  readonly agentId: string
  /** What the agent calls itself; null for one that is gone. */
  readonly agentName: string | null
  readonly grantId: string
  readonly skill: string
  readonly skillTitle: Bilingual | null
  readonly class: string
  readonly classTitle: Bilingual | null
  readonly category: string
  readonly categoryTitle: Bilingual | null
  readonly key: string | null
  readonly purpose: string
  readonly content: string
  readonly originActionId: string | null
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly limitedBy: LimitedBy
  readonly sessionOnly: boolean
}

export type MemoryList = {
  readonly items: readonly MemoryView[]
  /** Where the next page begins; null after the last. */
  readonly next: Page['before']
}

/**
 * What agents remember about a person, newest first: by whom, for what, until when. Also what an agent cannot read just
 * now, because its grant is paused, say; nothing that has expired.
 */
export async function listMemory(
  broker: Broker,
  { userId, page }: { readonly userId: string; readonly page: Page },
): Promise<MemoryList> {
  const found = await broker.store.read(async (tx) => {
    const rows = await tx.memoryItems.list(userId, page)
    const living = rows.filter((row) => tx.nowMs < row.expiresAtMs)
    return { rows, living, names: await namesOf(broker, tx, userId, living) }
  })
  const opened = await openItems(broker, found.living)
  const { nowMs } = broker.store.now()
  const items = opened
    .filter(({ row }) => nowMs < row.expiresAtMs)
    .map(({ row, head, content }): MemoryView => {
      const skill = found.names.skills.get(row.skillId)
      return {
        itemId: row.id,
        agentId: row.agentId,
        agentName: found.names.agents.get(row.agentId) ?? null,
        grantId: row.grantId,
        skill: row.skillId,
        skillTitle: skill?.title ?? null,
        class: row.memoryClass,
        classTitle: skill?.memory.find((declared) => declared.class === row.memoryClass)?.title ?? null,
        category: head.category,
        categoryTitle: skill?.categories[head.category] ?? null,
        key: head.key,
        purpose: head.purpose,
        content,
        originActionId: head.originActionId,
        createdAtMs: row.createdAtMs,
        expiresAtMs: row.expiresAtMs,
        limitedBy: head.limitedBy,
        sessionOnly: row.sessionId !== null,
      }
    })
  const last = found.rows.length < page.limit ? undefined : found.rows.at(-1)
  return { items, next: last ? { atMs: last.createdAtMs, id: last.id } : null }
}

async function namesOf(broker: Broker, tx: Tx, userId: string, rows: readonly MemoryItemRow[]) {
  const agents = new Map<string, string>()
  for (const { id, name } of rows.length > 0 ? await tx.agents.list(userId) : []) agents.set(id, name)
  const skills = new Map<string, Awaited<ReturnType<Broker['manifests']['load']>>['manifest']>()
  for (const skillId of new Set(rows.map((row) => row.skillId))) {
    const digest = (await tx.skills.find(skillId))?.currentDigest
    if (digest) skills.set(skillId, (await broker.manifests.load(tx, digest)).manifest)
  }
  return { agents, skills }
}
