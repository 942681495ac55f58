import { timesOf } from '../core/decision/amount-of.ts'
import { ruleCounters } from '../core/decision/asked-before.ts'
import type { Decision, Facts } from '../core/decision/decision.ts'
import type { GrantTerms } from '../core/grant/terms.ts'
import { counterIdOf } from '../core/spending/counter.ts'
import { restart } from '../core/spending/window.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { saveCounters } from './load-counters.ts'
import type { AskedAction, LoadedFacts } from './load-facts.ts'
import { noteSkillDuties } from './note-skill-duties.ts'

/** Everything a permit consumes, whatever the skill then does: budgets, the yes, the grant, the debt. What it may remember is noted. */
export async function useUpPermit(
  broker: Broker,
  tx: Tx,
  asked: AskedAction,
  loaded: LoadedFacts,
  row: ActionRow,
  { grant, approvalId, counters }: Extract<Decision, { effect: 'permit' }>,
): Promise<void> {
  const { facts } = loaded
  const reserved = new Map(counters.map((counter) => [counter.counterId, counter]))
  const moved = loaded.countersNow.moved.filter((counter) => !reserved.has(counter.counterId))
  await saveCounters(tx, asked.userId, [...counters, ...moved], loaded.countersNow.stored)
  if (approvalId !== null) {
    await tx.approvals.setStatus(approvalId, 'used', tx.nowMs, asked.userId)
    await restartUnasked(tx, asked, loaded, facts, grant.terms)
  }
  if (grant.oneTime) {
    const grantRow = await tx.grants.find(grant.id, asked.userId)
    if (grantRow) await tx.grants.update({ ...grantRow, status: 'used_up', changedAtMs: tx.nowMs })
  }
  if (loaded.debtActionId !== null) await tx.debts.setPayment(loaded.debtActionId, row.id, asked.userId)
  for (const recipient of facts.recipients) {
    const tag = broker.pseudonyms.recipientTag(asked.userId, recipient)
    await tx.recipients.remember(asked.userId, asked.skill, tag, tx.nowMs)
  }
  if (loaded.loaded && loaded.action)
    await noteSkillDuties(broker, tx, row, loaded.loaded, loaded.action, {
      id: grant.id,
      retentionDays: grant.terms.retentionDays,
    })
  const recurs = loaded.action?.declared.spends?.recurs
  if (loaded.action && recurs) {
    await tx.commitments.insert({
      actionId: row.id,
      userId: asked.userId,
      skillId: asked.skill,
      grantId: grant.id,
      times: timesOf(loaded.action.declared, facts.arguments) ?? recurs.most,
      status: 'running',
      createdAtMs: tx.nowMs,
    })
  }
}

/** One yes starts the sum of what went without a yes anew. */
async function restartUnasked(
  tx: Tx,
  asked: AskedAction,
  loaded: LoadedFacts,
  facts: Facts,
  terms: GrantTerms,
): Promise<void> {
  const whose = { agentLineage: loaded.lineageId, skill: asked.skill }
  const ids = new Set(
    terms.askFirst
      .filter((rule) => rule.kind === 'above_unasked')
      .flatMap((rule) => ruleCounters(rule, terms, loaded.loaded?.manifest.actions ?? [], whose))
      .map(counterIdOf),
  )
  const restarted = facts.counters
    .filter((counter) => ids.has(counter.counterId))
    .map((counter) => restart(counter, facts.reservedAtMs))
  await tx.counters.move(asked.userId, restarted)
}
