import { z } from 'zod'
import { deploymentsOf } from '../broker/agent-deployments.ts'
import type { ActionRequest } from '../broker/authorize-action.ts'
import type { Broker } from '../broker/broker.ts'
import { type FoundTool, findTool } from '../broker/find-tool.ts'
import type { AskedAction } from '../broker/load-facts.ts'
import { findOwnAgent } from '../broker/own-rows.ts'
import { deriveKey } from '../broker/tool-attempt.ts'
import type { JsonValue } from '../core/json-value.ts'
import { isJsonObject } from '../core/json-value.ts'
import { AGAIN, isReadOnly, takesAgain } from './action-tool.ts'
import type { ToolCall } from './call-context.ts'
import { META } from './meta-names.ts'

export type ActionCall = {
  readonly kind: 'action'
  readonly tool: FoundTool
  readonly asked: ActionRequest
  /** What a caller names to do it once more; null where there is nothing to name. */
  readonly nextAgain: number | null
}

export type PreparedCall =
  | ActionCall
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly at: string }

const againShape = z.int().min(1)
const metaShape = z.looseObject({
  [META.again]: againShape.optional(),
  [META.deployment]: z.string().min(1).max(64).optional(),
  /** As the API has it: without the space that derived keys have. */
  [META.idempotencyKey]: z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/)
    .optional(),
})

/** Finds what a call asks for and the idempotency key it goes under. */
export async function prepareActionCall(broker: Broker, call: ToolCall): Promise<PreparedCall> {
  const meta = metaShape.safeParse(call.meta)
  if (!meta.success) return { kind: 'invalid', at: `_meta ${meta.error.issues[0]?.path.join('/') ?? ''}` }
  return broker.store.read<PreparedCall>(async (tx) => {
    const { userId, agentId, sessionId } = call.caller
    const tool = await findTool(tx, broker.manifests, call.name)
    if (!tool) return { kind: 'unknown' }
    const own = takesAgain(tool.action) ? splitAgain(call.arguments) : { rest: call.arguments, again: null }
    if (own === 'invalid') return { kind: 'invalid', at: `/${AGAIN}` }

    const agent = await findOwnAgent(tx, userId, agentId)
    const registered = agent ? deploymentsOf(agent) : []
    const [first] = registered
    const only = registered.length === 1 && first ? first.id : ''
    const checked = tool.action.input.check(own.rest)
    const asked: AskedAction = {
      userId,
      agentId,
      sessionId,
      skill: tool.loaded.manifest.skill,
      action: tool.action.declared.name,
      // With the defaults filled in: leaving one out is no other call.
      arguments: checked.ok ? checked.value : own.rest,
      deploymentId: meta.data[META.deployment] ?? only,
    }
    const sentKey = meta.data[META.idempotencyKey]
    if (sentKey !== undefined) {
      return { kind: 'action', tool, asked: { ...asked, idempotencyKey: sentKey }, nextAgain: null }
    }
    const again = own.again ?? meta.data[META.again] ?? null
    const isRead = isReadOnly(tool.action)
    const { idempotencyKey, number } = await deriveKey(tx, asked, { isReadOnly: isRead, again })
    return {
      kind: 'action',
      tool,
      asked: { ...asked, idempotencyKey },
      nextAgain: isRead ? null : number + 1,
    }
  })
}

/** Takes our own argument out of those for the skill. */
function splitAgain(args: JsonValue): { rest: JsonValue; again: number | null } | 'invalid' {
  if (!isJsonObject(args) || !Object.hasOwn(args, AGAIN)) return { rest: args, again: null }
  const again = againShape.safeParse(args[AGAIN])
  if (!again.success) return 'invalid'
  const rest = Object.fromEntries(Object.entries(args).filter(([name]) => name !== AGAIN))
  return { rest, again: again.data }
}
