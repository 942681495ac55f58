import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../core/json-value.ts'
import { parseStrictJson } from '../core/strict-json.ts'
import type { AgentTool } from './agent-answers.ts'

export type ArgumentsRead =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly detail: string }

/**
 * Reads the arguments of a native call: text that must be one JSON object. Broken JSON, a name given twice and numbers
 * that no double holds are refused, because whatever they were mended to would be a guess.
 */
export function readJsonArguments(text: string): ArgumentsRead {
  const parsed = parseStrictJson(text)
  if (!parsed.ok) {
    return { ok: false, detail: `The arguments are not JSON: ${parsed.code}${at(parsed.pointer)}.` }
  }
  if (!isJsonObject(parsed.value)) return { ok: false, detail: 'The arguments are not a JSON object.' }
  return { ok: true, value: parsed.value }
}

/**
 * Gives the values of an XML call the types the manifest's schema has for them: a string is taken as it stands, all
 * else is JSON. A value that is no JSON, and one no schema knows, stays a string, which the broker then refuses.
 */
export function readXmlArguments(
  parameters: ReadonlyMap<string, string>,
  { input }: Pick<AgentTool, 'input'>,
): ArgumentsRead {
  const properties = ownMember(input, 'properties')
  const typed = [...parameters].map(([name, text]): [string, JsonValue] => {
    const schema = isJsonObject(properties) ? ownMember(properties, name) : undefined
    const isText = !isJsonObject(schema) || schema.type === 'string'
    const parsed = isText ? undefined : parseStrictJson(text)
    return [name, parsed?.ok ? parsed.value : text]
  })
  return { ok: true, value: Object.fromEntries(typed) }
}

function at(pointer: string): string {
  return pointer === '' ? '' : ` at ${pointer}`
}
