import type { CallToolResult } from '@modelcontextprotocol/server'
import type { JsonObject } from '../core/json-value.ts'
import { META } from './meta-names.ts'

/** A question a person has to answer, as a caller is told of it. */
export type Asked = {
  readonly id: string
  readonly kind: 'approval' | 'consent'
  /** Where its user answers it. */
  readonly url: string
  readonly expiresAtMs: number
}

export type Refused = {
  readonly code: string
  readonly detail: string
  /** What would make it pass; empty where nothing the agent or its user does would. */
  readonly next: string
  readonly asked?: Asked | undefined
  /** Facts the caller may know, for programs. */
  readonly facts?: JsonObject | undefined
}

/**
 * A refusal as a result, which every client hands on to its model: the reason, what would make it pass, and where its
 * user answers, all in the first block of text. A protocol error would be repeated or hidden.
 */
export function refusedResult({ code, detail, next, asked, facts }: Refused): CallToolResult {
  const lines = [`Refused: ${code}. ${detail}`]
  if (asked) lines.push(`The user answers here: ${asked.url}`, `Reference: ${asked.id}`)
  if (next !== '') lines.push(`Next: ${next}`)
  return {
    isError: true,
    content: [{ type: 'text', text: lines.join('\n') }],
    _meta: {
      [META.outcome]: { code, ...facts, ...(asked ? { ask: { ...asked } } : {}) },
    },
  }
}

/** What the broker itself has to say, with the same for programs. */
export function ownResult(text: string, structured: JsonObject): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: structured }
}
