import type { Decision, Facts } from './decision.ts'

/**
 * Whether carrying this permit out would use something up: money, a count, a yes, or a grant that is good once. What
 * uses up nothing may be decided as often as one likes; the rest has to be reserved.
 */
export function isConsuming(permit: Extract<Decision, { effect: 'permit' }>, facts: Facts): boolean {
  const effects = facts.skill.kind === 'approved' ? (facts.skill.action?.declared.effects ?? []) : []
  return (
    effects.includes('spend') ||
    facts.amount !== null ||
    permit.approvalId !== null ||
    permit.grant.oneTime ||
    // Counters change where a budget, a velocity limit or an ask-first rule counts the action.
    permit.counters.length > 0
  )
}
