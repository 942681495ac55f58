import type { ContentBlock } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'
import { isJsonObject } from '../core/json-value.ts'

/** What a skill's result may consist of to be taken for content blocks. */
export const MCP_RESULT_MEMBERS: ReadonlySet<string> = new Set(['content', 'structuredContent', 'isError'])

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/)
const mimeType = z.string().max(127)
const resource = z.union([
  z.strictObject({ uri: z.string(), mimeType: mimeType.optional(), text: z.string() }),
  z.strictObject({ uri: z.string(), mimeType: mimeType.optional(), blob: base64 }),
])
const blocksShape = z
  .array(
    z.union([
      z.strictObject({ type: z.literal('text'), text: z.string() }),
      z.strictObject({ type: z.literal('image'), data: base64, mimeType }),
      z.strictObject({ type: z.literal('audio'), data: base64, mimeType }),
      z.strictObject({ type: z.literal('resource'), resource }),
    ]),
  )
  .min(1)
  .max(64)

export type SkillBlocks = { readonly blocks: readonly ContentBlock[]; readonly isError: boolean }

/** The content blocks a skill's result consists of; undefined for a result that is data like any other. */
export function skillBlocks(result: JsonValue | undefined): SkillBlocks | undefined {
  if (!isJsonObject(result)) return undefined
  if (!Object.keys(result).every((name) => MCP_RESULT_MEMBERS.has(name))) return undefined
  const parsed = blocksShape.safeParse(result.content)
  if (!parsed.success) return undefined
  return { blocks: parsed.data.map(withoutUndefined), isError: result.isError === true }
}

/** Absent and undefined are the same on the wire, and not to the protocol's types. */
function withoutUndefined(block: z.infer<typeof blocksShape>[number]): ContentBlock {
  if (block.type !== 'resource') return block
  const { uri, mimeType: type } = block.resource
  const common = { uri, ...(type === undefined ? {} : { mimeType: type }) }
  return {
    type: 'resource',
    resource:
      'text' in block.resource
        ? { ...common, text: block.resource.text }
        : { ...common, blob: block.resource.blob },
  }
}
