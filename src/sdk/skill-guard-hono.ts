import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import { refusalHeaders } from './guard-refusal.ts'
import type { SkillGuard } from './skill-guard.ts'

/** The part of a Hono context that is used, so that the SDK does not bring Hono along. */
export interface HonoContext {
  readonly req: {
    readonly method: string
    readonly url: string
    header(name: string): string | undefined
    arrayBuffer(): Promise<ArrayBuffer>
  }
  set(key: 'call', value: VerifiedCall): void
}

/**
 * Hono middleware: `app.use('/orders', honoSkillGuard(createSkillGuard({ … })))`; then `c.get('call')` is the
 * verified call and `c.req.json()` the body it speaks of. Put Hono's `bodyLimit` before it.
 */
export function honoSkillGuard(guard: SkillGuard) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const verdict = await guard.verify({
      method: c.req.method,
      url: c.req.url,
      authorization: c.req.header('authorization'),
      body: new Uint8Array(await c.req.arrayBuffer()),
    })
    if (!verdict.ok) {
      const body = JSON.stringify({ error: { code: verdict.code } })
      return new Response(body, { status: verdict.status, headers: refusalHeaders(verdict) })
    }
    c.set('call', verdict.call)
    await next()
    return undefined
  }
}
