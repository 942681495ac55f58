import { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'

const ANSWER_BYTES_MOST = 65_536
const LIMITS = { maxBytes: ANSWER_BYTES_MOST, maxDepth: 16, maxMembers: 2_000 }

export type BrokerAnswer = { readonly status: number; readonly body: JsonValue }

export type AskBroker = (
  method: 'GET' | 'POST',
  path: string,
  about: { readonly token: string; readonly body?: JsonValue; readonly signal: AbortSignal },
) => Promise<BrokerAnswer>

/** Makes the function that asks a broker. It rejects where there is no answer, a redirect, or one that is no short JSON. */
export function askBroker(origin: string): AskBroker {
  return async (method, path, { token, body, signal }) => {
    const response = await fetch(new URL(path, origin), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal,
    })
    return { status: response.status, body: await readJson(response) }
  }
}

/** @throws (rejects) for what is too long or no JSON that two readers understand alike. */
export async function readJson(response: Response): Promise<JsonValue> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > ANSWER_BYTES_MOST) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  const parsed = parseStrictJsonBytes(Buffer.concat(chunks), LIMITS)
  if (!parsed.ok) throw new Error(`the answer is no JSON: ${parsed.code}`)
  return parsed.value
}

/** A link a person opens: only one of this broker is passed on, and only a short one. */
export function linkOf(origin: string) {
  return z
    .string()
    .max(300)
    .refine((text) => URL.canParse(text) && new URL(text).origin === origin && !/[\s\p{Cc}]/u.test(text))
}
