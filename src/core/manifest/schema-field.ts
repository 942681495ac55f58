import { escapeToken } from '../json-pointer.ts'
import type { LeafNode, SchemaNode } from '../schema/schema-node.ts'

/** One leaf of an action's schema. */
export interface SchemaField {
  /** Into the value, with `*` for every element. */
  readonly pointer: string
  /** Into the manifest, for faults. */
  readonly at: string
  /** The last name on the way, that of the array for its elements. */
  readonly name: string
  readonly leaf: LeafNode
  /** True when every value of the schema has it: required on every level, in no array or map. */
  readonly isAlwaysThere: boolean
  readonly hasDefault: boolean
}

type Place = Omit<SchemaField, 'leaf'>

/** Lists the leaves of a schema that stands at a place in the manifest. */
export function fieldsOf(node: SchemaNode, at: string): SchemaField[] {
  return leavesBelow(node, { pointer: '', at, name: '', isAlwaysThere: true, hasDefault: false })
}

function leavesBelow(node: SchemaNode, place: Place): SchemaField[] {
  switch (node.type) {
    case 'object':
      return node.properties.flatMap((property) => {
        const token = escapeToken(property.name)
        return leavesBelow(property.node, {
          pointer: `${place.pointer}/${token}`,
          at: `${place.at}/properties/${token}`,
          name: property.name,
          isAlwaysThere: place.isAlwaysThere && (property.isRequired || property.fallback !== undefined),
          hasDefault: property.fallback !== undefined,
        })
      })
    case 'array':
      return leavesBelow(node.items, every(place, 'items'))
    case 'map':
      return leavesBelow(node.values, every(place, 'additionalProperties'))
    default:
      return [{ ...place, leaf: node }]
  }
}

function every(place: Place, keyword: string): Place {
  return {
    ...place,
    pointer: `${place.pointer}/*`,
    at: `${place.at}/${keyword}`,
    isAlwaysThere: false,
    hasDefault: false,
  }
}
