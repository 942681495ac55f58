import { EVERY, escapeToken, parsePointer, selectPointer } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject, ownMember } from '../json-value.ts'
import { domainOfMailAddress, parseMailDomain } from './mail-address.ts'
import type { Constraint } from './terms.ts'
import { isUnderPath, parseHttpsUrl, parseOrigin, parsePathPrefix, parsePathSegments } from './web-address.ts'

/** A recipient the user saved: the value itself, under an id that says nothing about it. */
export type SavedRecipient = { readonly id: string; readonly value: JsonValue }

export type ConstraintContext = {
  /** Pointers, with `*`, of the fields of this action that the manifest marks as naming a recipient. */
  readonly recipientPointers: readonly string[]
  readonly savedRecipients: readonly SavedRecipient[]
}

export type ConstraintFaultCode =
  | 'field_missing'
  | 'field_present'
  | 'value_not_allowed'
  | 'out_of_range'
  | 'too_long'
  | 'origin_not_allowed'
  | 'path_not_allowed'
  | 'mail_domain_not_allowed'
  | 'recipient_not_saved'
  | 'no_recipient_field'
  | 'unknown_constraint'

export type ConstraintOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly pointer: string; readonly code: ConstraintFaultCode }

export type PointedConstraint = Exclude<Constraint, { kind: 'saved_recipient' | 'absent' }>

/** Checks every constraint of an action; the first that does not hold is the answer. */
export function checkConstraints(
  constraints: readonly Constraint[],
  args: JsonValue,
  context: ConstraintContext,
): ConstraintOutcome {
  for (const constraint of constraints) {
    const outcome = checkConstraint(constraint, args, context)
    if (!outcome.ok) return outcome
  }
  return { ok: true }
}

/**
 * Checks one constraint on the arguments. Never throws: a missing field (an empty array under `*` too) and a
 * kind this version does not know are refusals, as DESIGN section 6 asks.
 *
 * @returns the pointer of the value that broke it, with the index in place of `*`.
 */
export function checkConstraint(
  constraint: Constraint,
  args: JsonValue,
  context: ConstraintContext,
): ConstraintOutcome {
  switch (constraint.kind) {
    case 'saved_recipient':
      return checkRecipients(constraint, args, context)
    case 'absent':
      return checkAbsent(constraint.pointer, args)
    default:
      return checkValues(constraint.pointer, args, (value) => faultOfValue(constraint, value))
  }
}

/** Returns what is wrong with one value that a constraint points at, or undefined if it is allowed. */
export function faultOfValue(
  constraint: PointedConstraint,
  value: JsonValue,
): ConstraintFaultCode | undefined {
  switch (constraint.kind) {
    case 'equals':
      return value === constraint.value ? undefined : 'value_not_allowed'
    case 'one_of':
      return constraint.values.some((allowed) => allowed === value) ? undefined : 'value_not_allowed'
    case 'range':
      return isInRange(constraint, value) ? undefined : 'out_of_range'
    case 'length':
      return (lengthOf(value) ?? Number.POSITIVE_INFINITY) <= constraint.max ? undefined : 'too_long'
    case 'origin':
      return isAllowedOrigin(constraint.origins, value) ? undefined : 'origin_not_allowed'
    case 'path_prefix':
      return isAllowedPath(constraint.prefix, value) ? undefined : 'path_not_allowed'
    case 'mail_domain':
      return isAllowedMail(constraint.domains, value) ? undefined : 'mail_domain_not_allowed'
    default:
      // Stored terms may come from a newer version; a limit nobody can check must not pass.
      return 'unknown_constraint'
  }
}

function checkValues(
  pointer: string,
  args: JsonValue,
  faultOf: (value: JsonValue) => ConstraintFaultCode | undefined,
): ConstraintOutcome {
  if (typeof pointer !== 'string') return { ok: false, pointer: '', code: 'unknown_constraint' }
  const selection = selectPointer(args, pointer)
  if (selection.kind === 'missing') return { ok: false, pointer, code: 'field_missing' }
  for (const match of selection.matches) {
    const code = faultOf(match.value)
    if (code) return { ok: false, pointer: match.pointer, code }
  }
  return { ok: true }
}

function checkAbsent(pointer: string, args: JsonValue): ConstraintOutcome {
  const tokens = parsePointer(pointer)
  if (!tokens) return { ok: false, pointer, code: 'unknown_constraint' }
  const found = firstPresent(args, tokens, '')
  return found === undefined ? { ok: true } : { ok: false, pointer: found, code: 'field_present' }
}

/** Unlike `selectPointer`, one element that has the field is enough: absent means absent everywhere. */
function firstPresent(value: JsonValue, tokens: readonly string[], at: string): string | undefined {
  const [token, ...rest] = tokens
  if (token === undefined) return at
  for (const [name, child] of childrenNamed(value, token)) {
    const found = firstPresent(child, rest, `${at}/${escapeToken(name)}`)
    if (found !== undefined) return found
  }
  return undefined
}

function childrenNamed(value: JsonValue, token: string): readonly (readonly [string, JsonValue])[] {
  if (isJsonArray(value)) {
    const elements = value.map((element, index) => [String(index), element] as const)
    return token === EVERY ? elements : elements.filter(([index]) => index === token)
  }
  if (!isJsonObject(value)) return []
  if (token === EVERY) return Object.entries(value)
  const member = ownMember(value, token)
  return member === undefined ? [] : [[token, member]]
}

function checkRecipients(
  constraint: Extract<Constraint, { kind: 'saved_recipient' }>,
  args: JsonValue,
  context: ConstraintContext,
): ConstraintOutcome {
  // Nothing marked would mean that nothing was checked, which is not what the user asked for.
  if (context.recipientPointers.length === 0) return { ok: false, pointer: '', code: 'no_recipient_field' }
  const { recipientIds } = constraint
  const allowed = context.savedRecipients.filter(({ id }) => !recipientIds || recipientIds.includes(id))
  for (const pointer of context.recipientPointers) {
    const outcome = checkValues(pointer, args, (value) => {
      // An empty text names nobody, however it came to be saved.
      if (typeof value !== 'string' || value === '') return 'recipient_not_saved'
      return allowed.some((saved) => saved.value === value) ? undefined : 'recipient_not_saved'
    })
    if (!outcome.ok) return outcome
  }
  return { ok: true }
}

function isInRange(range: { min?: number | undefined; max?: number | undefined }, value: JsonValue): boolean {
  if (typeof value !== 'number') return false
  return value >= (range.min ?? Number.NEGATIVE_INFINITY) && value <= (range.max ?? Number.POSITIVE_INFINITY)
}

function lengthOf(value: JsonValue): number | undefined {
  if (typeof value === 'string') return [...value].length // code points, as JSON Schema counts
  return isJsonArray(value) ? value.length : undefined
}

function isAllowedOrigin(origins: readonly string[], value: JsonValue): boolean {
  const url = typeof value === 'string' ? parseHttpsUrl(value) : undefined
  return url !== undefined && origins.some((origin) => parseOrigin(origin) === url.origin)
}

function isAllowedPath(prefix: string, value: JsonValue): boolean {
  const segments = typeof value === 'string' ? parsePathSegments(value) : undefined
  const wanted = parsePathPrefix(prefix)
  return segments !== undefined && wanted !== undefined && isUnderPath(segments, wanted)
}

function isAllowedMail(domains: readonly string[], value: JsonValue): boolean {
  const domain = typeof value === 'string' ? domainOfMailAddress(value) : undefined
  return domain !== undefined && domains.some((allowed) => parseMailDomain(allowed) === domain)
}
