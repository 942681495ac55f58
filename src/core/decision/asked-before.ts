import { coversAction } from '../grant/ask-first.ts'
import type { AskFirstRule, GrantTerms } from '../grant/terms.ts'
import type { ManifestAction } from '../manifest/manifest.ts'
import { type Counter, type CounterSpec, counterIdOf } from '../spending/counter.ts'
import { type ForgottenSpan, isForgotten } from '../spending/forgotten.ts'

type CountingRule = Extract<AskFirstRule, { kind: 'above_unasked' | 'too_many' }>
type Whose = { agentLineage: string; skill: string }

/** The ask-first rules that look at what went before, and so need counters of their own. */
export function isCounting(rule: AskFirstRule): rule is CountingRule {
  return rule.kind === 'above_unasked' || rule.kind === 'too_many'
}

/** The counters a rule adds up: one for each action that it covers under these terms. */
export function ruleCounters(
  rule: CountingRule,
  terms: GrantTerms,
  declared: readonly ManifestAction[],
  whose: Whose,
): CounterSpec[] {
  return declared
    .filter((action) => terms.actions.some((granted) => granted.name === action.name))
    .filter((action) => coversAction(rule, action))
    .map((action) => ({
      scope: { agentLineage: whose.agentLineage, skill: whose.skill, action: action.name },
      measure: rule.kind === 'too_many' ? 'count' : 'unasked',
      currency: rule.kind === 'too_many' ? null : rule.currency,
      window: { kind: 'rolling', ms: rule.windowMs },
    }))
}

/** What the counters of a rule hold together: minor units, or permitted actions. Without end where it is forgotten. */
export function usedBefore(
  specs: readonly CounterSpec[],
  counters: readonly Counter[],
  forgotten: readonly ForgottenSpan[] = [],
): number {
  const ids = new Set(specs.map(counterIdOf))
  const own = counters.filter((counter) => ids.has(counter.counterId))
  if (own.some((counter) => isForgotten(counter, forgotten))) return Number.POSITIVE_INFINITY
  return own.reduce((sum, counter) => sum + counter.held + counter.captured, 0)
}
