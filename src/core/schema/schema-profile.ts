import { escapeToken } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonObject } from '../json-value.ts'
import { NodeReader } from './node-reader.ts'
import type { Reading, SchemaFault } from './schema-fault.ts'
import { note } from './schema-fault.ts'
import type { SchemaNode } from './schema-node.ts'

export const MAX_SCHEMA_BYTES = 65_536
const MAX_DEFINITIONS = 100
const MAX_JSON_DEPTH = 48
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

export type SchemaReading =
  | { readonly ok: true; readonly root: SchemaNode }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] }

/**
 * Reads an untrusted JSON Schema 2020-12 into our closed profile, or says all that is outside it.
 *
 * Every object is closed or a bounded map, every string, array and number has its bounds, every pattern is
 * linear, every field has a data category, `$ref` is local and never recursive. What is not known is refused.
 */
export function readSchemaProfile(schema: JsonValue): SchemaReading {
  const reading: Reading = {
    faults: [],
    usedDefinitions: new Set(),
    nodeCount: 0,
    fieldCount: 0,
    matchSteps: 0,
  }
  const root = readRoot(reading, schema)
  if (root && reading.faults.length === 0) return { ok: true, root }
  return { ok: false, faults: reading.faults }
}

function readRoot(reading: Reading, schema: JsonValue): SchemaNode | undefined {
  // First of all, because everything after it may recurse.
  if (isDeeper(schema, MAX_JSON_DEPTH)) {
    note(reading, '', 'schema_too_deep', 'The schema is nested too deeply.', 'Flatten it.')
    return undefined
  }
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA_BYTES) {
    const mend = 'Shorten it, or split the action.'
    note(reading, '', 'schema_too_large', `The schema has more than ${MAX_SCHEMA_BYTES} bytes.`, mend)
    return undefined
  }
  if (!isJsonObject(schema)) {
    note(
      reading,
      '',
      'not_a_schema',
      'The schema is not an object.',
      'Describe an object with its properties.',
    )
    return undefined
  }
  const { $schema: dialect, $defs: definitions = {}, ...rest } = schema
  if (dialect !== undefined && dialect !== DIALECT) {
    note(reading, '/$schema', 'keyword_not_allowed', 'Another dialect is stated.', `Write ${DIALECT}.`)
  }
  if (!isJsonObject(definitions) || Object.keys(definitions).length > MAX_DEFINITIONS) {
    const mend = `Give an object of at most ${MAX_DEFINITIONS} definitions.`
    note(reading, '/$defs', 'not_a_schema', '$defs is not a short list of definitions.', mend)
    return undefined
  }
  const reader = new NodeReader(reading, definitions)
  const place = { pointer: '', category: undefined, depth: 1, isInList: false, repeats: 1, expanding: [] }
  const root = reader.read(rest, place)?.node
  if (root && root.type !== 'object' && root.type !== 'map') {
    const mend = 'Put the value into a property of an object.'
    note(reading, '', 'root_not_an_object', 'Arguments and results are objects.', mend)
  }
  if (reading.faults.length > 0) return undefined
  for (const name of Object.keys(definitions)) {
    if (reading.usedDefinitions.has(name)) continue
    const at = `/$defs/${escapeToken(name)}`
    note(reading, at, 'definition_unused', 'Nothing refers to this definition.', 'Remove it.')
  }
  return root
}

function isDeeper(value: JsonValue, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return most === 0 || Object.values(value).some((child: JsonValue) => isDeeper(child, most - 1))
}
