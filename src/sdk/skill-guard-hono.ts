import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import { refusalResponse } from './guard-refusal.ts'
import { answerOnce, keptFrom, type OnceForEachKey, responseFrom } from './once-for-each-key.ts'
import type { SkillGuard } from './skill-guard.ts'

/** The part of a Hono context that is used, so that the SDK does not bring Hono along. */
export interface HonoContext {
  readonly req: {
    readonly method: string
    readonly url: string
    header(name: string): string | undefined
    arrayBuffer(): Promise<ArrayBuffer>
  }
  res: Response
  set(key: 'call', value: VerifiedCall): void
}

/**
 * Hono middleware: `app.use('/orders', honoSkillGuard(createSkillGuard({ … })))`; then `c.get('call')` is the
 * verified call and `c.req.json()` the body it speaks of. Put Hono's `bodyLimit` before it.
 *
 * @param options.once has each action done once for its broker key; repeats never reach the handler.
 */
export function honoSkillGuard(guard: SkillGuard, options: { readonly once?: OnceForEachKey } = {}) {
  const { once } = options
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const verdict = await guard.verify({
      method: c.req.method,
      url: c.req.url,
      authorization: c.req.header('authorization'),
      body: new Uint8Array(await c.req.arrayBuffer()),
    })
    if (!verdict.ok) return refusalResponse(verdict.status, verdict.code)
    const { call } = verdict
    c.set('call', call)
    if (!once) {
      await next()
      return undefined
    }
    const answer = await answerOnce(once, call, async () => {
      await next()
      return keptFrom(c.res.clone())
    })
    if (answer === 'key_reused') return refusalResponse(409, 'key_reused')
    return responseFrom(answer)
  }
}
