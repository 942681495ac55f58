import type { AskedCount } from '../ports/reach-store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'

/** How one agent asked people about one skill in a window. No user is named. */
export type Asking = {
  agentId: string
  skill: string
  prompts: number
  approved: number
  refused: number
  expired: number
  /** What an operator might do: freeze the agent, tell the skill's publisher that its agents ask in vain, or nothing. */
  advice: 'freeze_agent' | 'tell_publisher' | 'none'
}

const LISTED_MOST = 200
/** Below so many questions nothing is said of somebody's habits. */
const PROMPTS_LEAST = 5

/**
 * Who puts questions before people, those with the most that were refused or left unanswered first. The look is a leaf,
 * as every look at what people did is.
 */
export async function listAsking(
  broker: Broker,
  { operatorId, sinceMs }: { operatorId: string; sinceMs: number },
): Promise<{ items: Asking[] }> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    const leaf = seal(
      { type: 'operator', outcome: 'looked_at', reason: 'asking', subj: { operator: operatorId } },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
  })
  const counts = await broker.store.read(async (tx) => [
    ...(await tx.askedCounts.approvals(sinceMs, tx.nowMs)),
    ...(await tx.askedCounts.consentRequests(sinceMs, tx.nowMs)),
  ])
  const items = summed(counts).map((asking) => ({ ...asking, advice: adviceFor(asking) }))
  return { items: items.sort(worstFirst).slice(0, LISTED_MOST) }
}

function summed(counts: readonly AskedCount[]): Omit<Asking, 'advice'>[] {
  const pairs = new Map<string, Omit<Asking, 'advice'>>()
  for (const { agentId, skillId, status, count } of counts) {
    const pair = `${agentId} ${skillId}`
    const sum = pairs.get(pair) ?? {
      agentId,
      skill: skillId,
      prompts: 0,
      approved: 0,
      refused: 0,
      expired: 0,
    }
    pairs.set(pair, {
      ...sum,
      prompts: sum.prompts + count,
      approved: sum.approved + (status === 'approved' || status === 'used' ? count : 0),
      refused: sum.refused + (status === 'refused' ? count : 0),
      expired: sum.expired + (status === 'expired' ? count : 0),
    })
  }
  return [...pairs.values()]
}

function adviceFor({ prompts, refused, expired }: Omit<Asking, 'advice'>): Asking['advice'] {
  if (prompts < PROMPTS_LEAST) return 'none'
  if (refused * 2 >= prompts) return 'freeze_agent'
  return (refused + expired) * 2 >= prompts ? 'tell_publisher' : 'none'
}

function worstFirst(a: Asking, b: Asking): number {
  const unwanted = b.refused + b.expired - (a.refused + a.expired)
  return unwanted || b.refused - a.refused || b.prompts - a.prompts || (a.agentId < b.agentId ? -1 : 1)
}
