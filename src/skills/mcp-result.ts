import type { SkillReply, ToolTarget } from '../ports/skill-caller.ts'

/** The members of a tool's result that are looked at; whatever else it holds goes nowhere. */
export interface ToolResult {
  readonly content?: readonly { readonly type: string; readonly text?: unknown }[] | undefined
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
}

/**
 * What a tool's result is as an answer of the skill: JSON bytes, which the manifest's closed result schema is held
 * against like any other. Nothing of it is believed here.
 */
export function replyOf(result: ToolResult, answers: ToolTarget['answers'], bytesMost: number): SkillReply {
  const body = Buffer.from(result.isError === true ? errorText(result) : resultText(result, answers))
  if (body.length > bytesMost) return { kind: 'broken', code: 'oversize' }
  if (result.isError === true) return { kind: 'tool_error', code: 'tool_error', body }
  return { kind: 'answered', status: 200, contentType: 'application/json', headers: {}, body }
}

function resultText(result: ToolResult, answers: ToolTarget['answers']): string {
  switch (answers) {
    case 'structured':
      // A tool without structured content has broken its word; an empty body is no JSON.
      return result.structuredContent === undefined ? '' : JSON.stringify(result.structuredContent)
    case 'json':
      return onlyText(result) ?? ''
    case 'text':
      return JSON.stringify({ text: allText(result) })
    case 'content':
      return JSON.stringify({ content: result.content ?? [] })
  }
}

/** Where a refusal's code may stand: in structured content, or in a text that is JSON by itself. */
function errorText(result: ToolResult): string {
  if (result.structuredContent !== undefined) return JSON.stringify(result.structuredContent)
  return onlyText(result) ?? ''
}

function onlyText({ content = [] }: ToolResult): string | undefined {
  const [first, ...others] = content
  return first?.type === 'text' && typeof first.text === 'string' && others.length === 0
    ? first.text
    : undefined
}

/** All text blocks as one text; what is no text is named, so that nobody thinks that this was all. */
function allText({ content = [] }: ToolResult): string {
  return content
    .map((block) =>
      typeof block.text === 'string' && block.type === 'text' ? block.text : `[${plain(block.type)}]`,
    )
    .join('\n')
}

function plain(type: string): string {
  return /^[a-z_]{1,32}$/.test(type) ? type : 'block'
}
