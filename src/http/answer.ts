/** What a route answers, before it becomes a response. A body is sent as JSON, content as it is. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Whole `Set-Cookie` values. */
  readonly cookies?: readonly string[]
  readonly body?: unknown
  readonly content?: { readonly type: string; readonly bytes: string | Uint8Array<ArrayBuffer> }
  /** Made already, by a surface that streams; only what every answer has is added. */
  readonly response?: Response
}

/** No answer of the API may be kept by a cache, shown in a frame, or read as something else. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** Turns an answer into a response. Headers stay a plain object, which the server writes without another copy. */
export function toResponse(answer: Answer, requestId: string): Response {
  const { body, content } = answer
  if (answer.response) return withSecurityHeaders(answer.response, requestId)
  const isProblem = answer.status >= 400
  const headers: Record<string, string> = { ...SECURITY_HEADERS, 'x-request-id': requestId }
  if (content) headers['content-type'] = content.type
  else if (body !== undefined) {
    headers['content-type'] = isProblem ? 'application/problem+json' : 'application/json'
  }
  if (answer.headers) Object.assign(headers, answer.headers)
  const bytes = content ? content.bytes : body === undefined ? null : JSON.stringify(body)
  const response = new Response(bytes, { status: answer.status, headers })
  // Each cookie is a header of its own: they cannot be joined (RFC 6265 section 3).
  for (const cookie of answer.cookies ?? []) response.headers.append('set-cookie', cookie)
  return response
}

function withSecurityHeaders(response: Response, requestId: string): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  response.headers.set('x-request-id', requestId)
  return response
}
