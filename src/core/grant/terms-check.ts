import type { Manifest, ManifestAction } from '../manifest/manifest.ts'
import { findAction } from '../manifest/manifest.ts'
import { isCurrency } from '../money.ts'
import { faultOfConstraint } from './constraint-check.ts'
import { DAY_MS, GRANT_DAYS_MOST } from './grant-state.ts'
import type { GrantTerms } from './terms.ts'

export type TermsFaultCode =
  | 'skill_differs'
  | 'action_unknown'
  | 'action_named_twice'
  | 'constraint_field_unknown'
  | 'constraint_cannot_hold'
  | 'budget_action_not_asked'
  | 'budget_currency_unused'
  | 'budget_missing'
  | 'ask_first_action_not_asked'
  | 'ask_first_currency_unused'
  | 'unasked_action_not_asked'
  | 'category_unknown'
  | 'recipient_unknown'
  | 'memory_class_unknown'
  | 'retention_too_long'
  | 'deployment_unknown'
  | 'expiry_passed'
  | 'expiry_too_far'

/** What is wrong with asked terms, where in them, and in English what would mend it. */
export type TermsFault = {
  readonly pointer: string
  readonly code: TermsFaultCode
  readonly detail: string
}

/**
 * Checks that terms speak only of what the manifest has and that they can work at all; empty means fine.
 * Every fault is listed at once, so that an agent's developer mends them in one go.
 *
 * @param registeredDeployments ids of the deployments registered for the asking agent.
 */
export function checkTermsAgainstManifest(
  terms: GrantTerms,
  manifest: Manifest,
  registeredDeployments: readonly string[],
  nowMs: number,
): TermsFault[] {
  if (terms.skill !== manifest.skill) {
    return [faultAt('/skill', 'skill_differs', `The manifest is of ${manifest.skill}.`)]
  }
  return [
    ...actionFaults(terms, manifest),
    ...budgetFaults(terms, manifest),
    ...missingBudgets(terms, manifest),
    ...ruleFaults(terms, manifest),
    ...unknownNames(terms, manifest),
    ...retentionFaults(terms, manifest),
    ...deploymentFaults(terms, registeredDeployments),
    ...expiryFaults(terms, nowMs),
  ]
}

function faultAt(pointer: string, code: TermsFaultCode, detail: string): TermsFault {
  return { pointer, code, detail }
}

function actionFaults(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  return terms.actions.flatMap(({ name, constraints }, index) => {
    const pointer = `/actions/${index}`
    const action = findAction(manifest, name)
    if (!action) return [faultAt(pointer, 'action_unknown', `${manifest.skill} has no action ${name}.`)]
    if (terms.actions.findIndex((other) => other.name === name) !== index) {
      return [faultAt(pointer, 'action_named_twice', 'Put all constraints of an action into one entry.')]
    }
    return constraints.flatMap((constraint, at) => {
      const fault = faultOfConstraint(constraint, action)
      return fault ? [faultAt(`${pointer}/constraints/${at}`, fault.code, fault.detail)] : []
    })
  })
}

function askedActions(terms: GrantTerms, manifest: Manifest, only?: readonly string[]): ManifestAction[] {
  return terms.actions.flatMap(({ name }) => {
    const action = only && !only.includes(name) ? undefined : findAction(manifest, name)
    return action ? [action] : []
  })
}

function chargesIn(action: ManifestAction, currency: string): boolean {
  return isCurrency(currency) && action.spends !== undefined && Object.hasOwn(action.spends.most, currency)
}

function budgetFaults(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  return terms.budgets.flatMap((budget, index) => {
    const pointer = `/budgets/${index}`
    const only = budget.action === undefined ? undefined : [budget.action]
    if (only && !terms.actions.some(({ name }) => only.includes(name))) {
      return [faultAt(pointer, 'budget_action_not_asked', 'Ask for this action or leave the budget out.')]
    }
    if (budget.measure === 'count') return []
    const { currency } = budget
    if (askedActions(terms, manifest, only).some((action) => chargesIn(action, currency))) return []
    return [faultAt(pointer, 'budget_currency_unused', `Nothing covered here can charge ${currency}.`)]
  })
}

function missingBudgets(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  return terms.actions.flatMap(({ name }, index) => {
    const most = findAction(manifest, name)?.spends?.most
    if (!most) return []
    const isCovered = terms.budgets.some(
      (budget) =>
        budget.measure === 'amount' &&
        (budget.action === undefined || budget.action === name) &&
        Object.hasOwn(most, budget.currency),
    )
    if (isCovered) return []
    const currencies = Object.keys(most).join(' or ')
    const detail = `${name} spends: add a budget of measure "amount" in ${currencies} that covers it.`
    return [faultAt(`/actions/${index}`, 'budget_missing', detail)]
  })
}

function ruleFaults(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  const names = terms.actions.map(({ name }) => name)
  const rules = terms.askFirst.flatMap((rule, index) => {
    const pointer = `/askFirst/${index}`
    const stray = rule.actions?.find((name) => !names.includes(name))
    if (stray !== undefined) {
      return [faultAt(pointer, 'ask_first_action_not_asked', `${stray} is not among the asked actions.`)]
    }
    if (rule.kind !== 'above_amount' && rule.kind !== 'above_unasked') return []
    const covered = askedActions(terms, manifest, rule.actions)
    if (covered.some((action) => chargesIn(action, rule.currency))) return []
    return [
      faultAt(pointer, 'ask_first_currency_unused', `Nothing covered here can charge ${rule.currency}.`),
    ]
  })
  const unasked = terms.unasked.flatMap(({ action }, index) =>
    names.includes(action)
      ? []
      : [
          faultAt(
            `/unasked/${index}`,
            'unasked_action_not_asked',
            `${action} is not among the asked actions.`,
          ),
        ],
  )
  return [...rules, ...unasked]
}

function unknownNames(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  const recipients = manifest.recipients.map(({ id }) => id)
  return [
    ...terms.categories.flatMap((name, index) =>
      Object.hasOwn(manifest.categories, name)
        ? []
        : [faultAt(`/categories/${index}`, 'category_unknown', `The manifest has no category ${name}.`)],
    ),
    ...terms.recipients.flatMap((id, index) =>
      recipients.includes(id)
        ? []
        : [faultAt(`/recipients/${index}`, 'recipient_unknown', `The manifest has no recipient ${id}.`)],
    ),
  ]
}

function retentionFaults(terms: GrantTerms, manifest: Manifest): TermsFault[] {
  return Object.entries(terms.retentionDays).flatMap(([name, days]) => {
    const pointer = `/retentionDays/${name}`
    const memory = manifest.memory.find((candidate) => candidate.class === name)
    if (!memory)
      return [faultAt(pointer, 'memory_class_unknown', `The manifest has no memory class ${name}.`)]
    // What lives for a session only is not kept for days, whatever maxDays says.
    const mostDays = memory.sessionOnly ? 0 : memory.maxDays
    if (days <= mostDays) return []
    return [
      faultAt(pointer, 'retention_too_long', `The manifest keeps ${name} for ${mostDays} days at most.`),
    ]
  })
}

function deploymentFaults(terms: GrantTerms, registered: readonly string[]): TermsFault[] {
  if (terms.deployments.kind === 'registered') return []
  return terms.deployments.ids.flatMap((id, index) =>
    registered.includes(id)
      ? []
      : [faultAt(`/deployments/ids/${index}`, 'deployment_unknown', 'Register the deployment first.')],
  )
}

function expiryFaults(terms: GrantTerms, nowMs: number): TermsFault[] {
  if (terms.expiresAtMs <= nowMs) {
    return [faultAt('/expiresAtMs', 'expiry_passed', 'Name an instant in the future, in milliseconds.')]
  }
  if (terms.expiresAtMs <= nowMs + GRANT_DAYS_MOST * DAY_MS) return []
  return [faultAt('/expiresAtMs', 'expiry_too_far', `${GRANT_DAYS_MOST} days from now is the longest.`)]
}
