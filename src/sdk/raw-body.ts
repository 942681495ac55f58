import type { IncomingMessage } from 'node:http'

/** Reads a request's body up to a limit, or returns undefined. Rejects when the connection breaks. */
export async function readRawBody(
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
