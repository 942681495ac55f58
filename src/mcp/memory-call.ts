import { z } from 'zod'
import { deploymentsOf } from '../broker/agent-deployments.ts'
import type { Broker } from '../broker/broker.ts'
import type { MemoryCaller } from '../broker/memory-authority.ts'
import { findOwnAgent } from '../broker/own-rows.ts'
import type { ProblemCode } from '../http/problem-codes.ts'
import type { ToolCall } from './call-context.ts'
import { META } from './meta-names.ts'
import { wordsFor } from './refusal-words.ts'
import { refusedResult } from './tool-answer.ts'

const metaShape = z.looseObject({
  [META.deployment]: z.string().min(1).max(64).optional(),
  [META.idempotencyKey]: z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/)
    .optional(),
})

/** Who remembers, on the deployment it names or the only one it registered; undefined for a `_meta` nobody understands. */
export async function memoryCallerOf(
  broker: Broker,
  call: ToolCall,
): Promise<{ caller: MemoryCaller; idempotencyKey: string | undefined } | undefined> {
  const meta = metaShape.safeParse(call.meta)
  if (!meta.success) return undefined
  const { userId, agentId, sessionId } = call.caller
  const agent = await broker.store.read((tx) => findOwnAgent(tx, userId, agentId))
  const registered = agent ? deploymentsOf(agent) : []
  const [first] = registered
  const only = registered.length === 1 && first ? first.id : ''
  const deploymentId = meta.data[META.deployment] ?? only
  return {
    caller: { userId, agentId, sessionId, deploymentId },
    idempotencyKey: meta.data[META.idempotencyKey],
  }
}

export function badMeta() {
  return refusedResult({
    code: 'invalid_arguments',
    detail: '_meta is not understood.',
    next: 'Leave it out, or send it as described.',
  })
}

export function badArguments(error: z.ZodError) {
  return refusedResult({ code: 'invalid_arguments', detail: z.prettifyError(error), next: '' })
}

export function memoryRefused(code: ProblemCode) {
  return refusedResult({ code, ...wordsFor(code) })
}
