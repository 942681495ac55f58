import type { JsonValue } from '../json-value.ts'
import type { LinearPattern } from './linear-pattern.ts'
import type { Format } from './string-format.ts'

/** What a field means besides its type; decides who fills it, who sees it and which constraints reach it. */
export const FIELD_KINDS = [
  'secret',
  'idempotencyKey',
  'account',
  'recipient',
  'amount',
  'quotedAmount',
  'currency',
  'url',
  'command',
  'freeText',
] as const
export type FieldKind = (typeof FIELD_KINDS)[number]

/** Filled by the broker after the decision: agents neither send nor see them. */
const BROKER_FILLED: readonly (FieldKind | undefined)[] = ['secret', 'idempotencyKey', 'account']

export type Title = { readonly en: string; readonly zh: string }

export type LeafType = 'string' | 'integer' | 'number' | 'boolean'

type Leaf = {
  readonly category: string
  readonly kind: FieldKind | undefined
  readonly title: Title | undefined
  /** Undefined means any value of the type within the bounds. */
  readonly allowed: readonly JsonValue[] | undefined
}

export type StringNode = Leaf & {
  readonly type: 'string'
  readonly minLength: number
  readonly maxLength: number
  readonly pattern: LinearPattern | undefined
  readonly format: Format | undefined
}

export type NumberNode = Leaf & {
  readonly type: 'integer' | 'number'
  readonly minimum: number
  readonly maximum: number
  /** True when the bound itself is not allowed. */
  readonly isAboveMinimum: boolean
  readonly isBelowMaximum: boolean
  readonly multipleOf: number | undefined
}

export type BooleanNode = Leaf & { readonly type: 'boolean' }

export type ArrayNode = {
  readonly type: 'array'
  readonly items: SchemaNode
  readonly minItems: number
  readonly maxItems: number
  readonly isUnique: boolean
}

export type PropertyNode = {
  readonly name: string
  readonly node: SchemaNode
  readonly isRequired: boolean
  /** What the broker fills in for an absent member before it decides, nested defaults included. */
  readonly fallback: JsonValue | undefined
}

export type ObjectNode = {
  readonly type: 'object'
  readonly properties: readonly PropertyNode[]
}

/** An object with names of its own choosing, all of one shape. The names are data too, of `category`. */
export type MapNode = {
  readonly type: 'map'
  readonly category: string
  readonly names: StringNode
  readonly values: SchemaNode
  readonly minProperties: number
  readonly maxProperties: number
}

export type LeafNode = StringNode | NumberNode | BooleanNode

/** A schema of the closed profile, read once from JSON: nothing unknown, unbounded or recursive is left. */
export type SchemaNode = LeafNode | ArrayNode | ObjectNode | MapNode

export function isLeaf(node: SchemaNode): node is LeafNode {
  return node.type !== 'array' && node.type !== 'object' && node.type !== 'map'
}

export function isBrokerFilled(node: SchemaNode): boolean {
  return isLeaf(node) && BROKER_FILLED.includes(node.kind)
}
