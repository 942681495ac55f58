/** Who of the operators does something, and why. */
export type OperatorAct = {
  readonly operatorId: string
  /** What the log and other operators will read, 5 to 500 characters. */
  readonly reason: string
}

export type ReasonRefused = { readonly kind: 'reason_refused'; readonly message: string }

/** A write without a reason that says something is refused before anything is looked at. */
export function refuseReason({ operatorId, reason }: OperatorAct): ReasonRefused | undefined {
  if (operatorId === '') return { kind: 'reason_refused', message: 'every write of an operator names them' }
  const length = reason.trim().length
  if (length >= 5 && reason.length <= 500 && reason.isWellFormed()) return undefined
  return { kind: 'reason_refused', message: 'a reason has 5 to 500 characters' }
}
