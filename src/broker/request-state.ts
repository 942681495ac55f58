import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Broker } from './broker.ts'

/** What a client hands back when it repeats a call after its user was asked. */
export type RequestState = {
  readonly userId: string
  readonly agentId: string
  /** Digest of the call; the state is good for no other. */
  readonly callDigest: string
  readonly questionId: string
}

const MODEL = 'McpRequestState'
const TTL_MS = 15 * 60_000
const STATE = /^[A-Za-z0-9_-]{43}$/
const payloadShape = z.strictObject({ agentId: z.string(), callDigest: z.string(), questionId: z.string() })

/** Remembers what was asked and returns 256 random bits that stand for it; kept is only their SHA-256. */
export async function openRequestState(broker: Broker, state: RequestState): Promise<string> {
  const { userId, ...payload } = state
  const handle = randomBytes(32).toString('base64url')
  await broker.store.transaction(
    async (tx) =>
      tx.oauthRecords.insert({
        model: MODEL,
        recordKey: keyOf(handle),
        userId,
        familyId: '',
        userCodeTag: '',
        payload: JSON.stringify(payload),
        expiresAtMs: tx.nowMs + TTL_MS,
      }),
    { userId },
  )
  return handle
}

/**
 * Uses a state up and returns the question it stands for. Undefined for one that nobody made, that was used, has expired,
 * or is another user's, agent's or call's: these are the same answer.
 */
export async function takeRequestState(
  broker: Broker,
  handle: string,
  { userId, agentId, callDigest }: Omit<RequestState, 'questionId'>,
): Promise<{ readonly questionId: string } | undefined> {
  if (!STATE.test(handle)) return undefined
  const ref = { model: MODEL, recordKey: keyOf(handle) }
  return broker.store.transaction(
    async (tx) => {
      const row = await tx.oauthRecords.find(ref)
      if (!row || row.userId !== userId || tx.nowMs >= row.expiresAtMs) return undefined
      const payload = payloadShape.parse(JSON.parse(row.payload))
      if (payload.agentId !== agentId || payload.callDigest !== callDigest) return undefined
      return (await tx.oauthRecords.consume(ref, tx.nowMs)) ? { questionId: payload.questionId } : undefined
    },
    { userId },
  )
}

function keyOf(handle: string): string {
  return createHash('sha256').update(handle).digest('base64url')
}
