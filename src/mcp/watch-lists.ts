import { startLoop } from '../broker/background-loop.ts'
import type { AgentStreams } from './agent-streams.ts'
import type { McpDeps } from './mcp-deps.ts'
import type { Sessions } from './sessions.ts'

/** How soon changes that came together are told, and how often is looked for what other nodes changed, in milliseconds. */
const TELL_AFTER_MS = 25
const LOOK_MS = 15_000

/**
 * Tells sessions and subscriptions of an agent, and nobody else's, when its tools may have changed, and ends them when the
 * agent is disconnected. Returns what ends the watch.
 */
export function watchLists(
  { broker, changes }: McpDeps,
  sessions: Sessions,
  streams: AgentStreams,
): () => void {
  const due = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const seen = new Map<string, string>()

  function soon(agentIds: readonly string[]): void {
    for (const agentId of agentIds) due.add(agentId)
    timer ??= setTimeout(() => {
      timer = undefined
      void tellDue()
    }, TELL_AFTER_MS)
  }

  async function tellDue(): Promise<void> {
    const agentIds = [...due]
    due.clear()
    for (const agentId of agentIds) {
      try {
        if (!(await isConnected(agentId))) end(agentId)
        else tell(agentId)
      } catch (error) {
        broker.logger.error('mcp_watch_failed', { error })
      }
    }
  }

  function tell(agentId: string): void {
    for (const { server } of sessions.ofAgent(agentId)) {
      // A client that does not listen has nothing to be told on.
      server.sendToolListChanged().catch(() => undefined)
    }
    streams.tell(agentId, { kind: 'tools_list_changed' })
  }

  function end(agentId: string): void {
    for (const session of sessions.ofAgent(agentId)) sessions.close(session)
    streams.end(agentId)
    seen.delete(agentId)
  }

  async function isConnected(agentId: string): Promise<boolean> {
    const agent = await broker.store.read(async (tx) => tx.agents.find(agentId))
    return agent?.status === 'connected'
  }

  /** What was changed elsewhere, or by time alone, is seen by looking. */
  async function look(): Promise<void> {
    const here = open()
    for (const agentId of seen.keys()) if (!here.has(agentId)) seen.delete(agentId)
    for (const agentId of here) {
      const now = await listedFor(agentId)
      const before = seen.get(agentId)
      seen.set(agentId, now)
      if (before !== undefined && before !== now) soon([agentId])
    }
  }

  function open(): Set<string> {
    return new Set([...sessions.agents(), ...streams.agents()])
  }

  async function listedFor(agentId: string): Promise<string> {
    return broker.store.read(async (tx) => {
      const agent = await tx.agents.find(agentId)
      if (agent?.status !== 'connected') return 'gone'
      const grants = (await tx.grants.live(agent.userId)).filter(
        (grant) => grant.agentId === agentId && tx.nowMs < grant.expiresAtMs,
      )
      const digests: string[] = []
      for (const skillId of new Set(grants.map((grant) => grant.skillId))) {
        digests.push((await tx.skills.find(skillId))?.currentDigest ?? '')
      }
      return digests.sort().join(' ')
    })
  }

  const unsubscribe = changes.subscribe((change) => {
    if (change.kind === 'grants' || change.kind === 'agent') {
      if (sessions.ofAgent(change.agentId).length > 0 || streams.has(change.agentId)) soon([change.agentId])
    }
    if (change.kind === 'skills') soon([...open()])
  })
  const looking = startLoop('mcp_lists', LOOK_MS, broker.logger, look)
  return () => {
    unsubscribe()
    clearTimeout(timer)
    void looking.stop()
  }
}
