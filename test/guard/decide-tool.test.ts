import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonValue } from '../../src/core/json-value.ts'
import { askBroker } from '../../src/guard/broker-answer.ts'
import { type DecideDeps, decideTool } from '../../src/guard/decide-tool.ts'
import { boundReason } from '../../src/guard/guard-contract.ts'
import { type GuardTokens, openGuardSession } from '../../src/guard/guard-session.ts'
import { codingWish } from '../../src/guard/guard-wish.ts'

type Seen = { method: string; path: string; token: string; body: JsonValue }
type Reply = { status?: number; body?: unknown; raw?: string | Buffer; location?: string; afterMs?: number }

const WORKSPACE = '/home/li/shop'
let server: Server
let origin: string
let seen: Seen[]
let replies: ((seen: Seen) => Reply)[]
let kept: GuardTokens | undefined

beforeEach(async () => {
  seen = []
  replies = []
  kept = {
    clientId: 'client',
    accessToken: 'token-1',
    refreshToken: 'refresh-1',
    expiresAtMs: Date.now() + 600_000,
  }
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const one = {
      method: request.method ?? '',
      path: request.url ?? '',
      token: request.headers.authorization ?? '',
      body: text.startsWith('{') ? JSON.parse(text) : text,
    }
    seen.push(one)
    const reply: Reply = (replies.shift() ?? (() => ({ status: 500, body: {} })))(one)
    if (reply.afterMs) await new Promise((resolve) => setTimeout(resolve, reply.afterMs))
    response.writeHead(reply.status ?? 200, {
      'content-type': 'application/json',
      ...(reply.location === undefined ? {} : { location: reply.location }),
    })
    response.end(reply.raw ?? JSON.stringify(reply.body ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  origin = `http://127.0.0.1:${address.port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function deps(extra: Partial<DecideDeps> = {}): DecideDeps {
  const keeper = {
    read: () => kept,
    save(tokens: GuardTokens) {
      kept = tokens
    },
  }
  return {
    origin,
    ask: askBroker(origin),
    session: openGuardSession(origin, keeper),
    mapping: { workspace: WORKSPACE, listed: new Set() },
    wish: codingWish(WORKSPACE, new Set()),
    deployment: '',
    answerWithinMs: 1_500,
    ...extra,
  }
}

const decide = (extra: Partial<DecideDeps> = {}, toolName = 'read_file', args: Record<string, string> = {}) =>
  decideTool(deps(extra), {
    protocolVersion: 1,
    requestId: 'r',
    sessionId: 's',
    toolCallId: 't',
    toolName,
    arguments: toolName === 'read_file' ? { file_path: `${WORKSPACE}/a.ts` } : args,
  })
const reply = (...next: (Reply | ((seen: Seen) => Reply))[]) =>
  replies.push(...next.map((one) => (typeof one === 'function' ? one : () => one)))

const PERMITTED = { actionId: 'act_1', status: 'permitted', promises: [] }
const asking = () => ({
  actionId: 'act_1',
  status: 'approval_required',
  approvalId: 'apr_1',
  approvalUrl: `${origin}/approvals/apr_1`,
  detail: '',
  promises: [],
})

describe('a tool is allowed', () => {
  it('when the broker permits exactly it, right then', async () => {
    reply({ body: PERMITTED })
    expect(await decide()).toEqual({ allowed: true })
    expect(seen).toMatchObject([
      {
        method: 'POST',
        path: '/v1/guard/permits',
        token: 'Bearer token-1',
        body: { skill: 'coding.local', action: 'read_file', arguments: { path: `${WORKSPACE}/a.ts` } },
      },
    ])
  })

  it('after a yes that comes while Qwen Code still waits, by another whole decision', async () => {
    reply(
      { status: 202, body: asking() },
      { body: { approvalId: 'apr_1', state: 'approved' } },
      { body: PERMITTED },
    )
    expect(await decide({ answerWithinMs: 5_000 })).toEqual({ allowed: true })
    expect(seen.map(({ path }) => path.replace(/=\d+/, '=n'))).toEqual([
      '/v1/guard/permits',
      '/v1/approvals/apr_1?wait=n',
      '/v1/guard/permits',
    ])
  })

  it('with a new token where the broker did not take the old one, sent once', async () => {
    reply(
      { status: 401, body: { code: 'token_invalid', title: 'No' } },
      { body: { access_token: 'token-2', refresh_token: 'refresh-2', expires_in: 600 } },
      { body: PERMITTED },
    )
    expect(await decide()).toEqual({ allowed: true })
    expect(seen.map(({ path, token }) => [path, token])).toEqual([
      ['/v1/guard/permits', 'Bearer token-1'],
      ['/oauth/token', ''],
      ['/v1/guard/permits', 'Bearer token-2'],
    ])
    expect(kept).toMatchObject({ refreshToken: 'refresh-2' })
  })
})

describe('a tool is refused', () => {
  const refused = (text: string) => ({ allowed: false, reason: expect.stringContaining(text) })

  it('without asking anybody, where nobody knows what it does', async () => {
    expect(await decide({}, 'save_memory', { fact: 'x' })).toEqual(refused('save_memory'))
    expect(await decide({}, 'run_shell_command', { command: 'ls', shell: 'zsh' })).toEqual(refused('shell'))
    expect(await decide({}, 'glob', { pattern: '../../**', path: WORKSPACE })).toEqual(
      refused('out of its folder'),
    )
    expect(seen).toEqual([])
  })

  it('with the link of this broker, where a person has to say yes', async () => {
    reply({ status: 202, body: asking() })
    expect(await decide()).toEqual(refused(`${origin}/approvals/apr_1`))
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['a yes to something it did not ask', { body: { ...PERMITTED, status: 'succeeded' } }],
    ['an empty yes', { body: {} }],
    ['a yes of no JSON', { raw: 'allowed' }],
    ['a yes with a name twice', { raw: '{"actionId":"a","status":"no","status":"permitted"}' }],
    ['a yes of bytes that are no text', { raw: Buffer.from([0xff, 0xfe]) }],
    ['a yes with another status', { status: 201, body: PERMITTED }],
    ['an answer without end', { raw: `{"actionId":"${'x'.repeat(100_000)}","status":"permitted"}` }],
    ['an error page', { status: 502, raw: '<html>' }],
    [
      'a link that leads elsewhere',
      { status: 202, body: { ...asking(), approvalUrl: 'https://evil.example/a' } },
    ],
  ])('where the broker answers %s', async (_, answer) => {
    reply(answer)
    expect(await decide()).toEqual(refused('cannot be reached'))
  })

  it('where the broker sends it somewhere else', async () => {
    reply({ status: 307, location: '/elsewhere' }, { body: PERMITTED })
    expect(await decide()).toEqual(refused('cannot be reached'))
    expect(seen).toHaveLength(1)
  })

  it('where the broker is slow, before Qwen Code stops waiting', async () => {
    reply({ body: PERMITTED, afterMs: 3_000 })
    const from = performance.now()
    expect(await decide({ answerWithinMs: 300 })).toEqual(refused('in time'))
    expect(performance.now() - from).toBeLessThan(1_500)
  })

  it('where nobody listens', async () => {
    expect(await decide({ ask: askBroker('http://127.0.0.1:1') })).toEqual(refused('cannot be reached'))
  })

  it('where the renewal of its token is slow, which goes on and is kept', async () => {
    kept = { clientId: 'client', accessToken: 'old', refreshToken: 'refresh-1', expiresAtMs: 0 }
    reply({ body: { access_token: 'token-2', refresh_token: 'refresh-2', expires_in: 600 }, afterMs: 600 })
    expect(await decide({ answerWithinMs: 200 })).toEqual(refused('in time'))
    await expect.poll(() => kept?.refreshToken).toBe('refresh-2')
  })

  it('and says so, where its connection has ended', async () => {
    reply({ status: 401, body: {} }, { status: 400, body: { error: 'invalid_grant' } })
    expect(await decide()).toEqual(refused('no longer connected'))
  })

  it.each([
    [
      { status: 403, body: { code: 'constraint_violated', title: 'Not with these arguments' } },
      'Not with these',
    ],
    [{ status: 403, body: { code: 'frozen', title: 'Stopped by the operators' } }, 'Stopped by'],
    [{ status: 403, body: { code: 'consent_required', title: 'Not allowed' } }, '/me'],
    [
      {
        status: 422,
        body: {
          code: 'invalid_arguments',
          title: 'No',
          faults: [{ pointer: '/command', code: 'control_character' }],
        },
      },
      '/command: control_character',
    ],
  ])('for the reason the broker gives: %j', async (answer, text) => {
    reply(answer)
    expect(await decide()).toEqual(refused(text))
  })

  it('with the link where a person can allow it, as the broker gives it', async () => {
    reply((one) => {
      expect(one.body).toMatchObject({ wish: { skill: 'coding.local' } })
      const consentUrl = `${origin}/consents/crq_1`
      return { status: 403, body: { code: 'consent_required', title: 'Not allowed', consentUrl } }
    })
    expect(await decide()).toEqual(refused(`${origin}/consents/crq_1`))
  })

  it('with a reason that Qwen Code takes, whatever the broker writes', async () => {
    reply({ status: 403, body: { code: 'frozen', title: `bad\u0000\n${'x'.repeat(290)}` } })
    const verdict = await decide()
    if (verdict.allowed) throw new Error('allowed')
    expect(boundReason(verdict.reason)).toMatch(/^bad x{290}\.$/)
  })
})

describe('renewing', () => {
  it('is done once for all that wait: a refresh token used twice would end the connection', async () => {
    kept = { clientId: 'client', accessToken: 'old', refreshToken: 'refresh-1', expiresAtMs: 0 }
    reply({ body: { access_token: 'token-2', refresh_token: 'refresh-2', expires_in: 600 }, afterMs: 50 })
    for (let i = 0; i < 8; i++) reply({ body: PERMITTED })
    const { session, ...rest } = deps()
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        decideTool(
          { ...rest, session },
          {
            protocolVersion: 1,
            requestId: `r${i}`,
            sessionId: 's',
            toolCallId: 't',
            toolName: 'read_file',
            arguments: { file_path: `${WORKSPACE}/a` },
          },
        ),
      ),
    )
    expect(all).toEqual(Array(8).fill({ allowed: true }))
    expect(seen.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
  })
})
