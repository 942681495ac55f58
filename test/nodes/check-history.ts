import type { History, Seen, Told } from './history.ts'

export type Violation = {
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P5'
  readonly code:
    | 'called_without_permit'
    | 'spent_beyond_limit'
    | 'called_beyond_limit'
    | 'permit_after_stop'
    | 'call_after_stop_unannounced'
    | 'executed_twice'
    | 'two_executions_of_one_key'
    | 'acknowledged_leaf_lost'
    | 'acknowledged_action_lost'
    | 'acknowledged_outcome_changed'
  readonly about: string
}

const FINAL = new Set(['succeeded', 'refused_by_skill', 'failed', 'overtaken', 'refused'])

/**
 * Holds a recorded history against the promises: what was permitted and called never passes a limit (P2), a stop that
 * was acknowledged is obeyed by every call begun after it, and announced every call that came later all the same (P3),
 * one key is executed once (P4), and nothing acknowledged is lost or changed (P1, P5).
 */
export function checkHistory(history: History): Violation[] {
  return [
    ...checkSpending(history),
    ...checkStops(history),
    ...checkExecutions(history),
    ...checkAcknowledged(history),
    ...checkCallsWerePermitted(history),
  ]
}

function checkSpending({ seen, ending }: History): Violation[] {
  const violations: Violation[] = []
  for (const [user, limit] of ending.limitsMinor) {
    const counted = ending.actions.filter((action) => action.user === user)
    const spent = counted.reduce((sum, action) => sum + action.heldMinor + action.capturedMinor, 0)
    if (spent > limit) violations.push({ promise: 'P2', code: 'spent_beyond_limit', about: user })
    const calls = ofKind(seen, 'called').filter((call) => call.user === user)
    const once = new Map(calls.map((call) => [call.executionId, call.amountMinor]))
    const called = [...once.values()].reduce((sum, amount) => sum + amount, 0)
    if (called > limit) violations.push({ promise: 'P2', code: 'called_beyond_limit', about: user })
  }
  return violations
}

function checkStops({ seen }: History): Violation[] {
  const violations: Violation[] = []
  const askedAt = new Map(ofKind(seen, 'asked').map((asked) => [asked.call, asked]))
  const stopping = new Map(ofKind(seen, 'stopping').map((stop) => [stop.stop, stop]))
  for (const stop of ofKind(seen, 'stopped')) {
    const user = stopping.get(stop.stop)?.user
    const announced = new Set(stop.unsettled)
    // What was answered before the stop is an old story, told again where its key is used again.
    const known = new Set(
      ofKind(seen, 'told')
        .filter((told) => told.at < stop.at)
        .map((told) => told.outcome.actionId),
    )
    for (const told of ofKind(seen, 'told')) {
      const asked = askedAt.get(told.call)
      if (!asked || asked.user !== user || asked.at < stop.at || told.outcome.effect !== 'permit') continue
      const { actionId } = told.outcome
      if (known.has(actionId) || announced.has(actionId)) continue
      violations.push({ promise: 'P3', code: 'permit_after_stop', about: actionId })
    }
    for (const call of ofKind(seen, 'called')) {
      if (call.user !== user || call.at < stop.at || announced.has(call.executionId)) continue
      violations.push({ promise: 'P3', code: 'call_after_stop_unannounced', about: call.executionId })
    }
  }
  return violations
}

function checkExecutions({ seen, ending }: History): Violation[] {
  const violations: Violation[] = []
  const calls = new Map<string, number>()
  for (const { executionId } of ofKind(seen, 'called')) {
    calls.set(executionId, (calls.get(executionId) ?? 0) + 1)
  }
  for (const [executionId, times] of calls) {
    if (times > 1) violations.push({ promise: 'P4', code: 'executed_twice', about: executionId })
  }
  const executed = new Map<string, string>()
  for (const { key, user, actionId } of ending.actions) {
    if (!calls.has(actionId)) continue
    const scoped = `${user} ${key}`
    const other = executed.get(scoped)
    if (other !== undefined && other !== actionId) {
      violations.push({ promise: 'P4', code: 'two_executions_of_one_key', about: scoped })
    }
    executed.set(scoped, actionId)
  }
  return violations
}

function checkAcknowledged({ seen, ending }: History): Violation[] {
  const violations: Violation[] = []
  const actions = new Map(ending.actions.map((action) => [action.actionId, action]))
  for (const { outcome } of ofKind(seen, 'told')) {
    const { actionId, promise } = outcome
    if (promise && ending.leaves.get(promise.eventId) !== promise.leafHash) {
      violations.push({ promise: 'P5', code: 'acknowledged_leaf_lost', about: promise.eventId })
    }
    const action = actions.get(actionId)
    if (!action) violations.push({ promise: 'P1', code: 'acknowledged_action_lost', about: actionId })
    else if (hasChanged(outcome, action.status)) {
      violations.push({ promise: 'P5', code: 'acknowledged_outcome_changed', about: actionId })
    }
  }
  return violations
}

/** What waits or is in doubt goes on; what was final stays. */
function hasChanged(told: Told, status: string): boolean {
  return FINAL.has(told.status) && told.status !== status
}

function checkCallsWerePermitted({ seen, ending }: History): Violation[] {
  const logged = new Set(ending.leaves.values())
  const actions = new Set(ending.actions.map((action) => action.actionId))
  return ofKind(seen, 'called')
    .filter((call) => !logged.has(call.leafHash) || !actions.has(call.executionId))
    .map((call) => ({ promise: 'P1', code: 'called_without_permit', about: call.executionId }))
}

function ofKind<K extends Seen['kind']>(seen: readonly Seen[], kind: K): Extract<Seen, { kind: K }>[] {
  return seen.filter((event): event is Extract<Seen, { kind: K }> => event.kind === kind)
}
