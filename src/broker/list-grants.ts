import { type GrantState, stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus, GrantTerms } from '../core/grant/terms.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'

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
export function listGrants(broker: Broker, input: { userId: string; page: Page }): Promise<GrantSummary[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.grants.list(input.userId, input.page)
    return rows.map((row) => grantSummary(row, tx.nowMs))
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
