import type { CallToolResult, Tool } from '@modelcontextprotocol/server'
import type { JsonObject } from '../core/json-value.ts'
import { asTypedObject } from '../core/schema/plain-schema.ts'
import type { ToolCall } from './call-context.ts'
import type { McpDeps } from './mcp-deps.ts'

/** A tool of the broker's own. No skill can take such a name (core/manifest/tool-name.ts). */
export type OwnTool = {
  readonly tool: Tool
  run(deps: McpDeps, call: ToolCall): Promise<CallToolResult>
}

type Described = {
  readonly name: `countersign_${string}`
  readonly title: string
  readonly description: string
  readonly properties: JsonObject
  readonly required?: readonly string[]
  /** Whether it only looks. */
  readonly readOnly: boolean
  /** Whether it takes away what was there; not unless it says so. */
  readonly destructive?: boolean
}

/** Makes a tool's definition; its schema is as plain as those of skills. */
export function describeOwnTool({
  name,
  title,
  description,
  properties,
  required = [],
  readOnly,
  destructive = false,
}: Described): Tool {
  return {
    name,
    title,
    description,
    inputSchema: asTypedObject({ properties, required: [...required], additionalProperties: false }),
    annotations: {
      title,
      readOnlyHint: readOnly,
      // Asking changes nothing that was there, and the same question asked again is the same question.
      destructiveHint: destructive,
      idempotentHint: true,
      openWorldHint: false,
    },
  }
}
