import { digestOf } from '../canonical-json.ts'
import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../json-value.ts'

/** What of a tool's definition says what it does and takes; its title, icons and metadata change nothing of that. */
const MEMBERS = ['name', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/**
 * The base64url SHA-256 of the RFC 8785 form of a tool's definition as an MCP server lists it: name, description, input
 * and output schema, annotations; a member that is not there is left out. A manifest binds each action to one.
 */
export function toolDigest(tool: JsonObject): string {
  const named: { [name: string]: JsonValue } = {}
  for (const name of MEMBERS) {
    const member = ownMember(tool, name)
    if (member !== undefined) named[name] = member
  }
  return digestOf(named)
}

/** The name of a listed tool; undefined for what is none. */
export function toolNameIn(tool: JsonValue): string | undefined {
  const name = isJsonObject(tool) ? ownMember(tool, 'name') : undefined
  return typeof name === 'string' ? name : undefined
}
