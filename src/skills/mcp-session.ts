import { Client, SdkError, SdkErrorCode, type Tool, type Transport } from '@modelcontextprotocol/client'
import type { JsonObject } from '../core/json-value.ts'
import { toolDigest } from '../core/manifest/tool-definition.ts'

/** A tool as the server lists it now. */
export interface ListedTool {
  readonly tool: Tool
  readonly digest: string
}

export interface SessionHooks {
  /** The server asked something of its client: elicitation, sampling, roots. It is refused. */
  readonly onAsked: (method: string) => void
  /** Monotonic. */
  readonly nowMs: () => number
}

const CONNECT_WITHIN_MS = 10_000
/** Tools of one server, over all pages; more is no list a person has reviewed. */
const PAGES_MOST = 16

/**
 * One session with an MCP server, of whichever era it speaks. It offers the server nothing: no elicitation, sampling or
 * roots, so a tool that wants to ask the agent or its user is told that nobody can be asked.
 */
export class McpSession {
  readonly client: Client
  readonly openedAtMs: number
  #nowMs: () => number
  #listed: { readonly tools: ReadonlyMap<string, ListedTool>; readonly atMs: number } | undefined
  #listing: Promise<void> | undefined
  /** Counts the notices that the list changed, so that one which arrives while it is read is not lost. */
  #changes = 0
  #listedChanges = 0
  #isClosed = false
  #usedAtMs: number

  private constructor(client: Client, nowMs: () => number) {
    this.client = client
    this.#nowMs = nowMs
    this.openedAtMs = nowMs()
    this.#usedAtMs = this.openedAtMs
  }

  /** @throws (rejects) when no session comes about. */
  static async open(transport: Transport, hooks: SessionHooks): Promise<McpSession> {
    let session: McpSession | undefined
    const client = new Client(
      { name: 'countersign', version: '1' },
      {
        versionNegotiation: { mode: 'auto' },
        inputRequired: { autoFulfill: false },
        listMaxPages: PAGES_MOST,
        listChanged: {
          tools: { autoRefresh: false, debounceMs: 0, onChanged: () => session?.noteChange() },
        },
      },
    )
    client.fallbackRequestHandler = async ({ method }) => {
      hooks.onAsked(method)
      throw new SdkError(SdkErrorCode.CapabilityNotSupported, 'nobody can be asked here')
    }
    client.onerror = () => {}
    session = new McpSession(client, hooks.nowMs)
    client.onclose = () => session?.markClosed()
    try {
      await client.connect(transport, { timeout: CONNECT_WITHIN_MS })
    } catch (error) {
      await client.close().catch(() => {})
      throw error
    }
    return session
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** How many notices of a changed list there were so far. */
  get changes(): number {
    return this.#changes
  }

  noteUse(): void {
    this.#usedAtMs = this.#nowMs()
  }

  noteChange(): void {
    this.#changes += 1
  }

  markClosed(): void {
    this.#isClosed = true
  }

  /**
   * A tool as the server lists it, read anew where what is known is older than `freshWithinMs` or a notice came since.
   *
   * @throws (rejects) when the server does not answer: then the session is of no use either.
   */
  async tool(name: string, freshWithinMs: number): Promise<ListedTool | undefined> {
    const known = this.#listed
    const isFresh =
      known !== undefined &&
      this.#listedChanges === this.#changes &&
      this.#nowMs() - known.atMs < freshWithinMs
    if (!isFresh) {
      this.#listing ??= this.#list().finally(() => {
        this.#listing = undefined
      })
      await this.#listing
    }
    return this.#listed?.tools.get(name)
  }

  async #list(): Promise<void> {
    const changes = this.#changes
    const atMs = this.#nowMs()
    const { tools } = await this.client.listTools(undefined, {
      timeout: CONNECT_WITHIN_MS,
      cacheMode: 'refresh',
    })
    const listed = new Map<string, ListedTool>()
    for (const tool of tools) {
      // Two tools of one name: whichever were called, the other is what somebody reviewed.
      const isTwice = listed.has(tool.name)
      listed.set(tool.name, { tool, digest: isTwice ? 'listed twice' : toolDigest(plain(tool)) })
    }
    this.#listed = { tools: listed, atMs }
    this.#listedChanges = changes
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await endSession(this.client)
    await this.client.close().catch(() => {})
  }
}

/** Tells the server that its session is over, where there is one; servers need not take it. */
async function endSession(client: Client): Promise<void> {
  const { transport } = client
  if (!transport || !('terminateSession' in transport) || typeof transport.terminateSession !== 'function')
    return
  const { terminateSession } = transport
  await Promise.race([
    Promise.resolve(terminateSession.call(transport)).catch(() => {}),
    new Promise((resolve) => setTimeout(resolve, 2_000).unref()),
  ])
}

function plain(tool: Tool): JsonObject {
  return JSON.parse(JSON.stringify(tool)) as JsonObject
}
