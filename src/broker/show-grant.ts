import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type BudgetUsage, budgetUsage } from './budget-usage.ts'
import { forgottenOf } from './forgotten-of.ts'
import { termsOf } from './grant-terms.ts'
import { type GrantUse, grantUses } from './grant-use.ts'
import { type GrantSummary, grantSummary } from './list-grants.ts'
import { findOwnGrant } from './own-rows.ts'
import { type ChangesPerAction, changesFor, type ShownConsent, showConsent } from './shown-consent.ts'

export type GrantView = GrantSummary &
  GrantUse & {
    agentName: string
    /** What a newer manifest asks beyond what was agreed to; these actions wait for a yes to it (P10). */
    outdated: ChangesPerAction
    usage: readonly BudgetUsage[]
    shown: ShownConsent
  }

/** One grant in plain sentences, with what its budgets hold and what has outdated it. */
export function showGrant(
  broker: Broker,
  input: { userId: string; grantId: string },
): Promise<{ kind: 'found'; grant: GrantView } | { kind: 'not_found' }> {
  return broker.store.read(async (tx) => {
    const row = await findOwnGrant(tx, input.userId, input.grantId)
    return row ? { kind: 'found', grant: await viewOf(broker, tx, row) } : { kind: 'not_found' }
  })
}

async function viewOf(broker: Broker, tx: Tx, row: GrantRow): Promise<GrantView> {
  const stored = termsOf(row)
  const agent = await tx.agents.find(row.agentId)
  if (!agent) throw new Error('a grant of an agent that is missing')
  const currentDigest = (await tx.skills.find(row.skillId))?.currentDigest ?? null
  // While no version is current, the grant is told by one its user agreed to.
  const manifestDigest = currentDigest ?? Object.values(stored.consented)[0]
  if (manifestDigest === undefined) throw new Error('a grant without a manifest')
  const summary = grantSummary(row, tx.nowMs)
  const budgets = stored.terms.budgets.map((budget) => ({
    owner: 'grant' as const,
    budget,
    lineageId: row.lineageId,
    skillId: row.skillId,
  }))
  return {
    ...summary,
    ...(await grantUses(tx, broker.settings.unusedGrantMs, row.userId))(summary),
    agentName: agent.name,
    outdated: currentDigest === null ? {} : await changesFor(broker, tx, stored, currentDigest),
    usage: await budgetUsage(tx, row.userId, budgets, await forgottenOf(broker, tx, row.userId)),
    shown: await showConsent(broker, tx, {
      kind: 'grant',
      agent,
      manifestDigest,
      terms: stored.terms,
      purpose: null,
      changes: null,
    }),
  }
}
