import type { Tool } from '@modelcontextprotocol/server'
import type { JsonObject } from '../core/json-value.ts'
import { isJsonObject } from '../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import { toolNameOf } from '../core/manifest/tool-name.ts'
import { escapeProtocolMarkers } from '../core/protocol-markers.ts'
import { asTypedObject, plainInputSchema, plainResultSchema } from '../core/schema/plain-schema.ts'
import { MCP_RESULT_MEMBERS } from './content-blocks.ts'
import { META } from './meta-names.ts'

/** The argument of ours that says to really do again what was done just now; never sent to a skill. */
export const AGAIN = '_again'

const AGAIN_SCHEMA = {
  type: 'integer',
  minimum: 1,
  description:
    'Leave out. Only to do once more what was just done with the same arguments: the number its answer names.',
} as const

/** A digest names one content for ever, and so does a loaded action. */
const made = new WeakMap<LoadedAction, Tool>()

/**
 * An action as a tool. Everything in it comes from the signed manifest; what the broker fills in is not in its schema,
 * and the hints are what the declared effects say.
 */
export function actionTool({ manifest, digest }: LoadedManifest, action: LoadedAction): Tool {
  const known = made.get(action)
  if (known) return known
  const { declared } = action
  const title = escapeProtocolMarkers(declared.title.en)
  const description = `${declared.description.en} (${manifest.title.en}, by ${manifest.publisher})`
  const tool: Tool = {
    name: toolNameOf(manifest.skill, declared.name),
    title,
    description: escapeProtocolMarkers(description),
    inputSchema: asTypedObject(inputSchemaOf(action)),
    ...(answersBlocks(action) ? {} : { outputSchema: asTypedObject(plainResultSchema(action.result.root)) }),
    annotations: hintsOf(action, title),
    _meta: {
      [META.skill]: manifest.skill,
      [META.action]: declared.name,
      [META.effects]: [...declared.effects],
      [META.manifest]: digest,
    },
  }
  made.set(action, tool)
  return tool
}

/** Whether everything an action does is to read. */
export function isReadOnly({ declared }: LoadedAction): boolean {
  return declared.effects.every((effect) => effect === 'read')
}

/** Whether the repetition argument is ours: not of reads, which are simply done again, nor where a skill has one. */
export function takesAgain(action: LoadedAction): boolean {
  return !isReadOnly(action) && !memberNames(action.input.root).includes(AGAIN)
}

function hintsOf(action: LoadedAction, title: string): Tool['annotations'] {
  const readOnlyHint = isReadOnly(action)
  // Whatever changes something may destroy something: no manifest says that it only adds.
  return {
    title,
    readOnlyHint,
    destructiveHint: !readOnlyHint,
    idempotentHint: readOnlyHint,
    openWorldHint: true,
  }
}

function inputSchemaOf(action: LoadedAction): JsonObject {
  const schema = plainInputSchema(action.input.root)
  if (!takesAgain(action)) return schema
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  return { ...schema, properties: { ...properties, [AGAIN]: AGAIN_SCHEMA } }
}

/** A result that consists of content blocks is handed on as such, and needs no schema of its own. */
function answersBlocks(action: LoadedAction): boolean {
  const names = memberNames(action.result.root)
  return names.includes('content') && names.every((name) => MCP_RESULT_MEMBERS.has(name))
}

function memberNames(root: LoadedAction['input']['root']): string[] {
  return root.type === 'object' ? root.properties.map(({ name }) => name) : []
}
