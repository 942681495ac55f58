import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject } from '../json-value.ts'
import type { ManifestAction } from '../manifest/manifest.ts'
import type { InputField } from './input-field.ts'
import { findInputField, isFilledByBroker, recipientPointersOf } from './input-field.ts'
import { parseMailDomain } from './mail-address.ts'
import type { Constraint } from './terms.ts'
import { parseOrigin, parsePathPrefix } from './web-address.ts'

export type ConstraintFault = {
  readonly code: 'constraint_field_unknown' | 'constraint_cannot_hold'
  readonly detail: string
}

/**
 * Returns why a constraint on an action makes no sense, or undefined. A limit that can never hold would only
 * show after the consent, as a refusal nobody understands.
 */
export function faultOfConstraint(
  constraint: Constraint,
  action: ManifestAction,
): ConstraintFault | undefined {
  if (constraint.kind === 'saved_recipient') {
    if (recipientPointersOf(action).length > 0) return undefined
    return cannotHold(`The manifest marks no field of ${action.name} as a recipient.`)
  }
  const field = findInputField(action, constraint.pointer)
  if (!field) {
    return {
      code: 'constraint_field_unknown',
      detail: `${action.name} has no argument at ${constraint.pointer}.`,
    }
  }
  if (isFilledByBroker(field)) return cannotHold('The broker fills this field after the decision.')
  // The beginning of a command, or a part of it, says nothing of what the rest does.
  if (field.kind === 'command' && PARTIAL.includes(constraint.kind)) {
    return cannotHold('A command is named as a whole: use equals or one_of.')
  }
  return faultOfLimit(constraint, field)
}

/** Limits that look at a part of a text. */
const PARTIAL: readonly Constraint['kind'][] = ['path_prefix', 'origin', 'mail_domain']

function cannotHold(detail: string): ConstraintFault {
  return { code: 'constraint_cannot_hold', detail }
}

function faultOfLimit(
  constraint: Exclude<Constraint, { kind: 'saved_recipient' }>,
  field: InputField,
): ConstraintFault | undefined {
  switch (constraint.kind) {
    case 'absent':
      return undefined
    case 'equals':
      return faultOfValues([constraint.value], field)
    case 'one_of':
      return faultOfValues(constraint.values, field)
    case 'range':
      if (!mayBe(field, 'number') && !mayBe(field, 'integer')) return cannotHold('The field is no number.')
      if (constraint.min === undefined || constraint.max === undefined) return undefined
      return constraint.min <= constraint.max ? undefined : cannotHold('min is greater than max.')
    case 'length':
      if (mayBe(field, 'string') || mayBe(field, 'array')) return undefined
      return cannotHold('Only texts and lists have a length.')
    case 'origin':
      return faultOfTexts(constraint.origins, field, parseOrigin, 'https://shop.example')
    case 'path_prefix':
      return faultOfTexts([constraint.prefix], field, parsePathPrefix, '/reports')
    case 'mail_domain':
      return faultOfTexts(constraint.domains, field, parseMailDomain, 'shop.example')
  }
}

function faultOfValues(values: readonly JsonValue[], field: InputField): ConstraintFault | undefined {
  const canBe = (value: JsonValue) =>
    typeof value === 'number' ? mayBe(field, 'number') || mayBe(field, 'integer') : mayBe(field, typeof value)
  return values.every(canBe) ? undefined : cannotHold('The field never has a value of this type.')
}

function faultOfTexts(
  texts: readonly string[],
  field: InputField,
  parse: (text: string) => unknown,
  example: string,
): ConstraintFault | undefined {
  if (!mayBe(field, 'string')) return cannotHold('The field is no text.')
  if (texts.every((text) => parse(text) !== undefined)) return undefined
  return cannotHold(`Write it like ${example}.`)
}

/** A schema that names no type leaves it to its values, so it is not judged here. */
function mayBe(field: InputField, type: string): boolean {
  const declared = isJsonObject(field.schema) ? field.schema.type : undefined
  if (typeof declared === 'string') return declared === type
  return isJsonArray(declared) ? declared.includes(type) : true
}
