import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import { startBroker } from '../../src/compose.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { DataFolderBusy } from '../../src/store/data-folder.ts'
import { DEPLOYMENT, grantAll, order } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { tempFolder } from '../support/temp-folder.ts'

function configFor(folder: string, env: Record<string, string> = {}): Config {
  const read = readConfig({
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    COUNTERSIGN_DEV_TOKENS: '1',
    ...env,
  })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  return read.config
}

/** The coffee skill on a socket, which answers when it is told to. */
async function startSkill() {
  const { promise: called, resolve: isCalled } = Promise.withResolvers<void>()
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    request.resume()
    await once(request, 'end')
    isCalled()
    await mayAnswer
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ order_id: 'O-1', charged_amount: 500, currency: 'CNY' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, called, answer }
}

async function startWithSkill(folder: string) {
  const skill = await startSkill()
  const secrets = join(folder, 'secrets.json')
  writeFileSync(secrets, '{"coffee.order":{"/payment_token":"tok"}}', { mode: 0o600 })
  const running = await startBroker(
    configFor(folder, {
      COUNTERSIGN_SKILL_DEV_ORIGINS: skill.origin,
      COUNTERSIGN_SKILL_SECRETS_FILE: secrets,
    }),
  )
  const manifest = sampleManifest('coffee.order', ['/endpoint/baseUrl', skill.origin])
  const granted = await grantAll(running.broker, manifest)
  const token = await mintAccessToken(running.keys, {
    issuer: running.url,
    caller: {
      kind: 'agent',
      userId: granted.userId,
      agentId: granted.agent.id,
      sessionId: running.broker.newId('session'),
      scopes: [],
    },
    nowMs: Date.now(),
    isDevelopment: true,
  })
  const body = JSON.stringify({
    skill: 'coffee.order',
    action: 'order_and_pay',
    arguments: order(500),
    deployment: DEPLOYMENT,
  })
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': 'one-coffee',
  }
  return { skill, running, body, headers }
}

describe('a broker on a socket', () => {
  it('finishes what a client asked for, also when the client has hung up', async () => {
    const folder = tempFolder()
    const { skill, running, body, headers } = await startWithSkill(folder)
    const { hostname, port } = new URL(running.url)
    const socket = connect(Number(port), hostname)
    const lines = Object.entries({
      host: `${hostname}:${port}`,
      ...headers,
      'content-length': String(body.length),
    })
    socket.write(
      `POST /v1/actions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    )
    await skill.called
    socket.destroy()
    await once(socket, 'close')
    skill.answer()
    await running.broker.inFlight.idle()
    const again = await fetch(`${running.url}/v1/actions`, { method: 'POST', headers, body })
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
    expect(await again.json()).toMatchObject({ status: 'succeeded' })
    await running.stop()
  })

  it('stops gracefully: what is in flight is answered, idle connections are closed, nothing new is taken', async () => {
    const folder = tempFolder()
    const { skill, running, body, headers } = await startWithSkill(folder)
    // This one leaves an idle connection behind.
    await (await fetch(`${running.url}/healthz`)).text()
    const answer = fetch(`${running.url}/v1/actions`, { method: 'POST', headers, body })
    await skill.called
    const stopped = running.stop()
    await expect(fetch(`${running.url}/healthz`)).rejects.toThrow()
    skill.answer()
    expect((await answer).status).toBe(200)
    await stopped
    await expect(running.broker.store.read(async (tx) => tx.skills.list())).rejects.toThrow()

    const next = await startBroker(configFor(folder))
    const { treeSize } = await next.broker.store.treeHead()
    expect(next.publisher.newest()?.treeSize).toBe(treeSize)
    await next.stop()
  })

  it('does not wait for ever: what is still out there is found in doubt at the next start', async () => {
    const folder = tempFolder()
    const first = await startWithSkill(folder)
    const { skill, running, body, headers } = first
    const answer = fetch(`${running.url}/v1/actions`, { method: 'POST', headers, body }).catch(() => 'cut')
    await skill.called
    await running.stop({ withinMs: 0 })
    expect(await answer).toBe('cut')
    const next = await startBroker(configFor(folder))
    const unsettled = await next.broker.store.read(async (tx) => tx.actions.unsettled(null))
    expect(unsettled.map((row) => [row.status, row.heldMinor])).toEqual([['in_doubt', 500]])
    skill.answer()
    await next.stop()
  })

  it('is the only one on its data folder', async () => {
    const folder = tempFolder()
    const running = await startBroker(configFor(folder))
    await expect(startBroker(configFor(folder))).rejects.toThrow(DataFolderBusy)
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200)
    await running.stop()
    await (await startBroker(configFor(folder))).stop()
  })

  it('refuses to start on a log that is behind its register, and closes what it opened', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    const register = join(folder, 'checkpoint-register.json')
    const entry = JSON.parse(readFileSync(register, 'utf8'))
    writeFileSync(register, `${JSON.stringify({ ...entry, treeSize: entry.treeSize + 5 })}\n`)
    await expect(startBroker(configFor(folder))).rejects.toThrow(/older than the register/)
    writeFileSync(register, `${JSON.stringify(entry)}\n`)
    await (await startBroker(configFor(folder))).stop()
  })

  it('refuses secrets that others can read, without quoting them', async () => {
    const folder = tempFolder()
    const file = join(folder, 'secrets.json')
    writeFileSync(file, '{"coffee.order":{"/payment_token":"tok_secret"}}')
    chmodSync(file, 0o644)
    const config = configFor(folder, { COUNTERSIGN_SKILL_SECRETS_FILE: file })
    await expect(startBroker(config)).rejects.toThrow(/chmod 600/)
    chmodSync(file, 0o600)
    writeFileSync(file, '{"coffee.order":"tok_secret"}')
    const error = await startBroker(config).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(/must be JSON of the form/)
    expect(String(error)).not.toContain('tok_secret')
  })

  it('refuses a folder whose key for pseudonyms is lost', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    rmSync(join(folder, 'pseudonyms.secret'))
    await expect(startBroker(configFor(folder))).rejects.toThrow(/restore it from a backup/)
  })

  it('refuses to start without the keys of what is sealed', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `cells.sqlite${end}`), { force: true })
    await expect(startBroker(configFor(folder))).rejects.toThrow(/keys of all that is sealed/)
  })

  it('answers what is no HTTP, too large a header, or no URL with a 4xx', async () => {
    const running = await startBroker(configFor(tempFolder()))
    const { hostname, port } = new URL(running.url)
    const host = `host: ${hostname}:${port}\r\n`
    for (const raw of [
      'NONSENSE\r\n\r\n',
      `GET /healthz HTTP/1.1\r\n${host}x-long: ${'x'.repeat(20_000)}\r\n\r\n`,
      'GET /healthz HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n',
      `GET /healthz HTTP/1.1\r\n${host}${host}connection: close\r\n\r\n`,
      'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n',
      `GET //evil.example/ HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
      `POST /v1/actions HTTP/1.1\r\n${host}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]) {
      const socket = connect(Number(port), hostname)
      socket.end(raw)
      let answer = ''
      for await (const chunk of socket) answer += chunk
      expect([raw.slice(0, 40), answer.slice(0, 10)]).toEqual([
        raw.slice(0, 40),
        expect.stringMatching(/^HTTP\/1\.1 4/),
      ])
    }
    for (const named of ['host: evil.example\r\n', host]) {
      const absolute = connect(Number(port), hostname)
      absolute.end(`GET http://evil.example/healthz HTTP/1.1\r\n${named}connection: close\r\n\r\n`)
      let answer = ''
      for await (const chunk of absolute) answer += chunk
      expect(answer).toMatch(/^HTTP\/1\.1 421/)
    }
    await running.stop()
  })
})
