import { isJsonObject, type JsonObject, type JsonValue } from '../core/json-value.ts'

/** Codes of our own, beside the broker's problem codes, which are listed at its `/problems/{code}`. */
export type ClientFaultCode =
  /** No answer came, however often it was tried. With a key, the same call may be made again. */
  | 'unreachable'
  /** The caller's signal said so. What was sent goes on. */
  | 'aborted'
  /** The broker went on asking for patience for longer than was allowed. */
  | 'out_of_time'
  /** What answered does not speak as a broker does. */
  | 'unexpected_answer'
  /** There is no token, or the broker takes it no longer: the user has to connect the agent again. */
  | 'signed_out'

/** Where bad input is at fault: a JSON Pointer into the body, or the name of a parameter. */
export type InputFault = { readonly pointer: string; readonly code: string; readonly message: string }

/** Why a call did not do what it was for. A value, never thrown; it holds no token, key or argument. */
export type AgentFault = {
  /** Stable: a `ClientFaultCode`, or a problem code of the broker. */
  readonly code: string
  /** Of the broker's answer; null where there was none. */
  readonly status: number | null
  readonly detail: string
  readonly faults: readonly InputFault[]
  /** How long the broker asks to wait, in milliseconds. */
  readonly retryAfterMs: number | null
  /** Further members of the problem, as its code's page documents them. */
  readonly facts: JsonObject
}

export type Answered<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: AgentFault }

const DETAILS: Readonly<Record<ClientFaultCode, string>> = {
  unreachable: 'The broker did not answer.',
  aborted: 'The caller ended the call.',
  out_of_time: 'The broker was not done in the time that was given to it.',
  unexpected_answer: 'The answer is none that a broker gives.',
  signed_out: 'The broker takes no token of this agent any more. Connect it again.',
}

export function failed(code: ClientFaultCode, status: number | null = null) {
  const fault = { code, status, detail: DETAILS[code], faults: [], retryAfterMs: null, facts: {} }
  return { ok: false, fault } as const
}

export function succeeded<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value }
}

const OWN_MEMBERS = new Set(['type', 'title', 'status', 'code', 'detail', 'faults'])

/** Reads a problem (RFC 9457); undefined for a body that is none. */
export function faultFrom(
  body: JsonValue,
  status: number,
  retryAfterMs: number | null,
): AgentFault | undefined {
  if (!isJsonObject(body) || typeof body.code !== 'string') return undefined
  const facts = Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_MEMBERS.has(name)))
  const detail = typeof body.detail === 'string' ? body.detail : ''
  return { code: body.code, status, detail, faults: faultsIn(body.faults), retryAfterMs, facts }
}

function faultsIn(value: JsonValue | undefined): InputFault[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((one: JsonValue) =>
    isJsonObject(one)
      ? [{ pointer: text(one.pointer), code: text(one.code), message: text(one.message) }]
      : [],
  )
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
