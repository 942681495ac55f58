import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { Deployment } from '../../src/core/model/deployment.ts'
import { deploymentIdOf } from '../../src/core/model/deployment-id.ts'
import { type AgentClient, createAgentClient } from '../../src/sdk/agent-client.ts'
import { bearerToken } from '../../src/sdk/agent-credential.ts'
import type { ModelEndpoint } from '../../src/sdk/model-endpoint.ts'
import type { Pause } from '../../src/sdk/pause.ts'
import { createToolLoop } from '../../src/sdk/tool-loop.ts'
import type { ToolLoop, ToolLoopOptions } from '../../src/sdk/tool-loop-contract.ts'
import { type Granted, grantAll, SECRET } from './granted-agent.ts'
import { sampleManifest } from './sample-manifest.ts'
import { type ScriptedModel, startScriptedModel } from './scripted-model.ts'
import { createTestApp, HOST, type TestApp } from './test-app.ts'
import { insertAgent } from './test-broker.ts'

/** What a scripted model is registered as. */
export const SCRIPTED: Deployment = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'qwen3-scripted',
  thinking: 'hybrid',
  path: { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3-Scripted', revision: 'main' },
}

export type AgentWorld = {
  readonly test: TestApp
  readonly model: ScriptedModel
  readonly endpoint: ModelEndpoint
  /** A user of their own with an agent that has a grant; `terms` null: without one. */
  agent(terms?: Partial<GrantTerms> | null): Promise<WorldAgent>
  close(): Promise<void>
}

export type WorldAgent = {
  readonly granted: Pick<Granted, 'userId' | 'agent'> & { readonly grant: Granted['grant'] | undefined }
  readonly client: AgentClient
  loop(about?: Partial<ToolLoopOptions>, endpoint?: Partial<ModelEndpoint>): ToolLoop
}

/** Lets waits pass at once: nothing here depends on how long they are. */
export const noPause: Pause = async () => {}

/** A broker in process and a scripted model on loopback, for programs made with the SDK. */
export async function openAgentWorld(): Promise<AgentWorld> {
  const test = await createTestApp()
  test.secrets.set('coffee.order /payment_token', SECRET)
  const model = await startScriptedModel()
  const endpoint: ModelEndpoint = { baseUrl: model.baseUrl, model: 'qwen3-scripted', deployment: SCRIPTED }
  const both = fetchBoth(test)
  return {
    test,
    model,
    endpoint,
    async agent(terms = {}) {
      const userId = test.broker.newId('user')
      const deployments = JSON.stringify([{ id: deploymentIdOf(SCRIPTED), deployment: SCRIPTED }])
      const agent = await insertAgent(test.broker, { userId, deployments })
      const grant =
        terms === null
          ? undefined
          : (await grantAll(test.broker, sampleManifest('coffee.order'), terms, { userId, agent })).grant
      if (grant === undefined) {
        await test.broker.store.transaction(async (tx) =>
          tx.users.save({ id: userId, timeZone: 'UTC', createdAtMs: tx.nowMs }),
        )
      }
      const token = await test.tokenFor({ kind: 'agent', userId, agentId: agent.id })
      const deps = { fetch: both, pause: noPause }
      const client = createAgentClient({
        broker: test.broker.settings.issuer,
        credential: bearerToken(token),
        ...deps,
      })
      return {
        granted: { userId, agent, grant },
        client,
        loop: (about = {}, changed = {}) =>
          createToolLoop({ client, model: { ...endpoint, ...changed }, ...deps, ...about }),
      }
    },
    async close() {
      await model.close()
      await test.close()
    },
  }
}

/** Calls the broker in process and everything else over the network. */
export function fetchBoth(test: TestApp): typeof fetch {
  return async (input, init) => {
    const url = String(input)
    if (!url.startsWith(`https://${HOST}/`)) return fetch(input, init)
    const { signal } = init ?? {}
    if (signal?.aborted) throw signal.reason
    // As a socket does: whoever hangs up hears nothing more, and the broker goes on.
    const hungUp = new Promise<never>((_, reject) => {
      if (signal?.aborted) reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    const asked = test.app.request(url, init, { incoming: { socket: { remoteAddress: '192.0.2.1' } } })
    return Promise.race([asked, hungUp])
  }
}
