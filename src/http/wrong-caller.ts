import type { CallerKind } from '../core/tokens/access-token.ts'
import { InvalidRequest } from './problem.ts'

const WHO: Readonly<Record<CallerKind, string>> = {
  agent: 'an agent',
  user: 'a user',
  operator: 'an operator',
  enforcement_point: 'an enforcement point',
}

/** The refusal of a caller of another kind than these: it says whose credential is wanted. */
export function wrongCaller(callers: readonly CallerKind[]): InvalidRequest {
  return new InvalidRequest('wrong_caller', { detail: detailFor(callers), members: { callers } })
}

function detailFor(callers: readonly CallerKind[]): string {
  if (callers.length === 1 && callers[0] === 'user') {
    return 'What only a person may do takes the person’s own credential; no agent can do it for them.'
  }
  const names = callers.map((kind) => WHO[kind]).join(' or ')
  return `This takes the own credential of ${names}; no other kind of caller stands in for them.`
}
