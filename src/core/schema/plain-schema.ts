import type { JsonObject, JsonValue } from '../json-value.ts'
import { escapeMarkersIn, escapeProtocolMarkers } from '../protocol-markers.ts'
import { isBrokerFilled, isLeaf, type LeafNode, type PropertyNode, type SchemaNode } from './schema-node.ts'

/**
 * What an agent may send, as a JSON Schema without `$ref` and without our own keywords: older clients understand no
 * more. Fields that the broker fills are not in it.
 */
export function plainInputSchema(root: SchemaNode): JsonObject {
  return schemaOf(root, 'input')
}

/**
 * The shape of what comes back, by types alone: what the user does not share is cut out, so nothing can be required,
 * and what is escaped may be longer than the manifest says.
 */
export function plainResultSchema(root: SchemaNode): JsonObject {
  return schemaOf(root, 'result')
}

type Side = 'input' | 'result'

function schemaOf(node: SchemaNode, side: Side): JsonObject {
  if (isLeaf(node)) return leafSchema(node, side)
  switch (node.type) {
    case 'array':
      return {
        type: 'array',
        items: schemaOf(node.items, side),
        ...(side === 'input' ? { minItems: node.minItems, maxItems: node.maxItems } : {}),
        ...(side === 'input' && node.isUnique ? { uniqueItems: true } : {}),
      }
    case 'map':
      // Older clients look for properties in every object.
      return { type: 'object', properties: {}, additionalProperties: schemaOf(node.values, side) }
    case 'object':
      return objectSchema(node.properties, side)
  }
}

function objectSchema(all: readonly PropertyNode[], side: Side): JsonObject {
  const properties = all.filter(({ node }) => !isBrokerFilled(node))
  const required = properties.filter((property) => property.isRequired).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(
      properties.map(({ name, node, fallback }): [string, JsonValue] => [
        name,
        {
          ...schemaOf(node, side),
          ...(fallback !== undefined && side === 'input' ? { default: fallback } : {}),
        },
      ]),
    ),
    ...(side === 'input' && required.length > 0 ? { required } : {}),
    ...(side === 'input' ? { additionalProperties: false } : {}),
  }
}

function leafSchema(node: LeafNode, side: Side): JsonObject {
  const title = node.title ? { description: escapeProtocolMarkers(node.title.en) } : {}
  if (side === 'result') return { type: node.type, ...title }
  const allowed = node.allowed ? { enum: escapeMarkersIn([...node.allowed]) } : {}
  return { type: node.type, ...title, ...allowed, ...(node.allowed ? {} : boundsOf(node)) }
}

function boundsOf(node: LeafNode): JsonObject {
  switch (node.type) {
    case 'boolean':
      return {}
    case 'string':
      return {
        ...(node.minLength > 0 ? { minLength: node.minLength } : {}),
        maxLength: node.maxLength,
        ...(node.pattern && isEcmaPattern(node.pattern.source) ? { pattern: node.pattern.source } : {}),
        ...(node.format ? { format: node.format } : {}),
      }
    default:
      return {
        ...(Number.isFinite(node.minimum)
          ? { [node.isAboveMinimum ? 'exclusiveMinimum' : 'minimum']: node.minimum }
          : {}),
        ...(Number.isFinite(node.maximum)
          ? { [node.isBelowMaximum ? 'exclusiveMaximum' : 'maximum']: node.maximum }
          : {}),
        ...(node.multipleOf === undefined ? {} : { multipleOf: node.multipleOf }),
      }
  }
}

/** Patterns are RE2's; the few that no JavaScript reader understands are told by the refusal alone. */
function isEcmaPattern(source: string): boolean {
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    return false
  }
}

/** A schema as the protocol's types want it: of an object, and said to be one. */
export function asTypedObject(schema: JsonObject): { type: 'object' } & JsonObject {
  return { ...schema, type: 'object' }
}
