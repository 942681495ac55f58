import type { SkillGuardVerdict } from './skill-guard.ts'

/** Headers of the answer to a request that is not a permitted call (RFC 6750 section 3, RFC 9110 section 15.5.6). */
export function refusalHeaders(verdict: SkillGuardVerdict & { ok: false }): Record<string, string> {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  if (verdict.status === 405) return { ...headers, allow: 'POST' }
  if (verdict.status === 401) return { ...headers, 'www-authenticate': 'Bearer error="invalid_token"' }
  return headers
}
