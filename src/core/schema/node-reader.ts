import { escapeToken } from '../json-pointer.ts'
import type { JsonObject, JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject, ownMember } from '../json-value.ts'
import { checkText } from '../text-rules.ts'
import type { RawFault } from './check-node.ts'
import { checkOf, faultPointer } from './check-node.ts'
import { readLeaf, readNames, typeOfValues } from './read-leaf.ts'
import type { Reading } from './schema-fault.ts'
import { note } from './schema-fault.ts'
import type { SchemaPlace } from './schema-keywords.ts'
import {
  ANNOTATIONS,
  allowKeywords,
  boundOf,
  categoryOf,
  checkOrder,
  requireCategory,
  titleOf,
} from './schema-keywords.ts'
import type { ArrayNode, MapNode, ObjectNode, PropertyNode, SchemaNode } from './schema-node.ts'
import { isLeaf } from './schema-node.ts'

export const MAX_SCHEMA_DEPTH = 12
/** Named properties, counted after `$ref`s are expanded. */
export const MAX_FIELDS = 500
const MAX_NODES = 1500
const MAX_ITEMS = 1000

const CONTAINER_KEYWORDS = ['type', ...ANNOTATIONS.filter((keyword) => keyword !== 'x-kind')]
const OBJECT_KEYWORDS = [...CONTAINER_KEYWORDS, 'properties', 'required', 'additionalProperties']
const MAP_KEYWORDS = [
  ...CONTAINER_KEYWORDS,
  'additionalProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
]
const ARRAY_KEYWORDS = [...CONTAINER_KEYWORDS, 'items', 'minItems', 'maxItems', 'uniqueItems']
const REF = /^#\/\$defs\/([A-Za-z0-9_-]{1,64})$/

type Around = Omit<SchemaPlace, 'schema'>
type ReadNode = { readonly node: SchemaNode; readonly fallback: JsonValue | undefined }

/** Reads nodes of one document, whose definitions it expands in place. */
export class NodeReader {
  readonly reading: Reading
  readonly definitions: JsonObject

  constructor(reading: Reading, definitions: JsonObject) {
    this.reading = reading
    this.definitions = definitions
  }

  read(schema: JsonValue | undefined, around: Around): ReadNode | undefined {
    const { reading } = this
    reading.nodeCount += 1
    if (!isJsonObject(schema)) {
      const mend = 'Write a schema object with a type.'
      note(reading, around.pointer, 'not_a_schema', 'This is not a schema object.', mend)
      return undefined
    }
    if (around.depth > MAX_SCHEMA_DEPTH) {
      const message = `The schema is deeper than ${MAX_SCHEMA_DEPTH} levels.`
      note(reading, around.pointer, 'schema_too_deep', message, 'Flatten it.')
      return undefined
    }
    if (reading.nodeCount > MAX_NODES || reading.fieldCount > MAX_FIELDS) {
      const message = `There are more than ${MAX_FIELDS} fields once every $ref is expanded.`
      note(reading, '', 'too_many_fields', message, 'Leave fields out, or split the action.')
      return undefined
    }
    const category = categoryOf(reading, schema, around.pointer) ?? around.category
    const place: SchemaPlace = { ...around, schema, category }
    if (Object.hasOwn(schema, '$ref')) return this.readReference(place)
    const node = this.readTyped(place)
    return node && { node, fallback: this.readDefault(place, node) }
  }

  readReference(place: SchemaPlace): ReadNode | undefined {
    const { schema, pointer, expanding } = place
    allowKeywords(this.reading, place, ['$ref', ...ANNOTATIONS])
    const { $ref: reference, ...annotations } = schema
    const name = typeof reference === 'string' ? REF.exec(reference)?.[1] : undefined
    const at = `${pointer}/$ref`
    const mend = 'Refer to a definition of this schema, as #/$defs/name.'
    if (name === undefined) {
      note(this.reading, at, 'ref_malformed', 'The reference leaves this schema or its $defs.', mend)
      return undefined
    }
    if (expanding.includes(name)) {
      note(
        this.reading,
        at,
        'ref_recursive',
        `Definition ${name} contains itself.`,
        'Write out the levels you need.',
      )
      return undefined
    }
    this.reading.usedDefinitions.add(name)
    const target = ownMember(this.definitions, name)
    if (!isJsonObject(target)) {
      note(this.reading, at, 'ref_unknown', `There is no definition ${name}.`, mend)
      return undefined
    }
    // What stands beside a $ref is closer to the field and goes before what the definition says.
    const around = { ...place, pointer: `/$defs/${name}`, expanding: [...expanding, name] }
    return this.read({ ...target, ...annotations }, around)
  }

  readTyped(place: SchemaPlace): SchemaNode | undefined {
    const type = ownMember(place.schema, 'type') ?? typeOfValues(place)
    switch (type) {
      case 'string':
      case 'integer':
      case 'number':
      case 'boolean':
        return readLeaf(this.reading, place, type)
      case 'array':
        return this.readArray(place)
      case 'object':
        return Object.hasOwn(place.schema, 'properties') ? this.readObject(place) : this.readMap(place)
      default: {
        const mend =
          'Give one type: string, integer, number, boolean, array or object. Leave a member out instead of null.'
        note(
          this.reading,
          place.pointer,
          'type_unknown',
          'The type is missing or not one of the profile.',
          mend,
        )
        return undefined
      }
    }
  }

  /** Returns what stands in for an absent value, with the defaults inside it filled in. */
  readDefault(place: SchemaPlace, node: SchemaNode): JsonValue | undefined {
    const value = ownMember(place.schema, 'default')
    // Inside a node with faults the checks would only repeat them.
    if (value === undefined || this.reading.faults.length > 0) return undefined
    const faults: RawFault[] = []
    const filled = checkOf(node, 'agent_arguments')(value, faults)
    const [fault] = faults
    if (!fault) return filled
    const message = `The default does not fit its own schema: ${faultPointer(fault)} ${fault.message}.`
    note(this.reading, `${place.pointer}/default`, 'default_invalid', message, 'Mend or remove the default.')
    return undefined
  }

  /** A default of an item or a map value can never be filled in, so it would only mislead. */
  refuseDefault(child: ReadNode | undefined, pointer: string): void {
    if (child?.fallback === undefined) return
    const mend = 'State defaults on named properties only.'
    note(this.reading, pointer, 'default_misplaced', 'Nothing is ever absent here.', mend)
  }

  readArray(place: SchemaPlace): ArrayNode | undefined {
    const { reading } = this
    const { schema, pointer } = place
    allowKeywords(reading, place, ARRAY_KEYWORDS)
    titleOf(reading, place)
    const maxItems = boundOf(reading, place, 'maxItems', MAX_ITEMS, undefined)
    const minItems = boundOf(reading, place, 'minItems', MAX_ITEMS, 0)
    checkOrder(reading, place, minItems, maxItems)
    if (!Object.hasOwn(schema, 'items')) {
      note(reading, pointer, 'items_missing', 'The array says nothing about its items.', 'Add items.')
      return undefined
    }
    const at = `${pointer}/items`
    const items = this.read(ownMember(schema, 'items'), this.inside(place, at, maxItems))
    this.refuseDefault(items, at)
    const unique = ownMember(schema, 'uniqueItems') ?? false
    if (typeof unique !== 'boolean' || (unique && items && !isLeaf(items.node))) {
      const mend = 'Use uniqueItems: true on arrays of strings, numbers or booleans only.'
      note(reading, `${pointer}/uniqueItems`, 'unique_objects', 'Comparing items would cost too much.', mend)
    }
    return items && { type: 'array', items: items.node, minItems, maxItems, isUnique: unique === true }
  }

  readMap(place: SchemaPlace): MapNode | undefined {
    const { reading } = this
    const { schema, pointer } = place
    const values = ownMember(schema, 'additionalProperties')
    if (!isJsonObject(values)) {
      const mend =
        'List its properties with additionalProperties: false, or bound a map by a schema for its values.'
      note(reading, pointer, 'object_open', 'The object accepts names nobody declared.', mend)
      return undefined
    }
    allowKeywords(reading, place, MAP_KEYWORDS)
    titleOf(reading, place)
    const maxProperties = boundOf(reading, place, 'maxProperties', MAX_ITEMS, undefined)
    const minProperties = boundOf(reading, place, 'minProperties', MAX_ITEMS, 0)
    checkOrder(reading, place, minProperties, maxProperties)
    const namesSchema = ownMember(schema, 'propertyNames') ?? {}
    const namesPlace = this.inside(place, `${pointer}/propertyNames`, maxProperties)
    const names = readNames(reading, { ...namesPlace, schema: isJsonObject(namesSchema) ? namesSchema : {} })
    const at = `${pointer}/additionalProperties`
    const child = this.read(values, this.inside(place, at, maxProperties))
    this.refuseDefault(child, at)
    const category = requireCategory(reading, place)
    return child && { type: 'map', category, names, values: child.node, minProperties, maxProperties }
  }

  readObject(place: SchemaPlace): ObjectNode {
    const { reading } = this
    const { schema, pointer } = place
    allowKeywords(reading, place, OBJECT_KEYWORDS)
    titleOf(reading, place)
    const declared = ownMember(schema, 'properties')
    if (ownMember(schema, 'additionalProperties') !== false || !isJsonObject(declared)) {
      const mend = 'List its properties with additionalProperties: false.'
      note(reading, pointer, 'object_open', 'The object accepts names nobody declared.', mend)
    }
    const entries = isJsonObject(declared) ? Object.entries(declared) : []
    const required = this.readRequired(place, new Set(entries.map(([name]) => name)))
    const properties = entries.flatMap(([name, child]): PropertyNode[] => {
      const at = `${pointer}/properties/${escapeToken(name)}`
      reading.fieldCount += 1
      this.checkName(name, at)
      const property = this.read(child, this.inside(place, at))
      return property ? [{ name, ...property, isRequired: required.has(name) }] : []
    })
    return { type: 'object', properties }
  }

  readRequired({ schema, pointer }: SchemaPlace, declared: ReadonlySet<JsonValue>): ReadonlySet<JsonValue> {
    const listed = ownMember(schema, 'required') ?? []
    const required = new Set(isJsonArray(listed) ? listed : [undefined])
    const isFit =
      isJsonArray(listed) && required.size === listed.length && listed.every((name) => declared.has(name))
    if (!isFit) {
      const mend = 'List names of properties, each once.'
      note(this.reading, `${pointer}/required`, 'required_unknown', 'It names what is not declared.', mend)
    }
    return new Set(isJsonArray(listed) ? listed : [])
  }

  /** `*` would read as "every element" in pointers; odd characters would look like another name. */
  checkName(name: string, pointer: string): void {
    if (name !== '' && name !== '*' && name.length <= 128 && !checkText(name, 'plain')) return
    const mend = 'Use 1 to 128 visible characters, and not * alone.'
    note(this.reading, pointer, 'name_malformed', 'The name cannot be shown or pointed at safely.', mend)
  }

  /** The place of a child; `times` is given for items and map values. */
  inside(
    { category, depth, expanding, isInList, repeats }: SchemaPlace,
    pointer: string,
    times?: number,
  ): Around {
    const isListed = isInList || times !== undefined
    return {
      pointer,
      category,
      depth: depth + 1,
      isInList: isListed,
      repeats: repeats * (times ?? 1),
      expanding,
    }
  }
}
