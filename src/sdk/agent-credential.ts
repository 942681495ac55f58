import type { Answered } from './agent-fault.ts'

/** What says with each request who calls. */
export interface Credential {
  /** Headers for exactly this request; a proof of possession is made anew for each. */
  headers(request: {
    readonly method: string
    readonly url: string
  }): Promise<Answered<Record<string, string>>>
  /** Called when the broker refused the token; true where there is something new to try. */
  renew(): Promise<boolean>
}

/** An access token at hand, as a platform hands it to its agents; it is not refreshed. */
export function bearerToken(token: string): Credential {
  return {
    async headers() {
      return { ok: true, value: { authorization: `Bearer ${token}` } }
    },
    async renew() {
      return false
    },
  }
}
