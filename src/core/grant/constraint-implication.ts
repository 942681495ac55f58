import { faultOfValue } from './constraint.ts'
import { parseMailDomain } from './mail-address.ts'
import type { Constraint } from './terms.ts'
import { isUnderPath, parseOrigin, parsePathPrefix } from './web-address.ts'

/**
 * Tells whether whatever satisfies `given` is proven to satisfy `wanted`. False means not proven: pointers
 * are compared as written, so a limit on `/items/0` proves nothing about every item.
 */
export function impliesConstraint(given: Constraint, wanted: Constraint): boolean {
  if (wanted.kind === 'saved_recipient') {
    if (given.kind !== 'saved_recipient') return false
    const { recipientIds } = wanted
    return !recipientIds || (given.recipientIds?.every((id) => recipientIds.includes(id)) ?? false)
  }
  if (given.kind === 'saved_recipient' || given.pointer !== wanted.pointer) return false
  if (wanted.kind === 'absent' || given.kind === 'absent') return given.kind === wanted.kind
  const values = valuesOf(given)
  // A fixed set of values is enough for any other kind: each of them can simply be tried.
  if (values) return values.every((value) => faultOfValue(wanted, value) === undefined)
  switch (given.kind) {
    case 'range':
      return wanted.kind === 'range' && isRangeWithin(given, wanted)
    case 'length':
      return wanted.kind === 'length' && given.max <= wanted.max
    case 'origin':
      return wanted.kind === 'origin' && isSubset(given.origins, wanted.origins, parseOrigin)
    case 'mail_domain':
      return wanted.kind === 'mail_domain' && isSubset(given.domains, wanted.domains, parseMailDomain)
    case 'path_prefix':
      return wanted.kind === 'path_prefix' && isPrefixWithin(given.prefix, wanted.prefix)
    default:
      return false
  }
}

function valuesOf(constraint: Constraint): readonly (string | number | boolean)[] | undefined {
  if (constraint.kind === 'equals') return [constraint.value]
  return constraint.kind === 'one_of' ? constraint.values : undefined
}

type Range = Extract<Constraint, { kind: 'range' }>

function isRangeWithin(given: Range, wanted: Range): boolean {
  const { NEGATIVE_INFINITY: lowest, POSITIVE_INFINITY: highest } = Number
  return (given.min ?? lowest) >= (wanted.min ?? lowest) && (given.max ?? highest) <= (wanted.max ?? highest)
}

/** Entries that cannot be parsed allow nothing, so on the given side they do no harm. */
function isSubset(
  given: readonly string[],
  wanted: readonly string[],
  parse: (text: string) => string | undefined,
): boolean {
  const allowed = new Set(wanted.map(parse))
  return given.every((entry) => parse(entry) === undefined || allowed.has(parse(entry)))
}

function isPrefixWithin(given: string, wanted: string): boolean {
  if (given === wanted) return true
  const [below, above] = [parsePathPrefix(given), parsePathPrefix(wanted)]
  return below !== undefined && above !== undefined && isUnderPath(below, above)
}
