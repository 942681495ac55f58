import { z } from 'zod'

/** The contract of Qwen Code's external tool guard, version 1: its keys, its limits, and nothing beside them. */
export const PROTOCOL_VERSION = 1
export const REQUEST_BYTES_MOST = 1024 * 1024
/** Of a refusal's reason, in UTF-16 units. */
export const REASON_CHARACTERS_MOST = 500
/** How long `qwen serve` can be told to wait for an answer, in milliseconds; it waits 3000 unless told otherwise. */
export const WAITS_MS = { least: 100, most: 30_000, usual: 3_000 } as const

const name = (most: number) => z.string().min(1).max(most)

export const handshakeShape = z.strictObject({
  protocolVersion: z.literal(PROTOCOL_VERSION),
  nonce: name(200),
  client: z.literal('qwen-code'),
})

export const prepareShape = z.strictObject({
  protocolVersion: z.literal(PROTOCOL_VERSION),
  requestId: name(200),
  sessionId: name(500),
  /** Missing where no prompt is running. */
  promptId: name(500).optional(),
  /** May be the model's word, so nothing hangs on it. */
  toolCallId: name(500),
  toolName: name(500),
  arguments: z.record(z.string(), z.json()),
})
export type Prepare = z.infer<typeof prepareShape>

/** Whether a tool may run now. A reason is given with a no only: Qwen Code takes one with a yes for a fault. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string }

export function handshakeAnswer(nonce: string) {
  return { protocolVersion: PROTOCOL_VERSION, nonce, capabilities: { prepare: true } }
}

export function prepareAnswer(requestId: string, verdict: Verdict) {
  const answer = { protocolVersion: PROTOCOL_VERSION, requestId, allowed: verdict.allowed }
  return verdict.allowed ? answer : { ...answer, reason: boundReason(verdict.reason) }
}

/** Line breaks, and every control Qwen Code would take a reason for a fault for. */
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu

/** A reason Qwen Code takes: one line, not blank, without controls or half characters, and short enough. */
export function boundReason(text: string): string {
  const line = text.replace(CONTROLS, ' ').trim()
  const short = line.slice(0, REASON_CHARACTERS_MOST).toWellFormed()
  return short === '' ? 'Refused.' : short
}
