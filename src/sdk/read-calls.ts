import { randomUUID } from 'node:crypto'
import type { AgentTool } from './agent-answers.ts'
import type { ChatMessage, ModelAnswer, NativeCall } from './chat-message.ts'
import type { ReadCall } from './run-tool-call.ts'
import { readTextCalls, type TextCall } from './text-tool-calls.ts'
import { readJsonArguments, readXmlArguments } from './tool-arguments.ts'

/** A call a model wrote: what it asks for, or why that cannot be known. */
export type WrittenCall =
  | { readonly kind: 'call'; readonly name: string; readonly call: ReadCall }
  | { readonly kind: 'unreadable'; readonly name: string; readonly code: string; readonly detail: string }

export type CallsRead = {
  readonly text: string
  readonly thinking: string
  readonly calls: readonly WrittenCall[]
  /** The answer as it goes into the history. */
  readonly message: ChatMessage
  /** Messages with the results, in the form this answer takes them in. */
  readonly answers: (results: readonly string[]) => ChatMessage[]
}

/**
 * Finds the calls in an answer: those the endpoint parsed, or where it parsed none, those in the text. Nothing is mended:
 * what cannot be read becomes a refusal that the model gets as the result of its call.
 */
export function callsIn(answer: ModelAnswer, tools: ReadonlyMap<string, AgentTool>): CallsRead {
  const { content, reasoning, calls } = answer
  const read = readTextCalls(content)
  const thinking = reasoning === '' ? read.thinking : reasoning
  if (calls.length === 0) {
    return {
      text: read.text,
      thinking,
      calls: read.calls.map((call) => textCall(call, tools)),
      // Thinking is no part of a history; Qwen's templates leave it out too.
      message: { role: 'assistant', content: withoutThinking(content, read.thinking) },
      answers: (results) => [{ role: 'user', content: results.map(responseBlock).join('\n') }],
    }
  }
  const ids = withOwnIds(calls)
  const written = calls.map((call) => nativeCall(call, tools))
  return {
    text: read.text,
    thinking,
    calls: written,
    message: {
      role: 'assistant',
      // Empty rather than null: some runtimes' templates know no other kind of content.
      content: read.text,
      tool_calls: calls.map((call, at) => ({
        id: ids[at] ?? '',
        type: 'function',
        // Templates parse the arguments of a history, so that broken ones would break every later request.
        function: {
          name: call.name,
          arguments: readJsonArguments(call.arguments).ok ? call.arguments : '{}',
        },
      })),
    },
    answers: (results) =>
      results.map((content, at) => ({ role: 'tool', tool_call_id: ids[at] ?? '', content })),
  }
}

function nativeCall(call: NativeCall, tools: ReadonlyMap<string, AgentTool>): WrittenCall {
  const tool = tools.get(call.name)
  if (!tool) return unknown(call.name)
  const args = readJsonArguments(call.arguments)
  return args.ok
    ? { kind: 'call', name: call.name, call: { tool, arguments: args.value } }
    : { kind: 'unreadable', name: call.name, code: 'arguments_unreadable', detail: args.detail }
}

function textCall(call: TextCall, tools: ReadonlyMap<string, AgentTool>): WrittenCall {
  if (call.kind === 'fault') {
    const detail = `A tool call cannot be read: ${call.detail}.`
    return { kind: 'unreadable', name: '', code: 'call_unreadable', detail }
  }
  const tool = tools.get(call.name)
  if (!tool) return unknown(call.name)
  if (call.kind === 'json')
    return { kind: 'call', name: call.name, call: { tool, arguments: call.arguments } }
  const args = readXmlArguments(call.parameters, tool)
  return args.ok
    ? { kind: 'call', name: call.name, call: { tool, arguments: args.value } }
    : { kind: 'unreadable', name: call.name, code: 'arguments_unreadable', detail: args.detail }
}

function unknown(name: string): WrittenCall {
  return { kind: 'unreadable', name, code: 'tool_unknown', detail: 'There is no such tool.' }
}

/** Results are told apart by id, so that a missing one, or one given twice, is replaced. */
function withOwnIds(calls: readonly NativeCall[]): string[] {
  const seen = new Set<string>()
  return calls.map(({ id }) => {
    const own = id === '' || seen.has(id) ? `call_${randomUUID()}` : id
    seen.add(own)
    return own
  })
}

function responseBlock(result: string): string {
  return `<tool_response>\n${result}\n</tool_response>`
}

function withoutThinking(content: string, thinking: string): string {
  if (thinking === '') return content
  const end = content.lastIndexOf('</think>')
  return end === -1 ? '' : content.slice(end + '</think>'.length).trimStart()
}
