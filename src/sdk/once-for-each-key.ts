import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import type { Idempotent } from './idempotent-calls.ts'

/** An answer as it can be given again. */
export type KeptAnswer = {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** Answers a repeat with what the first was answered with: `createIdempotentCalls()`, or a store of your own. */
export type OnceForEachKey = Idempotent<KeptAnswer>

/** The answer was a fault of the skill's, and the next try is to find out anew. */
class NotKept extends Error {
  readonly answer: KeptAnswer

  constructor(answer: KeptAnswer) {
    super('not kept')
    this.answer = answer
  }
}

/**
 * Has an action done once for its broker key. Answers of 500 and above are not kept, so that they can be tried again;
 * status, cancel, undo and stop calls carry the key of the action they are about, and are answered each time.
 *
 * @returns `key_reused` for the same key with other bytes, which no broker sends.
 */
export async function answerOnce(
  once: OnceForEachKey | undefined,
  call: VerifiedCall,
  run: () => Promise<KeptAnswer>,
): Promise<KeptAnswer | 'key_reused'> {
  if (!once || call.kind !== 'action') return run()
  try {
    const told = await once(call, async () => {
      const answer = await run()
      if (answer.status >= 500) throw new NotKept(answer)
      return answer
    })
    return told.kind === 'answered' ? told.answer : 'key_reused'
  } catch (error) {
    if (error instanceof NotKept) return error.answer
    throw error
  }
}

/** Headers that belong to one connection or one moment, and not to an answer that is given again. */
const NOT_KEPT = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'content-length'])

export async function keptFrom(response: Response): Promise<KeptAnswer> {
  const headers = [...response.headers].filter(([name]) => !NOT_KEPT.has(name))
  return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) }
}

export function responseFrom({ status, headers, body }: KeptAnswer): Response {
  const isBodiless = status === 204 || status === 304
  const list = headers.map(([name, value]): [string, string] => [name, value])
  return new Response(isBodiless ? null : new Uint8Array(body), { status, headers: list })
}
