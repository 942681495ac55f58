import { z } from 'zod'
import type { OperatorAct } from '../broker/operator-act.ts'
import { plainText } from '../broker/plain-text.ts'
import type { Caller } from '../core/tokens/access-token.ts'

/** Why an operator does something, as the log and other operators will read it. */
export const reason = plainText(500).refine((text) => text.trim().length >= 5, {
  message: 'a reason has 5 to 500 characters',
})

/** What every write of an operator is signed with in the log. */
export function actOf(caller: Extract<Caller, { kind: 'operator' }>, why: string): OperatorAct {
  return { operatorId: caller.operatorId, reason: why }
}

export const reasonBody = z.strictObject({ reason })
