import { SdkError, SdkErrorCode, SdkHttpError, type Transport } from '@modelcontextprotocol/client'
import type { McpAccess, McpAccesses } from '../ports/mcp-access.ts'
import type { SkillCall, SkillReply, ToolTarget } from '../ports/skill-caller.ts'
import { openTokenSource, type TokenSource } from './client-credentials.ts'
import { checkEndpoint } from './egress-guard.ts'
import { callTool } from './mcp-call.ts'
import { httpTransport, stdioTransport } from './mcp-connect.ts'
import { McpExchanges } from './mcp-exchange.ts'
import { type McpFetchConfig, openMcpFetch } from './mcp-fetch.ts'
import { type ListedTool, McpSession } from './mcp-session.ts'
import { type Lease, McpSessions, type SessionLimits } from './mcp-sessions.ts'
import { notSentCode } from './reply-code.ts'

export interface McpSkillConfig extends McpFetchConfig {
  readonly access: McpAccesses
  /** Monotonic. */
  readonly nowMs: () => number
  readonly limits?: Partial<SessionLimits>
  /** A server asked something of its client, which was refused. */
  readonly onAskedBack: (skillId: string, method: string) => void
}

export interface McpSkills {
  call(request: SkillCall, tool: ToolTarget): Promise<SkillReply>
  close(): Promise<void>
}

const LIMITS: SessionLimits = { sessionsMost: 256, idleMs: 300_000, ageMs: 3_600_000 }
/** How old a definition may be that a call is held against; less where the outcome would have to be settled. */
const FRESH_WITHIN_MS = 60_000
const FRESH_TO_SETTLE_MS = 5_000
/** A session that was silent this long is asked for its tools first: it may have ended unheard. */
const SILENT_MS = 10_000

/**
 * Calls tools of MCP servers. Each call is made in a session of its user's own, against the definition that the manifest
 * was reviewed with, and once: only what has not left is ever tried again.
 */
export function openMcpSkills(config: McpSkillConfig): McpSkills {
  const { nowMs, access: accesses } = config
  const exchanges = new McpExchanges()
  const http = openMcpFetch(config, exchanges)
  const sessions = new McpSessions({ ...LIMITS, ...config.limits }, nowMs)
  const tokens = new Map<string, TokenSource>()

  function tokensFor({ skillId }: ToolTarget, url: string, access: McpAccess): TokenSource | undefined {
    if (access.kind !== 'client_credentials') return undefined
    const key = JSON.stringify([skillId, url])
    const source = tokens.get(key) ?? openTokenSource(access, url, http.fetch, nowMs)
    tokens.set(key, source)
    return source
  }

  function transportFor(tool: ToolTarget): Transport | undefined {
    const access = accesses.find(tool.skillId) ?? ({ kind: 'open' } as const)
    if (tool.url === null) return access.kind === 'command' ? stdioTransport(access, exchanges) : undefined
    return access.kind === 'command'
      ? undefined
      : httpTransport(tool.url, access, tokensFor(tool, tool.url, access), http)
  }

  /** A session and the tool in it, or why nothing is sent. A session that had ended unheard is replaced, once. */
  async function reach(
    tool: ToolTarget,
  ): Promise<{ lease: Lease; listed: ListedTool | undefined } | NotSent> {
    const key = JSON.stringify([tool.skillId, tool.url, tool.userId])
    for (let attempt = 1; ; attempt += 1) {
      let lease: Lease | undefined
      try {
        lease = await sessions.take(key, () => {
          const transport = transportFor(tool)
          if (!transport) throw new NotConfigured()
          return McpSession.open(transport, {
            nowMs,
            onAsked: (method) => config.onAskedBack(tool.skillId, method),
          })
        })
        if (!lease) return { kind: 'not_sent', code: 'sessions_exhausted' }
        return { lease, listed: await lease.session.tool(tool.name, freshWithinMs(lease.session, tool)) }
      } catch (error) {
        if (isUnauthorized(error)) tokens.get(JSON.stringify([tool.skillId, tool.url]))?.drop()
        const wasOpen = lease !== undefined && nowMs() - lease.session.openedAtMs >= SILENT_MS
        lease?.done(true)
        if (!wasOpen || attempt > 1) return { kind: 'not_sent', code: failureOf(error) }
      }
    }
  }

  function freshWithinMs(session: McpSession, tool: ToolTarget): number {
    if (nowMs() - session.usedAtMs >= SILENT_MS) return 0
    return tool.mustSettle ? FRESH_TO_SETTLE_MS : FRESH_WITHIN_MS
  }

  const running = new Set<Promise<unknown>>()
  async function call(request: SkillCall, tool: ToolTarget): Promise<SkillReply> {
    const verdict = tool.url === null ? undefined : checkEndpoint(tool.url, config)
    if (verdict && !verdict.ok) return { kind: 'not_sent', code: verdict.code }
    const deadlineMs = nowMs() + request.timeoutMs
    const reached = await within(request.timeoutMs, reach(tool))
    if ('kind' in reached) return reached
    const { lease, listed } = reached
    const drift = driftOf(tool, listed)
    if (!listed || drift !== undefined) {
      lease.done(false)
      return { kind: 'not_sent', code: 'manifest_drift', detail: drift ?? '' }
    }
    const changes = lease.session.changes
    const made = await callTool(lease.session.client, exchanges, {
      request,
      tool,
      definition: listed.tool,
      timeoutMs: deadlineMs - nowMs(),
    })
    const seen =
      lease.session.changes === changes || made.isSessionBroken
        ? undefined
        : await driftSeen(lease.session, tool)
    lease.done(made.isSessionBroken)
    const { reply } = made
    if (made.isUnauthorized) tokens.get(JSON.stringify([tool.skillId, tool.url]))?.drop()
    return seen === undefined || reply.kind === 'not_sent' || reply.kind === 'broken'
      ? reply
      : { ...reply, drift: seen }
  }

  return {
    call(request, tool) {
      const made = call(request, tool).finally(() => running.delete(made))
      running.add(made)
      return made
    },
    async close() {
      await Promise.allSettled(running)
      await sessions.close()
      await http.close()
    },
  }
}

type NotSent = Extract<SkillReply, { kind: 'not_sent' }>

class NotConfigured extends Error {}

/** What keeps a call from being what was reviewed; undefined where nothing does. */
function driftOf(tool: ToolTarget, listed: ListedTool | undefined): string | undefined {
  if (!listed) return `the server lists no tool ${tool.name}`
  return listed.digest === tool.digest
    ? undefined
    : `the tool ${tool.name} is now defined as ${listed.digest}`
}

/** A notice of change came during the call: whether it was about this tool. */
async function driftSeen(session: McpSession, tool: ToolTarget): Promise<string | undefined> {
  try {
    return driftOf(tool, await session.tool(tool.name, FRESH_WITHIN_MS))
  } catch {
    return undefined
  }
}

/** Opening a session is shared and has a time limit of its own; this caller waits no longer than for its call. */
async function within<T>(timeoutMs: number, reaching: Promise<T | NotSent>): Promise<T | NotSent> {
  let timer: NodeJS.Timeout | undefined
  let isLate = false
  const late = new Promise<NotSent>((resolve) => {
    timer = setTimeout(() => {
      isLate = true
      resolve({ kind: 'not_sent', code: 'connect_failed' })
    }, timeoutMs)
  })
  // What comes too late is given back, or it would count as in use for ever; the race tells of a failure.
  reaching.then(
    (reached) => {
      if (isLate && typeof reached === 'object' && reached !== null && 'lease' in reached)
        (reached as { lease: Lease }).lease.done(false)
    },
    () => {},
  )
  try {
    return await Promise.race([reaching, late])
  } finally {
    clearTimeout(timer)
  }
}

function failureOf(error: unknown): NotSent['code'] {
  if (error instanceof NotConfigured) return 'skill_not_configured'
  const code = notSentCode(error)
  return code === 'connect_failed' && isAnswer(error) ? 'session_failed' : code
}

/** The server said something, and it was no session. */
function isAnswer(error: unknown): boolean {
  if (error instanceof SdkHttpError) return true
  if (!(error instanceof SdkError) || error.code === SdkErrorCode.ConnectionClosed) return false
  // The network's own errors have codes; they are wrapped on their way here.
  return !(error.cause instanceof Error && 'code' in error.cause)
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof Error && (error.name === 'UnauthorizedError' || /\b401\b/.test(error.message))
}
