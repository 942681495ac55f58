import { createMcpHandler } from '@modelcontextprotocol/server'
import type { AuthorityChanges } from '../broker/authority-changes.ts'
import { startLoop } from '../broker/background-loop.ts'
import type { Broker } from '../broker/broker.ts'
import { findOwnAgent } from '../broker/own-rows.ts'
import { hasFamilyEnded } from '../broker/token-family.ts'
import { InvalidRequest } from '../http/problem.ts'
import type { StreamSurface } from '../http/surface-route.ts'
import { createAgentServer } from './agent-server.ts'
import { AgentStreams } from './agent-streams.ts'
import { answerRequest } from './answer-request.ts'
import { broughtBy } from './brought.ts'
import type { AgentCaller } from './call-context.ts'
import { HeldCalls } from './held-calls.ts'
import type { McpDeps } from './mcp-deps.ts'
import { problemResponse } from './rpc-error.ts'
import { Running } from './running.ts'
import { Sessions } from './sessions.ts'
import { watchLists } from './watch-lists.ts'

export type McpOptions = {
  readonly broker: Broker
  readonly changes: AuthorityChanges
  /** How long a call is held while a person is asked, in milliseconds. */
  readonly holdMs?: number
  /** A clock that never steps, for the age of sessions. */
  readonly monotonicMs?: () => number
}

/** Below the minute after which clients give up by default. */
const HOLD_MS = 45_000
const SWEEP_MS = 60_000
const SUBSCRIPTIONS_MOST = 2_000

export const MCP_PATH = '/mcp'

/**
 * The endpoint of the Model Context Protocol: one path for the stateless protocol of 2026 and for sessions of clients
 * of 2025, as an OAuth protected resource (RFC 9728).
 */
export function openMcpSurface(options: McpOptions): StreamSurface {
  const { broker, changes } = options
  const resource = `${broker.settings.issuer}${MCP_PATH}`
  const metadata = `${broker.settings.issuer}/.well-known/oauth-protected-resource${MCP_PATH}`
  const stopping = new AbortController()
  const running = new Running()
  const holdMs = options.holdMs ?? HOLD_MS
  const deps: McpDeps = { broker, changes, held: new HeldCalls(), running, stopping: stopping.signal, holdMs }
  const streams = new AgentStreams()
  const sessions = new Sessions({
    createServer: () => reporting(broker, createAgentServer(deps, broughtBy)),
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
  })
  const modern = createMcpHandler(() => createAgentServer(deps, broughtBy), {
    legacy: 'reject',
    bus: streams,
    maxSubscriptions: SUBSCRIPTIONS_MOST,
    onerror: (error) => broker.logger.info('mcp_error', { error: error.message }),
  })
  const stopWatching = watchLists(deps, sessions, streams)
  const sweeping = startLoop('mcp_sessions', SWEEP_MS, broker.logger, async () => sessions.sweep())

  return {
    path: MCP_PATH,
    resource,
    async respond({ request, authenticate }) {
      try {
        const caller = await agentOf(broker, authenticate())
        if (request.method === 'HEAD') return new Response(null, { status: 200 })
        return await answerRequest({ sessions, streams, modern }, request, caller)
      } catch (error) {
        if (!(error instanceof InvalidRequest)) throw error
        broker.recentRefusals.count(`bad_request:${error.code}`)
        return problemResponse(error.code, withChallenge(error, metadata))
      }
    },
    stop() {
      stopWatching()
      void sweeping.stop()
      stopping.abort()
      sessions.closeStreams()
      streams.endAll()
    },
    async idle() {
      await running.idle()
      // What was just answered is written before its stream is closed.
      await new Promise((resolve) => setImmediate(resolve))
      sessions.closeAll()
      await modern.close()
    },
  }
}

/** Only an agent that is still connected is somebody here: what its user took back is not told apart from no token. */
async function agentOf(
  broker: Broker,
  caller: ReturnType<Parameters<StreamSurface['respond']>[0]['authenticate']>,
): Promise<AgentCaller> {
  if (caller.kind === 'agent') {
    const agent = await broker.store.read((tx) => findOwnAgent(tx, caller.userId, caller.agentId))
    if (agent?.status === 'connected' && !(await hasFamilyEnded(broker, caller))) return caller
  }
  throw new InvalidRequest('token_invalid', {
    detail: caller.kind === 'agent' ? 'The agent is not connected.' : 'This is no token of an agent.',
    headers: { 'www-authenticate': 'Bearer realm="countersign", error="invalid_token"' },
  })
}

/** RFC 9728 section 5.1: where a client finds out how to get a token. */
function withChallenge({ facts }: InvalidRequest, metadata: string): InvalidRequest['facts'] {
  const challenge = facts.headers?.['www-authenticate']
  if (challenge === undefined) return facts
  return {
    ...facts,
    headers: { ...facts.headers, 'www-authenticate': `${challenge}, resource_metadata="${metadata}"` },
  }
}

function reporting<S extends { onerror?: (error: Error) => void }>(broker: Broker, server: S): S {
  server.onerror = (error) => broker.logger.info('mcp_error', { error: error.message })
  return server
}
