import type { Caller } from '../core/tokens/access-token.ts'
import type { Answer } from './answer.ts'
import type { ProblemCode } from './problem-codes.ts'

/** What another surface, such as the pages, is handed once host, origin and rate have been checked. */
export type SurfaceRequest = {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly url: URL
  /** Where the peer is, as far as guesses are counted: of IPv6 its /64. `unknown` where the server does not tell. */
  readonly address: string
  readonly requestId: string
}

/** A route of a surface that reads its own body and says who may call by itself. */
export type SurfaceRoute = {
  readonly method: 'get' | 'post'
  /** As OpenAPI spells it, with `{name}` for a parameter. */
  readonly path: string
  answer(raw: SurfaceRequest): Promise<Answer>
}

/** Pages served beside the API, under the same checks of host, origin, rate and stop. */
export type PageSurface = {
  readonly routes: readonly SurfaceRoute[]
  /** What a person sees of a problem; only asked where a page was wanted. */
  problemAnswer(code: ProblemCode, request: Request): Promise<Answer>
}

/** A path whose surface answers every method itself, streams included, after host, origin, rate and stop were checked. */
export type StreamSurface = {
  readonly path: string
  /** What agents' tokens may be meant for besides the API (RFC 8707). */
  readonly resource: string
  respond(raw: SurfaceRequest & Authenticating): Promise<Response>
  /** Ends the streams that would stay open; what is being answered goes on. */
  stop(): void
  /** Resolves when nothing is being answered. */
  idle(): Promise<void>
}

type Authenticating = {
  /** Says who calls, and counts the call. @throws InvalidRequest where it cannot be said, or too many came. */
  authenticate(): Caller
}
