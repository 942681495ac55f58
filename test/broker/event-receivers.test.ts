import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverDueEvents } from '../../src/broker/deliver-events.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import type { SkillCaller } from '../../src/ports/skill-caller.ts'
import { createWebhookVerifier, type WebhookVerdict } from '../../src/sdk/verify-webhook.ts'
import { openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { COFFEE } from '../support/coffee-test.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => unknown

let test: TestBroker
let alice: Granted
let caller: SkillCaller
let server: Server
let origin: string
let answer: Answer
let requests: number

beforeEach(async () => {
  test = await createTestBroker()
  alice = await grantAll(test.broker, COFFEE)
  requests = 0
  server = createServer(async (request, response) => {
    requests += 1
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await answer(request, Buffer.concat(chunks), response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  origin = `http://127.0.0.1:${address.port}`
  caller = openHttpSkillCaller({ devOrigins: [origin] })
  test.broker.skills = caller
})
afterEach(async () => {
  await caller.close()
  server.closeAllConnections()
  server.close()
  await test.close()
})

/** Revokes, tells the agent at this address over a real connection, and returns what is kept of it. */
async function tellAt(url: string) {
  const { userId, agent } = alice
  await test.broker.store.transaction(async (tx) =>
    tx.agentCallbacks.save({ agentId: agent.id, userId, url, setAtMs: 0 }),
  )
  const scope = { kind: 'everything' } as const
  const done = await revokeAuthority(test.broker, { userId, scope }, async () => [])
  if (done.kind !== 'revoked') throw new Error(done.kind)
  await deliverDueEvents(test.broker)
  const rows = await test.broker.store.read(async (tx) =>
    tx.eventDeliveries.ofRevocation(done.revocationId, userId),
  )
  return rows.find(({ receiverKind }) => receiverKind === 'agent')
}

describe('an event over a real connection', () => {
  it('is verified by its receiver in a few lines, and confirmed', async () => {
    const verdicts: WebhookVerdict[] = []
    const verify = createWebhookVerifier({
      url: `${origin}/hook`,
      issuer: 'https://broker.example',
      keys: test.signer.jwks(),
      now: test.clock.nowMs,
    })
    answer = async ({ method = '', headers }, body, response) => {
      const verdict = await verify({ method, headers, body })
      verdicts.push(verdict)
      response.writeHead(verdict.ok ? 200 : verdict.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(verdict.ok ? verdict.confirmation : {}))
    }
    expect(await tellAt(`${origin}/hook`)).toMatchObject({ status: 'confirmed', fault: null })
    expect(verdicts).toMatchObject([
      { ok: true, event: { type: 'authority.revoked', agent: alice.agent.id } },
    ])
  })

  it.each<[string, Answer, string]>([
    ['redirects', (_, _body, r) => r.writeHead(307, { location: `${origin}/other` }).end(), 'redirect'],
    ['sends a huge answer', (_, _body, r) => r.writeHead(200).end(Buffer.alloc(1_000_000)), 'oversize'],
    ['hangs up', (request) => request.socket.destroy(), 'cut'],
    ['answers with a page', (_, _body, r) => r.writeHead(404).end('<html>'), 'status_404'],
  ])('is asked of nobody else, and is not confirmed, where the receiver %s', async (_, hostile, fault) => {
    answer = hostile
    const kept = await tellAt(`${origin}/hook`)
    expect(kept).toMatchObject({ status: 'waiting', fault, answeredAtMs: null })
    expect(requests).toBe(1)
  })

  it.each([
    ['http://127.0.0.1:1/hook', /blocked_address|bad_endpoint/],
    ['https://127.0.0.1/hook', /blocked_address|bad_endpoint/],
    ['https://10.0.0.1/hook', /blocked_address|bad_endpoint/],
    ['https://169.254.169.254/latest/meta-data', /blocked_address|bad_endpoint/],
    ['https://[::1]/hook', /blocked_address|bad_endpoint/],
    ['https://localhost/hook', /blocked_address|bad_endpoint/],
  ])('never reaches %s', async (url, fault) => {
    const kept = await tellAt(url)
    expect(kept?.status).toBe('waiting')
    expect(kept?.fault).toMatch(fault)
    expect(requests).toBe(0)
  })
})
