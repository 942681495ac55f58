import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { JsonValue } from '../core/json-value.ts'
import { CannotRun } from './terminal.ts'

/** Where an MCP server is: at a URL, or a program to start. */
export type McpPlace =
  | { readonly url: string; readonly authorization: string | undefined }
  | { readonly command: string; readonly args: readonly string[] }

export type ServerTools = { readonly title: string; readonly tools: readonly JsonValue[] }

const ANSWERS_WITHIN_MS = 30_000

/**
 * Asks an MCP server for its tools, as the broker will: a digest is taken of what comes here.
 *
 * @throws (rejects) CannotRun when no server answers there.
 */
export async function listTools(place: McpPlace): Promise<ServerTools> {
  const client = new Client({ name: 'countersign', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  try {
    await client.connect(transportTo(place), { timeout: ANSWERS_WITHIN_MS })
    const { tools } = await client.listTools(undefined, { timeout: ANSWERS_WITHIN_MS })
    const server = client.getServerVersion()
    return {
      title: server?.title ?? server?.name ?? 'MCP server',
      tools: JSON.parse(JSON.stringify(tools)) as JsonValue[],
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CannotRun(`no MCP server answers there: ${why}`, { cause })
  } finally {
    await client.close().catch(() => {})
  }
}

function transportTo(place: McpPlace): Transport {
  if ('command' in place)
    return new StdioClientTransport({ command: place.command, args: [...place.args], stderr: 'ignore' })
  if (!URL.canParse(place.url)) throw new CannotRun(`${place.url} is not a URL`)
  const { authorization } = place
  return new StreamableHTTPClientTransport(new URL(place.url), {
    requestInit: { redirect: 'error', ...(authorization ? { headers: { authorization } } : {}) },
  })
}
