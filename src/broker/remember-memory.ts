import { createHash } from 'node:crypto'
import { digestOf } from '../core/canonical-json.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { LimitedBy } from '../core/memory/retention.ts'
import type { Cell } from '../ports/cells.ts'
import type { MemoryHeadRow } from '../ports/memory-store.ts'
import type { Tx } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { itemOf, type RememberRefusal } from './make-memory-item.ts'
import {
  type MemoryCaller,
  type MemoryGrant,
  type MemoryRefusal,
  memoryAuthority,
} from './memory-authority.ts'
import { memoryLeaf } from './memory-leaf.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { openHeads } from './open-memory.ts'
import type { Remember } from './remember-shape.ts'
import { noteRead } from './session-facts.ts'

type Asked = Remember & { readonly idempotencyKey: string }

const DAY_MS = 86_400_000
/** How often it is looked again for an item of the same key, when somebody else wrote meanwhile. */
const ROUNDS_MOST = 10

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
