import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type ApiCaller, bearer, openApiClient, readAs } from '../../src/demo/api-client.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { registerSkill } from '../../src/demo/register-skill.ts'
import { startSkill } from '../../src/demo/skills/start-skill.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { type BrokerProcess, startBrokerProcess } from '../support/broker-process.ts'
import { createTestDatabase } from '../support/postgres-database.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { newId, openTokenMint } from '../support/token-mint.ts'
import { Recorder } from './history.ts'

const UNLIMITED = '100000000'
const MODEL = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'Qwen3-8B',
  thinking: 'off',
  path: { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3-8B', revision: 'main' },
}
const ISSUER = 'http://localhost:8787'

export type PlatformNode = { readonly url: string; process: BrokerProcess }
export type PlatformUser = {
  readonly userId: string
  readonly limitMinor: number
  readonly deployment: string
  agent(node: PlatformNode): ApiCaller
  self(node: PlatformNode): ApiCaller
}
export type Platform = Awaited<ReturnType<typeof openPlatform>>

/** Several broker processes on one PostgreSQL database, and the coffee chain as a real server that is written down. */
export async function openPlatform(nodeCount: number) {
  const [database, beside] = [
    await createTestDatabase({ isNew: true }),
    await createTestDatabase({ isNew: true }),
  ]
  onTestFinished(async () => {
    await database.drop()
    await beside.drop()
  })
  const [secrets, recorder] = [tempFolder(), new Recorder()]
  const runtimeKey = await generatePublisherKey()
  const ports = await Promise.all(Array.from({ length: nodeCount }, () => freePort(0)))
  const skill = await startSkill({
    name: 'coffee.order',
    // The last one is never killed: whoever asks for the broker's keys finds them there.
    broker: { issuer: ISSUER, keys: { url: `http://127.0.0.1:${ports.at(-1)}/.well-known/jwks.json` } },
    runtimeKey,
    onCall({ kind, action, executionId, amountMinor = 0, leafHash }) {
      if (kind !== 'action' || action !== 'order_and_pay') return
      recorder.note({ kind: 'called', executionId, user: '', amountMinor, leafHash })
    },
  })
  onTestFinished(() => skill.stop())
  const skillSecrets = join(secrets, 'skill-secrets.json')
  writeFileSync(skillSecrets, '{"coffee.order":{"/payment_token":"tok"}}', { mode: 0o600 })
  const nodes: PlatformNode[] = []
  for (const port of ports) {
    const env = {
      COUNTERSIGN_DATA: tempFolder(),
      COUNTERSIGN_PORT: String(port),
      COUNTERSIGN_PUBLIC_URL: ISSUER,
      COUNTERSIGN_ALLOWED_HOSTS: `127.0.0.1:${port}`,
      COUNTERSIGN_DATABASE_URL: database.url(),
      COUNTERSIGN_KEY_STORE_URL: beside.url('owner'),
      COUNTERSIGN_CHECKPOINT_REGISTER: pathToFileURL(join(secrets, 'register.json')).href,
      COUNTERSIGN_SECRETS: secrets,
      COUNTERSIGN_KEK_FILE: join(secrets, 'kek.json'),
      COUNTERSIGN_DEV_TOKENS: '1',
      COUNTERSIGN_LOG_LEVEL: 'error',
      COUNTERSIGN_SKILL_DEV_ORIGINS: skill.baseUrl,
      COUNTERSIGN_SKILL_SECRETS_FILE: skillSecrets,
      COUNTERSIGN_RATE_PER_ADDRESS: UNLIMITED,
      COUNTERSIGN_RATE_PER_AGENT: UNLIMITED,
      COUNTERSIGN_RATE_PER_USER: UNLIMITED,
    }
    nodes.push({ url: `http://127.0.0.1:${port}`, process: await startBrokerProcess(env) })
  }
  const [first] = nodes
  if (!first) throw new RangeError('a platform without a node')

  const mint = openTokenMint(openKeyRing(join(secrets, 'keys'), Date.now()), ISSUER)
  const callerOf = (node: PlatformNode, caller: Parameters<typeof mint>[0]) =>
    openApiClient(
      node.url,
      bearer(() => mint(caller)),
    )
  const scopes: string[] = []
  const operatorAt = (node: PlatformNode) =>
    callerOf(node, { kind: 'operator', operatorId: 'lin.wei', sessionId: newId('session'), scopes })
  const actions = skill.manifest.actions.map((action) =>
    action.poll ? { ...action, poll: { ...action.poll, everySeconds: 1 } } : action,
  )
  const publisher = openApiClient(first.url, null)
  const keys = { publisherKey: await generatePublisherKey(), runtimeKey }
  await registerSkill({ operator: operatorAt(first), publisher }, { ...skill.manifest, actions }, keys)

  return {
    database,
    skill,
    recorder,
    nodes,
    issuer: ISSUER,
    operatorAt,
    /** A token that may read the log's entries. */
    auditorToken: () =>
      mint({ kind: 'user', userId: newId('user'), sessionId: newId('session'), scopes: ['log:read'] }),
    /** A user whose agent may order coffee up to a limit for life. */
    async addUser(limitMinor: number): Promise<PlatformUser> {
      const userId = newId('user')
      const person = { kind: 'user', userId, sessionId: newId('session'), scopes } as const
      const self = (node: PlatformNode) => callerOf(node, person)
      const publicJwk = publicHalfOf(await generatePublisherKey())
      const connected = await self(first).post('/v1/agents', {
        name: 'Helper',
        publicJwk,
        deployments: [MODEL],
      })
      const registered = z.array(z.object({ id: z.string() })).length(1)
      const shape = z.object({ agent: z.object({ agentId: z.string(), deployments: registered }) })
      const { agentId, deployments } = readAs(connected, 201, shape).agent
      const program = { kind: 'agent', userId, agentId, sessionId: newId('session'), scopes } as const
      const agent = (node: PlatformNode) => callerOf(node, program)
      await giveConsent(agent(first), self(first), limitMinor)
      return { userId, limitMinor, agent, self, deployment: deployments[0]?.id ?? '' }
    },
  }
}

async function giveConsent(agent: ApiCaller, user: ApiCaller, limit: number): Promise<void> {
  const asked = await agent.post('/v1/consent-requests', {
    skill: 'coffee.order',
    actions: [{ name: 'quote' }, { name: 'order_and_pay' }],
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit }],
    categories: ['store', 'basket', 'order', 'price', 'payment'],
    purpose: 'Coffee until it stops',
  })
  const { requestId } = readAs(asked, 201, z.object({ requestId: z.string() }))
  const path = `/v1/consent-requests/${requestId}`
  const view = z.object({ shown: z.object({ digest: z.string() }) })
  const { shown } = readAs(await user.get(path), 200, view)
  readAs(await user.post(`${path}/approve`, { shownDigest: shown.digest }), 200, z.object({}))
}
