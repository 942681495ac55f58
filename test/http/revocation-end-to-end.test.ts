import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { bearer, openApiClient, readAs } from '../../src/demo/api-client.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { registerSkill } from '../../src/demo/register-skill.ts'
import { startSkill } from '../../src/demo/skills/start-skill.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { readStatusList } from '../../src/sdk/read-status-list.ts'
import { verifyRevocationReceipt } from '../../src/sdk/verify-revocation-receipt.ts'
import { createWebhookVerifier } from '../../src/sdk/verify-webhook.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { newId, openTokenMint } from '../support/token-mint.ts'

const MODEL = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'Qwen3-8B',
  thinking: 'off',
  path: { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3-8B', revision: 'main' },
}
const shown = z.looseObject({
  told: z.array(z.looseObject({ kind: z.string(), state: z.string() })),
  actions: z.array(z.looseObject({ became: z.string(), isOpen: z.boolean() })),
  grants: z.array(z.looseObject({ status: z.looseObject({ uri: z.string(), idx: z.int() }) })),
})

it('reaches an agent over HTTP while an order is under way, and the receipt shows it', {
  timeout: 60_000,
}, async () => {
  const port = await freePort(0)
  const url = `http://localhost:${port}`
  const runtimeKey = await generatePublisherKey()
  const skill = await startSkill({
    name: 'coffee.order',
    broker: { issuer: url, keys: { url: `http://127.0.0.1:${port}/.well-known/jwks.json` } },
    runtimeKey,
  })
  onTestFinished(() => skill.stop())
  const heard: string[] = []
  const hook = `http://127.0.0.1:${await freePort(0)}`
  const verify = createWebhookVerifier({
    url: `${hook}/revoked`,
    issuer: url,
    keys: { url: `${url}/.well-known/jwks.json` },
  })
  const receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', headers } = request
    const verdict = await verify({ method, headers, body: Buffer.concat(chunks) })
    if (verdict.ok) heard.push(verdict.event.type)
    response
      .writeHead(verdict.ok ? 200 : verdict.status)
      .end(JSON.stringify(verdict.ok ? verdict.confirmation : {}))
  }).listen(Number(new URL(hook).port), '127.0.0.1')
  onTestFinished(() => void receiver.close())

  const folder = tempFolder()
  const secrets = join(folder, 'skill-secrets.json')
  writeFileSync(secrets, '{"coffee.order":{"/payment_token":"tok"}}', { mode: 0o600 })
  const read = readConfig({
    COUNTERSIGN_DATA: join(folder, 'data'),
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_DEV_TOKENS: '1',
    COUNTERSIGN_LOG_LEVEL: 'error',
    COUNTERSIGN_SKILL_DEV_ORIGINS: `${skill.baseUrl},${hook}`,
    COUNTERSIGN_SKILL_SECRETS_FILE: secrets,
  })
  if (!read.ok) throw new Error(read.faults.join('; '))
  const running = await startBroker(read.config)
  onTestFinished(() => running.stop())

  const mint = openTokenMint(running.keys, url)
  const scopes: string[] = []
  const as = (caller: Parameters<typeof mint>[0]) =>
    openApiClient(
      url,
      bearer(() => mint(caller)),
    )
  const operator = as({ kind: 'operator', operatorId: 'lin.wei', sessionId: newId('session'), scopes })
  const publisherKey = await generatePublisherKey()
  await registerSkill({ operator, publisher: openApiClient(url, null) }, skill.manifest, {
    publisherKey,
    runtimeKey,
  })
  const userId = newId('user')
  const user = as({ kind: 'user', userId, sessionId: newId('session'), scopes })
  const publicJwk = publicHalfOf(await generatePublisherKey())
  const connected = await user.post('/v1/agents', { name: 'Helper', publicJwk, deployments: [MODEL] })
  const deployments = z.array(z.object({ id: z.string() }))
  const agentShape = z.object({ agent: z.object({ agentId: z.string(), deployments }) })
  const { agentId, deployments: registered } = readAs(connected, 201, agentShape).agent
  const agent = as({ kind: 'agent', userId, agentId, sessionId: newId('session'), scopes })
  const asked = await agent.post('/v1/consent-requests', {
    skill: 'coffee.order',
    actions: [{ name: 'quote' }, { name: 'order_and_pay' }],
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 100_000 }],
    categories: ['store', 'basket', 'order', 'price', 'payment'],
    purpose: 'Coffee until it stops',
  })
  const { requestId } = readAs(asked, 201, z.object({ requestId: z.string() }))
  readAs(await user.post(`/v1/consent-requests/${requestId}/approve`, {}), 200, z.object({}))

  const token = await mint({ kind: 'agent', userId, agentId, sessionId: newId('session'), scopes })
  const put = await fetch(`${url}/v1/agent/callback`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${hook}/revoked` }),
  })
  expect(await put.json()).toEqual({ url: `${hook}/revoked` })

  const act = (action: string, args: object, key: string) =>
    agent.post(
      '/v1/actions',
      { skill: 'coffee.order', action, arguments: args, deployment: registered[0]?.id },
      { 'idempotency-key': key },
    )
  const basket = { store_id: 'HZ-01', items: [{ sku: 'latte', quantity: 1 }], currency: 'CNY' }
  const quoteShape = z.object({ result: z.object({ quote_id: z.string(), total_amount: z.int() }) })
  const quote = readAs(await act('quote', basket, 'a-quote-1'), 200, quoteShape).result
  skill.set({ slow: { action: 'order_and_pay', ms: 1_500 } })
  const order = act(
    'order_and_pay',
    { ...quote, store_id: 'HZ-01', currency: 'CNY', pickup: 'store' },
    'a-coffee-1',
  )
  await vi.waitFor(async () => {
    const rows = await running.broker.store.read(async (tx) => tx.actions.unsettled(userId))
    expect(rows).toHaveLength(1)
  })
  const revoked = await user.post('/v1/revocations', { scope: { kind: 'everything' } })
  const { revocationId } = readAs(revoked, 200, z.looseObject({ revocationId: z.string() }))
  await order
  const look = async () => readAs(await user.get(`/v1/revocations/${revocationId}`), 200, shown)
  await vi.waitFor(async () => expect((await look()).told.map(({ state }) => state)).toContain('confirmed'), {
    timeout: 10_000,
  })
  expect(heard).toEqual(['authority.revoked'])
  const view = await look()
  expect(view.told.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'skill no_address',
    'agent confirmed',
  ])
  expect(view.actions).toHaveLength(1)

  const [grant] = view.grants
  if (!grant) throw new Error('no grant')
  const keys = running.keys.jwks().keys
  const { uri, idx } = grant.status
  const list = readStatusList(await (await fetch(uri)).text(), { keys, uri })
  expect(list.kind === 'verified' && list.statusOf(idx)).toBe('invalid')
  await vi.waitFor(
    async () => {
      const receipt = await user.get(`/v1/revocations/${revocationId}/receipt`)
      const vkey = (await (await fetch(`${url}/log/vkey`)).text()).trim()
      const verdict = verifyRevocationReceipt(receipt.body, { keys, vkey, issuer: url })
      expect(verdict.kind).toBe('verified')
    },
    { timeout: 15_000, interval: 500 },
  )
})
