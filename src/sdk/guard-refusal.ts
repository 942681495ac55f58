import type { SkillGuardVerdict } from './skill-guard.ts'

/** Headers of the answer to a request that is not a permitted call (RFC 6750 section 3, RFC 9110 section 15.5.6). */
export function refusalHeaders(verdict: SkillGuardVerdict & { ok: false }): Record<string, string> {
  return headersOf(verdict.status)
}

/** The whole answer, for whatever answers with a `Response`. */
export function refusalResponse(status: number, code: string): Response {
  return new Response(JSON.stringify({ error: { code } }), { status, headers: headersOf(status) })
}

function headersOf(status: number): Record<string, string> {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  if (status === 405) return { ...headers, allow: 'POST' }
  if (status === 401) return { ...headers, 'www-authenticate': 'Bearer error="invalid_token"' }
  return headers
}
