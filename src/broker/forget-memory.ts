import type { Broker } from './broker.ts'
import { destroyMemoryOf, forgetSome, type MemoryDestroyed, type MemoryScope } from './destroy-memory.ts'
import { type MemoryCaller, type MemoryRefusal, memoryAuthority } from './memory-authority.ts'
import { openHeads } from './open-memory.ts'

export type Forgotten =
  | { readonly kind: 'forgotten'; readonly items: number }
  | { readonly kind: 'not_found' }

/** Which of its own items an agent forgets: one by id, or those of a skill with a key. */
export type ForgetByAgent =
  | { readonly itemId: string }
  | { readonly skill: string; readonly key: string; readonly class?: string | undefined }

/**
 * An agent forgets what it keeps under grants that stand. What is not there, and what another agent, grant or user keeps,
 * give the same answer.
 */
export async function forgetByAgent(
  broker: Broker,
  caller: MemoryCaller,
  asked: ForgetByAgent,
): Promise<Forgotten | { readonly kind: 'refused'; readonly code: MemoryRefusal }> {
  const { userId } = caller
  const found = await broker.store.read(async (tx) => {
    const authority = await memoryAuthority(broker, tx, caller, 'skill' in asked ? asked.skill : null)
    if (authority.kind === 'refused') return authority
    const rows = []
    for (const { grant } of authority.grants)
      rows.push(...(await tx.memoryItems.headsOfGrant(userId, grant.id)))
    // What has expired is not there any more, and what another session keeps for itself never was.
    const own = rows.filter(
      (row) => tx.nowMs < row.expiresAtMs && (row.sessionId === null || row.sessionId === caller.sessionId),
    )
    return { kind: 'own' as const, own }
  })
  if (found.kind === 'refused')
    return found.code === 'consent_required' ? { kind: 'not_found' } : { kind: 'refused', code: found.code }
  const meant = await idsMeant(broker, found.own, asked)
  if (meant.length === 0) return { kind: 'not_found' }
  const done = await forgetSome(broker, { userId }, 'by_agent', meant)
  return done.items > 0 ? { kind: 'forgotten', items: done.items } : { kind: 'not_found' }
}

async function idsMeant(
  broker: Broker,
  own: Parameters<typeof openHeads>[1],
  asked: ForgetByAgent,
): Promise<string[]> {
  if ('itemId' in asked) return own.filter(({ id }) => id === asked.itemId).map(({ id }) => id)
  const ofClass = own.filter((row) => asked.class === undefined || row.memoryClass === asked.class)
  return (await openHeads(broker, ofClass))
    .filter(({ head }) => head.key === asked.key)
    .map(({ row }) => row.id)
}

/** A person forgets one thing that is remembered about them. What has ended or expired is not there. */
export async function forgetByUser(
  broker: Broker,
  { userId, itemId }: { readonly userId: string; readonly itemId: string },
): Promise<Forgotten> {
  const isThere = await broker.store.read(async (tx) => {
    const row = await tx.memoryItems.find(userId, itemId)
    return row !== undefined && row.ended === null && tx.nowMs < row.expiresAtMs
  })
  if (!isThere) return { kind: 'not_found' }
  const { items } = await forgetSome(broker, { userId }, 'by_user', [itemId])
  return items > 0 ? { kind: 'forgotten', items } : { kind: 'not_found' }
}

/** A person forgets all that one agent, one grant, one skill or everybody keeps about them. */
export function forgetAllByUser(broker: Broker, scope: MemoryScope): Promise<MemoryDestroyed> {
  return destroyMemoryOf(broker, scope, 'by_user')
}
