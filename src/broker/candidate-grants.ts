import type { CandidateGrant } from '../core/decision/decision.ts'
import { stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { ManifestChange } from '../core/manifest/manifest-change.ts'
import { coveringLimit } from '../core/spending/budget.ts'
import type { BudgetLimit } from '../core/spending/budget-limit.ts'
import type { Subject } from '../core/spending/counter.ts'
import type { CandidateRow, UserBudgetRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { loadTerms } from './grant-terms.ts'
import type { ManifestCache } from './manifest-cache.ts'

/** What is in the terms but was never consented to under any manifest is newly asked. */
const NEVER_CONSENTED: readonly ManifestChange[] = [{ code: 'action_added', pointer: '' }]

/** The user's grants for this agent and skill, each with every budget that would have to hold the action. */
export async function candidateGrants(
  manifests: ManifestCache,
  tx: Tx,
  userId: string,
  rows: readonly CandidateRow[],
  subject: Subject,
  userBudgets: readonly UserBudgetRow[],
  loaded: LoadedManifest,
): Promise<CandidateGrant[]> {
  const candidates: CandidateGrant[] = []
  for (const row of rows.toSorted(standingFirst)) {
    const { terms, consented } = await loadTerms(tx, row, userId)
    const consentedDigest = consented[subject.action]
    const own = terms.budgets.map((budget) => coveringLimit('grant', subject, budget))
    const shared = userBudgets.map((budget) => sharedLimit(budget, subject))
    candidates.push({
      id: row.id,
      state: stateOf({ status: row.status as GrantStatus, expiresAtMs: row.expiresAtMs }, tx.nowMs),
      oneTime: row.oneTime,
      terms,
      newlyAsked: consentedDigest
        ? await manifests.newlyAsked(tx, consentedDigest, loaded.digest, subject.action)
        : NEVER_CONSENTED,
      limits: [...own, ...shared].filter((limit) => limit !== null),
    })
  }
  return candidates
}

/** What stands is used before what is good only once, and the newest yes before an older one. */
function standingFirst(a: CandidateRow, b: CandidateRow): number {
  if (a.oneTime !== b.oneTime) return a.oneTime ? 1 : -1
  return b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1)
}

function sharedLimit(row: UserBudgetRow, subject: Subject) {
  const budget = JSON.parse(row.budget) as BudgetLimit
  switch (row.scope) {
    case 'user':
      return coveringLimit('user', subject, budget)
    case 'agent':
      return row.scopeId === subject.agentLineage ? coveringLimit('agent', subject, budget) : null
    case 'skill':
      return row.scopeId === subject.skill ? coveringLimit('skill', subject, budget) : null
    default:
      throw new Error(`budget of an unknown scope: ${row.scope}`)
  }
}
