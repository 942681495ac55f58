import type { PatternFaultCode } from './linear-pattern.ts'

export type SchemaFaultCode =
  | PatternFaultCode
  | 'annotation_malformed'
  | 'bound_malformed'
  | 'bound_missing'
  | 'bounds_crossed'
  | 'broker_field_in_list'
  | 'broker_field_with_value'
  | 'category_malformed'
  | 'category_missing'
  | 'default_invalid'
  | 'default_misplaced'
  | 'definition_unused'
  | 'enum_malformed'
  | 'format_unknown'
  | 'items_missing'
  | 'keyword_not_allowed'
  | 'kind_unknown'
  | 'kind_unfit'
  | 'name_malformed'
  | 'not_a_schema'
  | 'object_open'
  | 'pattern_on_long_text'
  | 'patterns_too_costly'
  | 'ref_malformed'
  | 'ref_recursive'
  | 'ref_unknown'
  | 'required_unknown'
  | 'root_not_an_object'
  | 'schema_too_deep'
  | 'schema_too_large'
  | 'too_many_fields'
  | 'type_unknown'
  | 'unique_objects'

/** One reason why a schema is outside the profile, where it is, and how its publisher mends it. */
export type SchemaFault = {
  readonly pointer: string
  readonly code: SchemaFaultCode
  readonly message: string
  readonly mend: string
}

/** What one reading of a schema collects; expanding `$ref`s is bounded by the two counters. */
export type Reading = {
  readonly faults: SchemaFault[]
  readonly usedDefinitions: Set<string>
  nodeCount: number
  fieldCount: number
  /** What matching every pattern on the longest value could cost, in steps. */
  matchSteps: number
}

/** Notes a fault once: a definition used in two places would repeat each of its faults. */
export function note(
  reading: Reading,
  pointer: string,
  code: SchemaFaultCode,
  message: string,
  mend: string,
): void {
  if (
    reading.faults.some(
      (fault) => fault.pointer === pointer && fault.code === code && fault.message === message,
    )
  )
    return
  if (reading.faults.length < 100) reading.faults.push({ pointer, code, message, mend })
}
