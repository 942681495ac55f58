import { type GrantState, stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus, GrantTerms } from '../core/grant/terms.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { type GrantUse, grantUses } from './grant-use.ts'

export type GrantSummary = {
  grantId: string
  agentId: string
  skill: string
  state: GrantState
  terms: GrantTerms
  revision: number
  createdAtMs: number
  changedAtMs: number
}

/** The user's grants of every state, newest first. */
export function listGrants(
  broker: Broker,
  input: { userId: string; page: Page },
): Promise<(GrantSummary & GrantUse)[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.grants.list(input.userId, input.page)
    const useOf = await grantUses(tx, broker.settings.unusedGrantMs, input.userId)
    return rows.map((row) => {
      const summary = grantSummary(row, tx.nowMs)
      return { ...summary, ...useOf(summary) }
    })
  })
}

export function grantSummary(row: GrantRow, nowMs: number): GrantSummary {
  return {
    grantId: row.id,
    agentId: row.agentId,
    skill: row.skillId,
    state: stateOf({ status: row.status as GrantStatus, expiresAtMs: row.expiresAtMs }, nowMs),
    terms: termsOf(row).terms,
    revision: row.revision,
    createdAtMs: row.createdAtMs,
    changedAtMs: row.changedAtMs,
  }
}
