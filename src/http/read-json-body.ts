import { type JsonValue, parseStrictJsonBytes } from '../core/strict-json.ts'
import { InvalidRequest } from './problem.ts'

/** Bytes of a body where a route says nothing else. */
export const BODY_BYTES_MOST = 65_536
const DEPTH_MOST = 32
const MEMBERS_MOST = 20_000

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i

/**
 * Reads a request's body as strict JSON (core/strict-json.ts). Where `isOptional`, no body is the same as `{}`, whatever
 * its type is said to be.
 *
 * @throws InvalidRequest for another media type, too many bytes, a body cut short, and everything two JSON readers
 *   could understand differently.
 */
export async function readJsonBody(
  request: Request,
  { maxBytes, isOptional }: { maxBytes: number; isOptional: boolean },
): Promise<JsonValue> {
  if (!isOptional) checkMediaType(request)
  const bytes = await readBytes(request, maxBytes)
  if (isOptional) {
    if (bytes.byteLength === 0) return {}
    checkMediaType(request)
  }
  const parsed = parseStrictJsonBytes(bytes, { maxBytes, maxDepth: DEPTH_MOST, maxMembers: MEMBERS_MOST })
  if (parsed.ok) return parsed.value
  const code = parsed.code === 'too_large' ? 'body_too_large' : parsed.code
  throw new InvalidRequest(code, {
    faults: [{ pointer: parsed.pointer, code: parsed.code, message: parsed.detail }],
  })
}

function checkMediaType({ headers }: Request): void {
  const type = headers.get('content-type')
  if (type !== 'application/json' && !(type !== null && JSON_TYPE.test(type))) {
    throw new InvalidRequest('unsupported_media_type')
  }
  if (headers.get('content-encoding') !== null) throw new InvalidRequest('unsupported_media_type')
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  try {
    if (declared !== null) {
      const length = Number(declared)
      if (!(length <= maxBytes)) throw new InvalidRequest('body_too_large')
      // The server hands over no more than was declared, so nothing needs counting.
      const bytes = new Uint8Array(await request.arrayBuffer())
      if (bytes.byteLength > maxBytes) throw new InvalidRequest('body_too_large')
      return bytes
    }
    return await readCounting(request, maxBytes)
  } catch (error) {
    if (error instanceof InvalidRequest) throw error
    // The client went away or the framing broke: nobody can be told, but it is not our fault either.
    throw new InvalidRequest('body_incomplete')
  }
}

async function readCounting(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > maxBytes) throw new InvalidRequest('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
