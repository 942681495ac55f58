import { EVERY, escapeToken, parsePointer } from '../json-pointer.ts'
import type { JsonObject, JsonValue } from '../json-value.ts'
import { isJsonObject, ownMember } from '../json-value.ts'
import type { Bilingual, ManifestAction } from '../manifest/manifest.ts'
import { plainJson } from '../manifest/manifest-change.ts'

/** Kinds of fields the broker fills after the decision; an agent never sends them. */
const FILLED_KINDS = ['secret', 'idempotencyKey', 'account']

/** One place in an action's input schema. */
export type InputField = {
  /** With `*` for every element. */
  readonly pointer: string
  readonly schema: JsonObject
  readonly kind: string | undefined
  readonly title: Bilingual | undefined
}

/** Returns the schema at a pointer with `*` in an action's input, or undefined if nothing can stand there. */
export function findInputField(action: ManifestAction, pointer: string): InputField | undefined {
  const tokens = parsePointer(pointer)
  if (!tokens || tokens.length === 0) return undefined
  let schema: JsonValue | undefined = plainJson(action.input)
  for (const token of tokens) schema = childSchema(schema, token)
  return isJsonObject(schema) ? fieldOf(pointer, schema) : undefined
}

/** Returns every place in an action's input below the root, containers included, in the schema's order. */
export function listInputFields(action: ManifestAction): InputField[] {
  return fieldsBelow(plainJson(action.input), '')
}

/** Returns the pointers of the fields the manifest marks as naming a recipient. */
export function recipientPointersOf(action: ManifestAction): string[] {
  return listInputFields(action)
    .filter(({ kind }) => kind === 'recipient')
    .map(({ pointer }) => pointer)
}

/** Tells whether the broker fills this field, so that no constraint on it could ever hold. */
export function isFilledByBroker(field: InputField): boolean {
  return field.kind !== undefined && FILLED_KINDS.includes(field.kind)
}

function fieldsBelow(schema: JsonValue, at: string): InputField[] {
  if (!isJsonObject(schema)) return []
  const properties = ownMember(schema, 'properties')
  const children: [string, JsonValue | undefined][] = [
    ...Object.entries(isJsonObject(properties) ? properties : {}),
    [EVERY, everySchema(schema)],
  ]
  return children.flatMap(([name, child]) => {
    if (!isJsonObject(child)) return []
    const pointer = `${at}/${name === EVERY ? EVERY : escapeToken(name)}`
    return [fieldOf(pointer, child), ...fieldsBelow(child, pointer)]
  })
}

function childSchema(schema: JsonValue | undefined, token: string): JsonValue | undefined {
  if (!isJsonObject(schema)) return undefined
  if (token === EVERY) return everySchema(schema)
  const properties = ownMember(schema, 'properties')
  const named = isJsonObject(properties) ? ownMember(properties, token) : undefined
  if (named !== undefined) return named
  const elements = ownMember(schema, 'items')
  return /^(0|[1-9]\d*)$/.test(token) && elements !== undefined
    ? elements
    : ownMember(schema, 'additionalProperties')
}

function everySchema(schema: JsonObject): JsonValue | undefined {
  return ownMember(schema, 'items') ?? ownMember(schema, 'additionalProperties')
}

function fieldOf(pointer: string, schema: JsonObject): InputField {
  const kind = ownMember(schema, 'x-kind')
  return {
    pointer,
    schema,
    kind: typeof kind === 'string' ? kind : undefined,
    title: bilingualOf(ownMember(schema, 'x-title')),
  }
}

function bilingualOf(title: JsonValue | undefined): Bilingual | undefined {
  if (!isJsonObject(title)) return undefined
  const [en, zh] = [ownMember(title, 'en'), ownMember(title, 'zh')]
  return typeof en === 'string' && typeof zh === 'string' ? { en, zh } : undefined
}
