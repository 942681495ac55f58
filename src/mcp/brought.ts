import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'
import { isJsonObject } from '../core/json-value.ts'
import type { AgentCaller } from './call-context.ts'

/** What a request brings besides what the protocol library parses of it. */
export type Brought = { readonly caller: AgentCaller; readonly arguments: JsonValue }

/** Arguments are taken as they were read: parsers behind this drop names such as `__proto__` in silence. */
function argumentsIn(body: JsonValue): JsonValue {
  const params = isJsonObject(body) ? body.params : undefined
  return isJsonObject(params) && params.arguments !== undefined ? params.arguments : {}
}

/** The token itself is handed on to nobody. */
export function authInfoOf(caller: AgentCaller, body: JsonValue): AuthInfo {
  const brought: Brought = { caller, arguments: argumentsIn(body) }
  return { token: '', clientId: caller.agentId, scopes: [...caller.scopes], extra: { brought } }
}

const broughtShape = z.custom<Brought>(
  (value) => typeof value === 'object' && value !== null && 'caller' in value,
)

/** What `authInfoOf` put beside a request. */
export function broughtBy(ctx: ServerContext): Brought {
  return broughtShape.parse(ctx.http?.authInfo?.extra?.brought)
}
