import { escapeToken } from '../json-pointer.ts'
import type { JsonObject, JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject, ownMember, withMember } from '../json-value.ts'
import { checkText } from '../text-rules.ts'
import type {
  ArrayNode,
  LeafNode,
  MapNode,
  NumberNode,
  ObjectNode,
  SchemaNode,
  StringNode,
} from './schema-node.ts'
import { isBrokerFilled } from './schema-node.ts'
import { hasFormat } from './string-format.ts'

/**
 * Which side of the broker a value is on. An agent's arguments have no broker-filled fields; a skill's have
 * them all; both keep the text rules. A result is the skill's own and has neither.
 */
export type SchemaUse = 'agent_arguments' | 'skill_arguments' | 'result'

export type ValueFaultCode =
  | 'wrong_type'
  | 'unknown_field'
  | 'missing_field'
  | 'broker_filled_field'
  | 'not_allowed_value'
  | 'too_short'
  | 'too_long'
  | 'pattern_mismatch'
  | 'format_mismatch'
  | 'too_small'
  | 'too_large'
  | 'not_a_multiple'
  | 'too_few_items'
  | 'too_many_items'
  | 'duplicate_items'
  | 'too_few_fields'
  | 'too_many_fields'
  | 'lone_surrogate'
  | 'not_nfc'
  | 'control_character'
  | 'bidi_control'
  | 'invisible_character'

/** `tokens` are added on the way up, so that a value without faults costs no pointers. */
export type RawFault = { readonly code: ValueFaultCode; readonly message: string; readonly tokens: string[] }

/** Returns the value with defaults filled in, a copy only where that changes it. */
export type NodeCheck = (value: JsonValue, faults: RawFault[]) => JsonValue

/** Enough to mend a call with; a hostile body must not make the answer larger than itself. */
const MAX_FAULTS = 20

/**
 * Turns a schema into one function per node. No source text is generated: what a stranger wrote decides
 * which of these functions run, never what they contain.
 */
export function checkOf(node: SchemaNode, use: SchemaUse): NodeCheck {
  switch (node.type) {
    case 'string':
      return stringCheck(node, use)
    case 'integer':
    case 'number':
      return numberCheck(node)
    case 'boolean':
      return leafCheck(node, (value) => typeof value === 'boolean', 'a boolean')
    case 'array':
      return arrayCheck(node, use)
    case 'object':
      return objectCheck(node, use)
    case 'map':
      return mapCheck(node, use)
  }
}

export function faultPointer(fault: RawFault): string {
  return fault.tokens
    .map((token) => `/${escapeToken(token)}`)
    .reverse()
    .join('')
}

function report(faults: RawFault[], code: ValueFaultCode, message: string, token?: string): void {
  if (faults.length < MAX_FAULTS) faults.push({ code, message, tokens: token === undefined ? [] : [token] })
}

/** Adds the name of a child to every fault the child reported. */
function place(faults: RawFault[], before: number, token: string): void {
  for (let index = before; index < faults.length; index += 1) faults[index]?.tokens.push(token)
}

function leafCheck(node: LeafNode, hasType: (value: JsonValue) => boolean, name: string): NodeCheck {
  const { allowed } = node
  return (value, faults) => {
    if (!hasType(value)) report(faults, 'wrong_type', `must be ${name}`)
    else if (allowed && !allowed.includes(value)) report(faults, 'not_allowed_value', 'is not a listed value')
    return value
  }
}

function numberCheck(node: NumberNode): NodeCheck {
  const { minimum, maximum, isAboveMinimum, isBelowMaximum, multipleOf } = node
  const hasType = node.type === 'integer' ? Number.isInteger : Number.isFinite
  const check = leafCheck(node, hasType, node.type === 'integer' ? 'an integer' : 'a number')
  return (value, faults) => {
    if (typeof value !== 'number' || !hasType(value)) return check(value, faults)
    if (isAboveMinimum ? value <= minimum : value < minimum) {
      report(faults, 'too_small', `must be ${isAboveMinimum ? 'more than' : 'at least'} ${minimum}`)
    }
    if (isBelowMaximum ? value >= maximum : value > maximum) {
      report(faults, 'too_large', `must be ${isBelowMaximum ? 'less than' : 'at most'} ${maximum}`)
    }
    if (multipleOf !== undefined && value % multipleOf !== 0) {
      report(faults, 'not_a_multiple', `must be a multiple of ${multipleOf}`)
    }
    return check(value, faults)
  }
}

function stringCheck(node: StringNode, use: SchemaUse): NodeCheck {
  const { minLength, maxLength, pattern, format } = node
  const check = leafCheck(node, (value) => typeof value === 'string', 'a string')
  const textKind = node.kind === 'freeText' ? 'free_text' : 'plain'
  return (value, faults) => {
    if (typeof value !== 'string') return check(value, faults)
    const textFault = use === 'result' ? undefined : checkText(value, textKind)
    if (textFault) report(faults, textFault, 'has characters that are not allowed here')
    if (value.length > maxLength && !hasAtMost(value, maxLength)) {
      // Nothing else is looked at: matching is linear in a length that has to be bounded first.
      report(faults, 'too_long', `must have at most ${maxLength} characters`)
      return value
    }
    if (minLength > 0 && hasAtMost(value, minLength - 1)) {
      report(faults, 'too_short', `must have at least ${minLength} characters`)
    }
    if (pattern && !pattern.test(value)) report(faults, 'pattern_mismatch', `must match ${pattern.source}`)
    if (format && !hasFormat(value, format)) report(faults, 'format_mismatch', `must be of format ${format}`)
    return check(value, faults)
  }
}

/** Lengths in JSON Schema count code points (section 6.3.1), of which each takes one or two units. */
function hasAtMost(text: string, codePoints: number): boolean {
  if (text.length <= codePoints) return true
  if (text.length > codePoints * 2) return false
  let count = 0
  for (const _ of text) count += 1
  return count <= codePoints
}

function arrayCheck(node: ArrayNode, use: SchemaUse): NodeCheck {
  const checkItem = checkOf(node.items, use)
  const { minItems, maxItems, isUnique } = node
  return (value, faults) => {
    if (!isJsonArray(value)) {
      report(faults, 'wrong_type', 'must be an array')
      return value
    }
    if (value.length < minItems) report(faults, 'too_few_items', `must have at least ${minItems} items`)
    if (value.length > maxItems) {
      report(faults, 'too_many_items', `must have at most ${maxItems} items`)
      return value
    }
    if (isUnique && new Set(value).size < value.length) report(faults, 'duplicate_items', 'repeats an item')
    let result = value
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index] ?? null
      const before = faults.length
      const checked = checkItem(item, faults)
      if (faults.length > before) place(faults, before, String(index))
      if (checked !== item) result = result.with(index, checked)
    }
    return result
  }
}

type Member = {
  readonly name: string
  readonly check: NodeCheck
  readonly isRequired: boolean
  readonly isRefused: boolean
  readonly fallback: JsonValue | undefined
}

function objectCheck(node: ObjectNode, use: SchemaUse): NodeCheck {
  const members = node.properties.map((property): Member => {
    const isRefused = use === 'agent_arguments' && isBrokerFilled(property.node)
    const { name } = property
    // Defaults are for arguments; filling one into a result would put words into the skill's mouth.
    const fallback = use === 'result' ? undefined : property.fallback
    const check = checkOf(property.node, use)
    return { name, check, isRequired: property.isRequired && !isRefused, isRefused, fallback }
  })
  // A Map, not an object: `__proto__` and `constructor` are names like any other.
  const byName = new Map(members.map((member) => [member.name, member]))
  const mayBeAbsent = members.filter((member) => member.isRequired || member.fallback !== undefined)
  return (value, faults) => {
    if (!isJsonObject(value)) {
      report(faults, 'wrong_type', 'must be an object')
      return value
    }
    let result = value
    for (const name of Object.keys(value)) {
      const member = byName.get(name)
      const given = value[name]
      if (!member || given === undefined) report(faults, 'unknown_field', 'is not declared', name)
      else if (member.isRefused) report(faults, 'broker_filled_field', 'is filled by the broker', name)
      else result = checkMember(member.check, name, given, result, faults)
    }
    for (const { name, fallback } of mayBeAbsent) {
      if (Object.hasOwn(value, name)) continue
      if (fallback !== undefined) result = withMember(result, name, fallback)
      else report(faults, 'missing_field', 'is missing', name)
    }
    return result
  }
}

function mapCheck(node: MapNode, use: SchemaUse): NodeCheck {
  const checkName = checkOf(node.names, use)
  const checkValue = checkOf(node.values, use)
  const { minProperties, maxProperties } = node
  return (value, faults) => {
    if (!isJsonObject(value)) {
      report(faults, 'wrong_type', 'must be an object')
      return value
    }
    const names = Object.keys(value)
    if (names.length < minProperties)
      report(faults, 'too_few_fields', `must have at least ${minProperties} fields`)
    if (names.length > maxProperties) {
      report(faults, 'too_many_fields', `must have at most ${maxProperties} fields`)
      return value
    }
    let result = value
    for (const name of names) {
      const before = faults.length
      checkName(name, faults)
      if (faults.length > before) place(faults, before, name)
      result = checkMember(checkValue, name, ownMember(value, name) ?? null, result, faults)
    }
    return result
  }
}

function checkMember(
  check: NodeCheck,
  name: string,
  given: JsonValue,
  object: JsonObject,
  faults: RawFault[],
): JsonObject {
  const before = faults.length
  const checked = check(given, faults)
  if (faults.length > before) place(faults, before, name)
  return checked === given ? object : withMember(object, name, checked)
}
