import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDocumentFetcher } from '../../src/skills/guarded-fetch.ts'
import { decodeJwt } from '../support/decode-jwt.ts'
import { begin, connect } from '../support/oauth-client.ts'
import { openOauthWorld } from '../support/oauth-world.ts'

const TLS: ServerOptions = {
  cert: readFileSync(new URL('../skills/loopback-tls/cert.pem', import.meta.url)),
  key: readFileSync(new URL('../skills/loopback-tls/key.pem', import.meta.url)),
}
const extraCa = [String(TLS.cert)]

type Answer = (request: IncomingMessage, response: ServerResponse, url: string) => void

/** A host that publishes a client's document; counts who asks. */
async function publish(answer: Answer): Promise<{ origin: string; url: string; asked: () => number }> {
  let asked = 0
  const server: Server = createServer(TLS, (request, response) => {
    asked += 1
    answer(request, response, `${origin}${request.url ?? ''}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, url: `${origin}/client.json`, asked: () => asked }
}

const document = (url: string, more: object = {}) =>
  JSON.stringify({
    client_id: url,
    client_name: 'Published runner',
    redirect_uris: ['http://127.0.0.1:53211/callback'],
    ...more,
  })

const json: Answer = (_, response, url) => {
  response.setHeader('content-type', 'application/json').end(document(url))
}

describe('a client whose id is a document (Client ID Metadata Documents)', () => {
  it('connects without registering, under the domain that publishes it', async () => {
    const host = await publish(json)
    const world = await openOauthWorld(
      { COUNTERSIGN_SKILL_DEV_ORIGINS: host.origin },
      { documents: { extraCa } },
    )
    const { browser, userId } = await world.signIn()
    const page = await browser.open(begin(world, host.url).url)
    expect(page.text).toContain('Published runner')
    expect(page.text).toContain(`published by ${new URL(host.origin).host}`)
    const { tokens } = await connect(world, browser, { clientId: host.url })
    expect(decodeJwt(String(tokens.body.access_token)).sub).toBe(userId)
    const [agent] = await world.running.broker.store.read(async (tx) => tx.agents.list(userId))
    expect(agent).toMatchObject({ clientId: host.url, clientHost: new URL(host.origin).host })
    // Fetched once and kept for a while.
    expect(host.asked()).toBe(1)
  })

  it.each<[string, Answer]>([
    [
      'redirects',
      (_, response) => void response.writeHead(302, { location: 'https://127.0.0.1/latest/meta-data' }).end(),
    ],
    ['is huge', (_, response, url) => void response.end(document(url, { software_id: 'x'.repeat(40_000) }))],
    ['never ends', (_, response) => void response.write('{')],
    ['says it is another', (_, response) => void response.end(document('https://other.example/client.json'))],
    ['is not JSON', (_, response) => void response.end('<html>')],
    ['is missing', (_, response) => void response.writeHead(404).end(document('x'))],
    [
      'has a secret',
      (_, response, url) => void response.end(document(url, { client_secret: 's'.repeat(40) })),
    ],
    [
      'sends answers to a host in plain http',
      (_, response, url) => void response.end(document(url, { redirect_uris: ['http://agent.example/cb'] })),
    ],
  ])('is refused where the document %s', async (_, answer) => {
    const host = await publish(answer)
    const world = await openOauthWorld(
      { COUNTERSIGN_SKILL_DEV_ORIGINS: host.origin },
      { documents: { extraCa } },
    )
    const { browser } = await world.signIn()
    const startedMs = performance.now()
    const page = await browser.send('GET', begin(world, host.url).url)
    expect([page.status, page.location]).toEqual([400, null])
    // Really asked, and not again and again.
    expect([1, 2]).toContain(host.asked())
    expect(page.text).toMatch(/invalid_client|invalid_client_metadata|invalid_redirect_uri/)
    expect(performance.now() - startedMs).toBeLessThan(6_000)
  })

  it.each([
    ['this machine', 'https://127.0.0.1/client.json'],
    ['this machine by name', 'https://localhost/client.json'],
    ['a private network', 'https://10.0.0.1/client.json'],
    ['cloud metadata', 'https://169.254.169.254/client.json'],
    ['this machine in IPv6', 'https://[::1]/client.json'],
    ['this machine in another spelling', 'https://2130706433/client.json'],
    ['user info', 'https://a@agent.example/client.json'],
    ['plain http', 'http://agent.example/client.json'],
  ])('is never fetched from %s', async (_, url) => {
    const world = await openOauthWorld()
    const { browser } = await world.signIn()
    const page = await browser.send('GET', begin(world, url).url)
    expect([page.status, page.location]).toEqual([400, null])
    expect(page.text).toContain('invalid_client')
  })

  it('is not fetched from a name that points at a private address, however often the name changes', async () => {
    const host = await publish(json)
    let answers = 0
    const fetcher = openDocumentFetcher({
      devOrigins: [],
      extraCa,
      resolve: async () => {
        answers += 1
        return [{ address: answers === 1 ? '10.0.0.1' : '127.0.0.1', family: 4 }]
      },
    })
    onTestFinished(() => fetcher.close())
    const url = `https://agent.example:${new URL(host.origin).port}/client.json`
    await expect(fetcher.fetch(url)).rejects.toThrow()
    await expect(fetcher.fetch(url)).rejects.toThrow()
    expect(host.asked()).toBe(0)
  })

  it('is asked for so often and no more: nobody makes us flood a host', async () => {
    const host = await publish((_, response) => void response.writeHead(500).end())
    const world = await openOauthWorld(
      { COUNTERSIGN_SKILL_DEV_ORIGINS: host.origin },
      { documents: { extraCa } },
    )
    const { browser } = await world.signIn()
    for (let i = 0; i < 14; i++) await browser.send('GET', begin(world, `${host.origin}/${i}.json`).url)
    expect(host.asked()).toBe(10)
  })
})
