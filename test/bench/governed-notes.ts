import { storedDeployments } from '../../src/broker/agent-deployments.ts'
import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import { listTools } from '../../src/cli/list-tools.ts'
import { importTools } from '../../src/core/manifest/import/import-tools.ts'
import { toolNameOf } from '../../src/core/manifest/tool-name.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { createIds } from '../../src/keys/new-id.ts'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { QWEN } from '../support/connected-agent.ts'
import { grantAll } from '../support/granted-agent.ts'
import { reviewed } from '../support/reviewed-manifest.ts'
import { insertAgent } from '../support/test-broker.ts'
import { SILENT, startBenchBroker } from './bench-broker.ts'
import { NOTE_TOOL } from './note-server.ts'
import { startWorker } from './start-worker.ts'

export type GovernedNotes = {
  readonly url: string
  readonly tool: string
  /** A token of one of the agents, each of a user of its own; a new one each time. */
  token(index: number): Promise<string>
  /** Processor time the broker took since it started, in microseconds. */
  cpu(): Promise<number>
  stop(): Promise<void>
}

const SKILL = 'notes.bench'

/**
 * The whole broker in front of the server, as a process of its own: a manifest from the server's list of tools, users
 * whose agents may call it, and everything durable that is durable in production.
 */
export async function governNotes(
  folder: string,
  upstream: string,
  agents: number,
  nodeOptions: readonly string[],
): Promise<GovernedNotes> {
  const port = await freePort(0)
  if (port === undefined) throw new Error('no port of 127.0.0.1 can be listened on')
  const issuer = `http://localhost:${port}`
  const place = { folder, port, skillOrigin: new URL(upstream).origin, publicUrl: issuer }
  const { title, tools } = await listTools({ url: upstream, authorization: undefined })
  const { manifest: imported } = importTools(tools, {
    skill: SKILL,
    publisher: 'notes.example',
    version: 1,
    title,
    endpoint: { transport: 'mcp', url: upstream },
  })
  const manifest = reviewed(JSON.stringify(imported, null, 2), { [NOTE_TOOL]: ['read'] })

  const first = await startBenchBroker(place, SILENT)
  const callers: { readonly userId: string; readonly agentId: string }[] = []
  for (let index = 0; index < agents; index += 1) {
    const { broker } = first
    const userId = broker.newId('user')
    const agent = await insertAgent(broker, { userId, deployments: storedDeployments([QWEN]) })
    await grantAll(broker, manifest, { budgets: [] }, { userId, agent })
    callers.push({ userId, agentId: agent.id })
  }
  await first.stop()

  const worker = await startWorker('broker-worker', place, nodeOptions)
  const signer = openKeyRing(dataFilesIn(folder).keys, Date.now())
  const newId = createIds(Date.now)
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    tool: toolNameOf(SKILL, NOTE_TOOL),
    async token(index) {
      const caller = callers[index % callers.length]
      if (!caller) throw new RangeError('no agents')
      const who = { kind: 'agent', ...caller, sessionId: newId('session'), scopes: [] } as const
      return mintAccessToken(signer, { issuer, caller: who, nowMs: Date.now() })
    },
    cpu: () => worker.cpuMicroseconds(),
    stop: () => worker.stop(),
  }
}
