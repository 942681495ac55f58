import { escapeToken } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject, ownMember } from '../json-value.ts'
import { escapeMarkersIn, escapeProtocolMarkers } from '../protocol-markers.ts'
import type { CompiledSchema } from './compiled-schema.ts'
import type { SchemaNode } from './schema-node.ts'
import { isBrokerFilled, isLeaf } from './schema-node.ts'

export type FilteredResult = {
  readonly value: JsonValue
  /** Pointers (with `*`) of what was cut, as in `fields`; of a whole list or map if nothing of it was left. */
  readonly cut: readonly string[]
}

/**
 * Cuts every field of a result whose category is not allowed, and fields of the broker's own kinds always.
 *
 * A list of which nothing may be seen goes as a whole, so that its length does not speak for it. Markers of
 * model prompts are escaped in all that is left. The value has been checked against the schema before;
 * what the schema does not know is left out.
 */
export function filterResult(
  compiled: CompiledSchema,
  value: JsonValue,
  allowedCategories: ReadonlySet<string>,
): FilteredResult {
  const cut = new Set<string>()
  const kept = filterNode(compiled.root, value, '', allowedCategories, cut)
  return { value: kept ?? {}, cut: [...cut].sort() }
}

/** Returns what may be seen of a value, or undefined if nothing may. */
function filterNode(
  node: SchemaNode,
  value: JsonValue,
  pointer: string,
  allowed: ReadonlySet<string>,
  cut: Set<string>,
): JsonValue | undefined {
  if (!isVisible(node, allowed)) {
    cut.add(pointer)
    return undefined
  }
  if (isLeaf(node)) return escapeMarkersIn(value)
  if (node.type === 'array') {
    if (!isJsonArray(value)) return undefined
    return value.map((item) => filterNode(node.items, item, `${pointer}/*`, allowed, cut) ?? null)
  }
  if (!isJsonObject(value)) return undefined
  const kept: [string, JsonValue][] = []
  if (node.type === 'map') {
    for (const [name, member] of Object.entries(value)) {
      const child = filterNode(node.values, member, `${pointer}/*`, allowed, cut)
      if (child !== undefined) kept.push([escapeProtocolMarkers(name), child])
    }
  } else {
    for (const { name, node: child } of node.properties) {
      const member = ownMember(value, name)
      if (member === undefined) continue
      const visible = filterNode(child, member, `${pointer}/${escapeToken(name)}`, allowed, cut)
      if (visible !== undefined) kept.push([name, visible])
    }
  }
  return Object.fromEntries(kept)
}

/** An object without any field carries no data; a map's names do, so its own category counts as well. */
function isVisible(node: SchemaNode, allowed: ReadonlySet<string>): boolean {
  if (isLeaf(node)) return allowed.has(node.category) && !isBrokerFilled(node)
  if (node.type === 'array') return isVisible(node.items, allowed)
  if (node.type === 'map') return allowed.has(node.category) && isVisible(node.values, allowed)
  return node.properties.length === 0 || node.properties.some((property) => isVisible(property.node, allowed))
}
