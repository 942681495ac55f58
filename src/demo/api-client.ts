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

/** One kind of caller with its own token. */
export interface ApiCaller {
  get(path: string): Promise<ApiAnswer>
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>
}

/**
 * Calls the broker over HTTP as anybody would. A token is asked for with each request, so that none expires; null calls
 * without one.
 */
export function openApiClient(baseUrl: string, token: (() => Promise<string>) | null): ApiCaller {
  async function call(
    method: string,
    path: string,
    body?: unknown,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const headers: Record<string, string> = { ...extra }
    if (token) headers.authorization = `Bearer ${await token()}`
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
