import type { ProblemFacts } from '../http/problem.ts'
import type { ProblemCode } from '../http/problem-codes.ts'
import { PROBLEMS } from '../http/problem-codes.ts'

type RpcError = { readonly status: number; readonly code: number; readonly message: string }

/** An answer to a request that is none of the protocol's, or could not be read: never to a tool that said no. */
export function rpcErrorResponse(
  { status, code, message }: RpcError,
  headers: Readonly<Record<string, string>> = {},
  id: string | number | null = null,
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id }, { status, headers })
}

export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  /** The protocol library's own for what has no code, and for a session that is not there. */
  other: -32000,
  sessionNotFound: -32001,
} as const

/** What a problem of the API is called here; its status stays. */
export function problemResponse(problem: ProblemCode, facts: ProblemFacts): Response {
  const { status, title } = PROBLEMS[problem]
  const code = status === 400 ? RPC.parseError : RPC.other
  return rpcErrorResponse({ status, code, message: `${problem}: ${facts.detail ?? title}` }, facts.headers)
}
