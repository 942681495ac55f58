import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DeletionNotices, NOTICE_BYTES_MOST, type NoticeReply } from './deletion-notices.ts'

/**
 * Answers one delivery in fetch's own terms, for a server that speaks them: `app.post('/deletions', (c) =>
 * handleDeletionNotice(notices, c.req.raw))` in Hono.
 */
export async function handleDeletionNotice(notices: DeletionNotices, request: Request): Promise<Response> {
  const body = await readAtMost(request)
  const reply = await notices.answer({
    method: request.method,
    contentType: request.headers.get('content-type') ?? '',
    body,
  })
  return new Response(reply.body, { status: reply.status, headers: reply.headers })
}

/** Request listener for node:http, for the one path the manifest names under `deletion`. */
export function nodeDeletionNotices(notices: DeletionNotices) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answerNode(notices, request, response).catch(() => response.destroy())
  }
}

async function answerNode(
  notices: DeletionNotices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    // One byte more than a notice may have is kept, and refused as too many.
    if (size <= NOTICE_BYTES_MOST + 1) chunks.push(chunk)
  }
  const reply: NoticeReply = await notices.answer({
    method: request.method ?? '',
    contentType: request.headers['content-type'] ?? '',
    body: size > NOTICE_BYTES_MOST ? Buffer.alloc(NOTICE_BYTES_MOST + 1) : Buffer.concat(chunks),
  })
  response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) })
  response.end(reply.body)
}

async function readAtMost(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  while (reader) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > NOTICE_BYTES_MOST) {
      await reader.cancel()
      return new Uint8Array(NOTICE_BYTES_MOST + 1)
    }
    chunks.push(value)
  }
  return Buffer.concat(chunks)
}
