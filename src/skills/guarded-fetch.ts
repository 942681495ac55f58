import { rootCertificates } from 'node:tls'
import { Agent, request } from 'undici'
import { checkEndpoint, type EgressPolicy, type Resolve, resolveWithSystem } from './egress-guard.ts'
import { guardedConnector } from './guarded-connector.ts'

export interface DocumentFetcherConfig extends EgressPolicy {
  /** For everything together: names, connection, answer. */
  readonly timeoutMs?: number
  readonly bytesMost?: number
  /** PEM certificates trusted besides the system's. */
  readonly extraCa?: readonly string[]
  readonly resolve?: Resolve
}

export interface DocumentFetcher {
  /** @throws (rejects) when nothing may be sent there, or what comes back is too large, too slow or a redirect. */
  fetch(url: string): Promise<Response>
  close(): Promise<void>
}

const TIMEOUT_MS = 2_000
const BYTES_MOST = 32_768

/**
 * Fetches small public documents whose addresses strangers choose: https, no address of ours or of a private network
 * (checked for the address that is dialled), no redirect, no cookie, no credentials, little time and few bytes.
 */
export function openDocumentFetcher(config: DocumentFetcherConfig): DocumentFetcher {
  const timeoutMs = config.timeoutMs ?? TIMEOUT_MS
  const bytesMost = config.bytesMost ?? BYTES_MOST
  const agent = new Agent({
    allowH2: false,
    connections: 2,
    keepAliveTimeout: 1,
    maxHeaderSize: 8_192,
    connect: guardedConnector({
      policy: { devOrigins: config.devOrigins },
      resolve: config.resolve ?? resolveWithSystem,
      connectTimeoutMs: timeoutMs,
      defaultCa: rootCertificates,
      ...(config.extraCa ? { extraCa: config.extraCa } : {}),
    }),
  })
  return {
    async fetch(url) {
      const verdict = checkEndpoint(url, config)
      if (!verdict.ok) throw new Error(verdict.code)
      const { statusCode, headers, body } = await request(url, {
        dispatcher: agent,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      })
      // What is given up below ends in an error nobody waits for, which must not end the process.
      body.on('error', () => {})
      if (statusCode >= 300 && statusCode < 400) {
        body.destroy()
        throw new Error('redirect')
      }
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of body) {
        size += (chunk as Buffer).byteLength
        if (size > bytesMost) {
          body.destroy()
          throw new Error('oversize')
        }
        chunks.push(chunk as Buffer)
      }
      return new Response(statusCode === 204 ? null : Buffer.concat(chunks), {
        status: statusCode,
        headers: cacheHeaders(headers),
      })
    },
    close: () => agent.destroy(),
  }
}

/** All a caller may go by: how long the document is good for, and what it says it is. */
function cacheHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['cache-control', 'expires', 'content-type']) {
    const value = headers[name]
    if (typeof value === 'string') kept[name] = value
  }
  return kept
}
