import { escapeToken } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import type { RawFault, SchemaUse, ValueFaultCode } from './check-node.ts'
import { checkOf, faultPointer } from './check-node.ts'
import type { FieldKind, LeafType, SchemaNode, Title } from './schema-node.ts'
import { isBrokerFilled, isLeaf } from './schema-node.ts'
import { readSchemaProfile } from './schema-profile.ts'

export type { SchemaUse, ValueFaultCode } from './check-node.ts'

/** One field that holds a value, wherever it is nested. */
export type FieldInfo = {
  /** JSON Pointer in which `*` stands for every item of an array and every value of a map. */
  readonly pointer: string
  readonly category: string
  readonly kind: FieldKind | undefined
  readonly title: Title | undefined
  readonly schemaType: LeafType
  /** Filled by the broker after the decision; agents neither send nor see it. */
  readonly isBrokerFilled: boolean
}

export type ValueFault = { readonly pointer: string; readonly code: ValueFaultCode; readonly message: string }

export type ValueCheck =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly faults: readonly ValueFault[] }

export type CompiledSchema = {
  readonly root: SchemaNode
  readonly fields: readonly FieldInfo[]
  /** Checks a value and fills in defaults; never changes its input, and tells at most 20 faults. */
  readonly check: (value: JsonValue) => ValueCheck
}

/**
 * Compiles a schema of the closed profile for one side of the broker (see `SchemaUse`).
 *
 * @throws RangeError if the schema is outside the profile. Manifests are checked with `readSchemaProfile`
 *   before they are approved, so this is a defect, and the last guard before a stranger's schema is used.
 */
export function compileSchema(schema: JsonValue, use: SchemaUse): CompiledSchema {
  const reading = readSchemaProfile(schema)
  if (!reading.ok) {
    const codes = reading.faults.map((fault) => `${fault.code} at "${fault.pointer}"`)
    throw new RangeError(`the schema is outside the profile: ${codes.join(', ')}`)
  }
  const { root } = reading
  const checkRoot = checkOf(root, use)
  const check = (value: JsonValue): ValueCheck => {
    const raw: RawFault[] = []
    const filled = checkRoot(value, raw)
    if (raw.length === 0) return { ok: true, value: filled }
    const faults = raw.map((fault) => ({
      pointer: faultPointer(fault),
      code: fault.code,
      message: fault.message,
    }))
    return { ok: false, faults }
  }
  return { root, fields: fieldsOf(root, ''), check }
}

function fieldsOf(node: SchemaNode, pointer: string): FieldInfo[] {
  if (isLeaf(node)) {
    const { category, kind, title, type } = node
    return [{ pointer, category, kind, title, schemaType: type, isBrokerFilled: isBrokerFilled(node) }]
  }
  switch (node.type) {
    case 'array':
      return fieldsOf(node.items, `${pointer}/*`)
    case 'map':
      return fieldsOf(node.values, `${pointer}/*`)
    case 'object':
      return node.properties.flatMap(({ name, node: child }) =>
        fieldsOf(child, `${pointer}/${escapeToken(name)}`),
      )
  }
}
