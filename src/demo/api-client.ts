import type { z } from 'zod'
import { isJsonObject, type JsonValue, ownMember } from '../core/json-value.ts'
import { StoryFailed } from './story-failed.ts'

export interface ApiAnswer {
  readonly method: string
  readonly path: string
  readonly status: number
  /** The stable code of a problem, or null. */
  readonly code: string | null
  /** What an action's answer says has become of it, or null. */
  readonly outcome: string | null
  readonly body: JsonValue
}

/** One kind of caller with its own credential. */
export interface ApiCaller {
  get(path: string): Promise<ApiAnswer>
  put(path: string, body: unknown): Promise<ApiAnswer>
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>
}

/** What a request carries to say who calls; asked for with each one, so that nothing expires. */
export type Credential = () => Promise<Readonly<Record<string, string>>>

/** The credential of whoever holds an access token. */
export function bearer(token: () => Promise<string>): Credential {
  return async () => ({ authorization: `Bearer ${await token()}` })
}

/** Calls the broker over HTTP as anybody would; null calls without a credential. */
export function openApiClient(baseUrl: string, credential: Credential | null): ApiCaller {
  async function call(
    method: string,
    path: string,
    body?: unknown,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const headers: Record<string, string> = { ...extra, ...(await credential?.()) }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await fetch(baseUrl + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    const value: JsonValue = text === '' ? null : JSON.parse(text)
    return {
      method,
      path,
      status: response.status,
      code: textAt(value, 'code'),
      outcome: textAt(value, 'status'),
      body: value,
    }
  }
  return {
    get: (path) => call('GET', path),
    put: (path, body) => call('PUT', path, body),
    post: (path, body, headers) => call('POST', path, body ?? {}, headers),
  }
}

/** Reads an answer of the expected status. @throws StoryFailed for any other status or another shape. */
export function readAs<Shape extends z.ZodType>(
  answer: ApiAnswer,
  status: number,
  shape: Shape,
): z.infer<Shape> {
  if (answer.status !== status) throw unexpected(answer, String(status))
  const parsed = shape.safeParse(answer.body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(answer, `${status} with ${issue?.path.join('.')}: ${issue?.message}`)
}

/** @throws StoryFailed unless the answer is this problem. */
export function expectProblem(answer: ApiAnswer, status: number, code: string): void {
  if (answer.status !== status || answer.code !== code) throw unexpected(answer, `${status} ${code}`)
}

function unexpected(answer: ApiAnswer, wanted: string): StoryFailed {
  const body = JSON.stringify(answer.body).slice(0, 600)
  return new StoryFailed(
    `${answer.method} ${answer.path} answered ${answer.status} ${body}, and the story needs ${wanted}`,
  )
}

function textAt(body: JsonValue, name: string): string | null {
  const member = isJsonObject(body) ? ownMember(body, name) : undefined
  return typeof member === 'string' ? member : null
}
