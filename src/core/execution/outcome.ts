import type { Effect } from '../manifest/manifest.ts'

/** What came back from a skill, as far as an outcome depends on it. The port's replies have this shape. */
export type ReplyFacts =
  | { readonly kind: 'not_sent'; readonly code: string }
  | { readonly kind: 'broken'; readonly code: BrokenReason }
  /** An MCP tool said that it failed; JSON where it said more, nothing where it did not. */
  | {
      readonly kind: 'tool_error'
      readonly code: 'tool_error' | 'input_required'
      readonly body: Uint8Array
    }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly contentType: string
      readonly body: Uint8Array
    }

type BrokenReason = 'timed_out' | 'cut' | 'oversize' | 'redirect' | 'protocol_error' | 'cancelled'

/** Why nobody can tell what the skill did, or why a harmless action counts as failed. */
export type UnclearReason =
  | BrokenReason
  | 'unexpected_status'
  | 'not_json'
  | 'wrong_shape'
  | 'tool_error'
  | 'input_required'

export type Outcome<Result> =
  /** The request never left; the reservation can be released. */
  | { readonly kind: 'failed_before_effect'; readonly code: string }
  /** The skill said no in the shape its manifest declares. */
  | { readonly kind: 'refused'; readonly skillCode: string }
  | { readonly kind: 'succeeded'; readonly result: Result }
  | { readonly kind: 'in_doubt'; readonly reason: 'accepted'; readonly askAgain: true }
  | {
      readonly kind: 'in_doubt'
      readonly reason: UnclearReason
      readonly askAgain: false
      readonly status?: number
    }
  /** Unclear too, but the action has no effect that would have to be settled. */
  | { readonly kind: 'failed'; readonly code: UnclearReason; readonly status?: number }

export interface OutcomeInput<Result> {
  readonly reply: ReplyFacts
  readonly effects: readonly Effect[]
  /** The manifest's words for the skill's own refusals, if it has any. */
  readonly refusal:
    | { readonly statuses?: readonly number[] | undefined; readonly codePointer: string }
    | undefined
  /** Parses JSON strictly; undefined when the bytes are not JSON. */
  readonly parse: (bytes: Uint8Array) => { readonly value: unknown } | undefined
  /** Checks a value against the action's result schema. */
  readonly checkResult: (
    value: unknown,
  ) => { readonly ok: true; readonly value: Result } | { readonly ok: false }
}

/** Effects whose outcome must not be guessed: the money, the door or the payee list may have changed. */
const EFFECTS_TO_SETTLE: readonly Effect[] = ['spend', 'physical', 'authority']

/** A skill's code is shown and logged, so it is a short plain word or it is no code. */
const SKILL_CODE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/

/**
 * Says what a call to a skill came to. Only three answers are certain: it never left, the skill refused as it
 * declared, or it succeeded with a result that fits. The first that applies wins; all else is in doubt where an
 * effect would have to be settled, and failed where there is none.
 */
export function classifyOutcome<Result>(input: OutcomeInput<Result>): Outcome<Result> {
  const { reply } = input
  if (reply.kind === 'not_sent') return { kind: 'failed_before_effect', code: reply.code }
  if (reply.kind === 'broken') return unclear(input, reply.code)
  if (reply.kind === 'tool_error') return ofToolError(input, reply)
  // Accepted is a promise, not an outcome, whatever its body says.
  if (reply.status === 202) return { kind: 'in_doubt', reason: 'accepted', askAgain: true }

  const isSuccess = reply.status >= 200 && reply.status < 300
  const isRefusal =
    reply.status >= 400 && reply.status < 500 && input.refusal?.statuses?.includes(reply.status)
  if (!isSuccess && !isRefusal) return unclear(input, 'unexpected_status', reply.status)

  const parsed = reply.contentType === 'application/json' ? input.parse(reply.body) : undefined
  if (!parsed) return unclear(input, 'not_json', reply.status)
  if (isSuccess) {
    const checked = input.checkResult(parsed.value)
    if (checked.ok) return { kind: 'succeeded', result: checked.value }
    return unclear(input, 'wrong_shape', reply.status)
  }

  const skillCode = refusalIn(parsed.value, input)
  return skillCode === undefined
    ? unclear(input, 'wrong_shape', reply.status)
    : { kind: 'refused', skillCode }
}

/** An error is no refusal by itself: what the tool did before it failed is not known. */
function ofToolError<Result>(
  input: OutcomeInput<Result>,
  reply: Extract<ReplyFacts, { kind: 'tool_error' }>,
): Outcome<Result> {
  const parsed = input.refusal && reply.body.length > 0 ? input.parse(reply.body) : undefined
  const skillCode = parsed && refusalIn(parsed.value, input)
  return skillCode === undefined ? unclear(input, reply.code) : { kind: 'refused', skillCode }
}

function refusalIn<Result>(value: unknown, { refusal }: OutcomeInput<Result>): string | undefined {
  const code = valueAt(value, refusal?.codePointer ?? '')
  return typeof code === 'string' && SKILL_CODE.test(code) ? code : undefined
}

/** Whether an outcome that nobody knows has to be found out. No effects at all cannot be valid; the widest is assumed. */
export function hasEffectToSettle(effects: readonly Effect[]): boolean {
  return effects.length === 0 || effects.some((effect) => EFFECTS_TO_SETTLE.includes(effect))
}

function unclear<Result>(
  input: OutcomeInput<Result>,
  reason: UnclearReason,
  status?: number,
): Outcome<Result> {
  const at = status === undefined ? {} : { status }
  if (hasEffectToSettle(input.effects)) return { kind: 'in_doubt', reason, askAgain: false, ...at }
  return { kind: 'failed', code: reason, ...at }
}

/** Follows a JSON Pointer (RFC 6901) through own properties only. */
function valueAt(root: unknown, pointer: string): unknown {
  const steps = pointer.split('/').slice(1)
  return steps.reduce<unknown>((value, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    return Reflect.get(value, key)
  }, root)
}
