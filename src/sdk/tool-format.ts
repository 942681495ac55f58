import { isJsonObject, type JsonObject, ownMember } from '../core/json-value.ts'
import type { AgentTool } from './agent-answers.ts'
import type { ToolStyle } from './model-endpoint.ts'
import { AGAIN } from './tool-result.ts'

/** A tool as the OpenAI format has it. */
export type OpenAiTool = {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description: string
    readonly parameters: JsonObject
  }
}

const AGAIN_SCHEMA = {
  type: 'integer',
  minimum: 1,
  description:
    'Leave out. Only to do once more what was just done with the same arguments: the number its answer names.',
} as const

/** Gives an action to a model. Everything in it comes from the signed manifest but the argument that repeats it. */
export function openAiTool(tool: AgentTool): OpenAiTool {
  return {
    type: 'function',
    function: { name: tool.tool, description: tool.description, parameters: parametersOf(tool) },
  }
}

/** Whether everything an action does is to read: then doing it again is nothing to ask about. */
export function isReadOnly({ effects }: Pick<AgentTool, 'effects'>): boolean {
  return effects.length > 0 && effects.every((effect) => effect === 'read')
}

function parametersOf(tool: AgentTool): JsonObject {
  const declared = ownMember(tool.input, 'properties')
  const properties = isJsonObject(declared) ? declared : {}
  if (isReadOnly(tool)) return tool.input
  // Manifests have no argument that begins so.
  return { ...tool.input, properties: { ...properties, [AGAIN]: AGAIN_SCHEMA } }
}

/**
 * The part of a system prompt that gives tools to a model whose endpoint takes no `tools`, in the words of the templates
 * the models were trained on.
 */
export function toolPrompt(tools: readonly OpenAiTool[], style: Exclude<ToolStyle, 'native'>): string {
  const signatures = tools.map((tool) => JSON.stringify(tool)).join('\n')
  const head = `# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>\n${signatures}\n</tools>\n\n`
  return head + HOW[style]
}

const HOW = {
  hermes:
    'For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>',
  'qwen3-coder':
    'For each function call, return it in exactly this form, each call in its own <tool_call></tool_call> XML tags, strings as they are and all other values as JSON:\n<tool_call>\n<function=example_function_name>\n<parameter=example_parameter>\nvalue\n</parameter>\n</function>\n</tool_call>',
} as const
