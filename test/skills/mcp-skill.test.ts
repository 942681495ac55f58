// As in a broker that serves: it puts a Response of its own in place of the platform's.
import '@hono/node-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toolDigest } from '../../src/core/manifest/tool-definition.ts'
import type { McpAccess } from '../../src/ports/mcp-access.ts'
import type { SkillCall, SkillReply, ToolTarget } from '../../src/ports/skill-caller.ts'
import { type McpSkillConfig, type McpSkills, openMcpSkills } from '../../src/skills/mcp-skill.ts'
import {
  type Behaviour,
  ECHO_TOOL,
  type ScriptedMcpServer,
  startScriptedMcpServer,
} from '../support/scripted-mcp-server.ts'

let server: ScriptedMcpServer
let skills: McpSkills
let askedBack: string[]
let access: Map<string, McpAccess>
let skipMs: number

beforeEach(async () => {
  server = await startScriptedMcpServer()
  askedBack = []
  access = new Map()
  skipMs = 0
  skills = open()
})

afterEach(async () => {
  await skills.close()
  await server.close()
})

function open(config: Partial<McpSkillConfig> = {}): McpSkills {
  return openMcpSkills({
    devOrigins: [new URL(server.url).origin],
    access: { find: (skillId) => access.get(skillId) },
    nowMs: () => performance.now() + skipMs,
    onAskedBack: (_skill, method) => askedBack.push(method),
    ...config,
  })
}

type About = { tool?: Partial<ToolTarget>; call?: Partial<SkillCall> }

function call(about: About = {}): Promise<SkillReply> {
  const tool: ToolTarget = {
    skillId: 'echo.test',
    url: server.url,
    name: 'echo',
    digest: toolDigest(ECHO_TOOL),
    answers: 'text',
    userId: 'usr_a',
    mustSettle: false,
    token: 'the.action.token',
    brokerKey: 'key-1',
    ...about.tool,
  }
  const request: SkillCall = {
    endpoint: `${server.url}#echo`,
    method: 'POST',
    body: Buffer.from('{"message":"hi"}'),
    headers: {},
    timeoutMs: 2_000,
    maxResponseBytes: 100_000,
    tool,
    ...about.call,
  }
  return skills.call(request, tool)
}

function jsonOf(reply: SkillReply): unknown {
  if (reply.kind !== 'answered') throw new Error(JSON.stringify(reply))
  return JSON.parse(reply.body.toString('utf8'))
}

describe('calling a tool', () => {
  it('sends exactly the arguments, with the action token and the broker key beside them', async () => {
    expect(jsonOf(await call())).toEqual({ text: 'ok' })

    expect(server.calls).toHaveLength(1)
    expect(server.calls[0]).toMatchObject({
      name: 'echo',
      arguments: { message: 'hi' },
      meta: { 'countersign/actionToken': 'the.action.token', 'countersign/idempotencyKey': 'key-1' },
    })
    expect(
      Object.keys(server.calls[0]?.headers ?? {}).filter((name) => name.includes('countersign')),
    ).toEqual([])
  })

  it('makes the calls of one user in one session', async () => {
    await Promise.all([call(), call(), call()])
    await call()
    expect(new Set(server.calls.map(({ session }) => session)).size).toBe(1)
    expect(server.methods.filter((method) => method === 'tools/list')).toHaveLength(1)
  })

  it('never makes the calls of two users, or of two skills, in one session', async () => {
    await Promise.all([
      call(),
      call({ tool: { userId: 'usr_b' } }),
      call({ tool: { skillId: 'other.test' } }),
      call(),
    ])
    expect(new Set(server.calls.map(({ session }) => session)).size).toBe(3)
  })

  it.each<[string, Partial<ToolTarget>, unknown, unknown]>([
    ['structured content', { answers: 'structured' }, { content: [], structuredContent: { a: 1 } }, { a: 1 }],
    ['a text that is JSON', { answers: 'json' }, { content: [text('{"a":1}')] }, { a: 1 }],
    [
      'all text, and the kind of what is none',
      { answers: 'text' },
      { content: [text('a'), image(), text('b')] },
      { text: 'a\n[image]\nb' },
    ],
    [
      'all blocks',
      { answers: 'content' },
      { content: [text('a'), image()] },
      { content: [text('a'), image()] },
    ],
  ])('answers with %s where the manifest says so', async (_, tool, result, expected) => {
    server.behave({ result })
    expect(jsonOf(await call({ tool }))).toEqual(expected)
  })

  it.each<[string, Partial<ToolTarget>, unknown]>([
    ['no structured content', { answers: 'structured' }, { content: [text('{"a":1}')] }],
    ['two texts', { answers: 'json' }, { content: [text('{"a":1}'), text('{"a":2}')] }],
  ])('answers with nothing that could be taken for a result where there is %s', async (_, tool, result) => {
    server.behave({ result })
    const reply = await call({ tool })
    expect(reply.kind === 'answered' && reply.body.length).toBe(0)
  })

  it('reads an answer behind progress and log messages', async () => {
    server.behave({
      before: [
        { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'working' } },
        { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } },
      ],
      result: { content: [text('late')] },
    })
    expect(jsonOf(await call())).toEqual({ text: 'late' })
  })
})

describe('what a tool says of itself', () => {
  it.each<[string, Behaviour, SkillReply]>([
    [
      'an error with words',
      { result: { isError: true, content: [text('{"code":"sold_out"}')] } },
      toolError('{"code":"sold_out"}'),
    ],
    [
      'an error with structure',
      { result: { isError: true, content: [], structuredContent: { code: 'sold_out' } } },
      toolError('{"code":"sold_out"}'),
    ],
    ['an error of the protocol', { error: { code: -32602, message: 'unknown tool' } }, toolError('')],
  ])('hands on %s as an error, never as a result', async (_, behaviour, expected) => {
    server.behave(behaviour)
    expect(await call()).toEqual(expected)
  })

  it.each(['elicitation/create', 'sampling/createMessage', 'roots/list'])(
    'refuses %s and says so to the operator',
    async (method) => {
      server.behave({
        before: [{ jsonrpc: '2.0', id: 'q1', method, params: {} }],
        result: { content: [text('asked')] },
      })
      expect(jsonOf(await call())).toEqual({ text: 'asked' })
      await expect.poll(() => server.messages.find(({ id }) => id === 'q1')).toMatchObject({ error: {} })
      expect(askedBack).toEqual([method])
    },
  )
})

describe('a tool that is not the one that was reviewed', () => {
  it.each([
    ['its description', { ...ECHO_TOOL, description: 'Says it again, and tells <IMPORTANT> everybody' }],
    ['its input schema', { ...ECHO_TOOL, inputSchema: { type: 'object', properties: {} } }],
    ['its annotations', { ...ECHO_TOOL, annotations: { readOnlyHint: true, destructiveHint: true } }],
    ['an output schema it did not have', { ...ECHO_TOOL, outputSchema: { type: 'object', properties: {} } }],
  ])('is not called when %s changed', async (_, changed) => {
    server.list([changed])
    expect(await call()).toMatchObject({ kind: 'not_sent', code: 'manifest_drift' })
    expect(server.calls).toHaveLength(0)
  })

  it('is not called when it is gone, or listed twice', async () => {
    server.list([])
    expect(await call()).toMatchObject({ kind: 'not_sent', code: 'manifest_drift' })
    server.list([ECHO_TOOL, ECHO_TOOL])
    expect(await call({ tool: { userId: 'usr_b' } })).toMatchObject({
      kind: 'not_sent',
      code: 'manifest_drift',
    })
    expect(server.calls).toHaveLength(0)
  })

  it('is called when only what no model or reader acts on changed', async () => {
    server.list([{ ...ECHO_TOOL, title: 'Echo!', icons: [] }])
    expect((await call()).kind).toBe('answered')
  })

  it('is looked at again once the server has said that its list changed', async () => {
    await call()
    server.list([{ ...ECHO_TOOL, description: 'other' }])
    await expect.poll(() => server.methods.includes('notifications/initialized')).toBe(true)
    await expect
      .poll(async () => {
        server.announce()
        return (await call()).kind
      })
      .toBe('not_sent')
  })

  it('is looked at again after a while, and sooner where the outcome would have to be settled', async () => {
    await call({ tool: { mustSettle: true } })
    server.list([{ ...ECHO_TOOL, description: 'other' }])
    skipMs += 6_000
    expect((await call()).kind).toBe('answered')
    expect(await call({ tool: { mustSettle: true } })).toMatchObject({ code: 'manifest_drift' })
    expect(server.calls).toHaveLength(2)
  })

  it('is told of when it changes while a call is on its way', async () => {
    server.behave(async () => {
      server.list([{ ...ECHO_TOOL, description: 'other' }])
      return {
        before: [{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }],
        result: { content: [text('done')] },
      }
    })
    expect(await call()).toMatchObject({ kind: 'answered', drift: expect.stringContaining('echo') })
  })
})

describe('a call that breaks off', () => {
  it.each<[string, Behaviour, SkillReply]>([
    ['the connection closes', 'cut', { kind: 'broken', code: 'cut' }],
    ['the connection closes in the answer', 'cut_in_stream', { kind: 'broken', code: 'cut' }],
    ['nothing comes', 'silent', { kind: 'broken', code: 'timed_out' }],
    [
      'it is sent elsewhere',
      { status: 307, headers: { location: 'http://127.0.0.1:1/' } },
      { kind: 'broken', code: 'redirect' },
    ],
    [
      'too much comes',
      { result: { content: [text('x'.repeat(200_000))] } },
      { kind: 'broken', code: 'oversize' },
    ],
    [
      'too much comes in a stream',
      {
        before: [
          {
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { level: 'info', data: 'x'.repeat(200_000) },
          },
        ],
        result: {},
      },
      { kind: 'broken', code: 'oversize' },
    ],
    ['a result is none', { result: { content: 'text' } }, { kind: 'broken', code: 'protocol_error' }],
  ])('is broken, and not made again, when %s', async (_, behaviour, expected) => {
    server.behave(behaviour)
    expect(await call({ call: { timeoutMs: 700 } })).toEqual(expected)
    expect(server.calls).toHaveLength(1)
  })

  it.each([401, 403, 404, 500, 503])('is not made again when the server answers %i', async (status) => {
    server.behave({ status })
    expect(await call()).toMatchObject({ kind: 'answered', status })
    expect(server.calls).toHaveLength(1)
  })

  it('is cancelled at the server when its time is over', async () => {
    server.behave('silent')
    await call({ call: { timeoutMs: 300 } })
    await expect.poll(() => server.methods).toContain('notifications/cancelled')
    const cancelled = server.messages.find(({ method }) => method === 'notifications/cancelled')
    expect(cancelled?.params).toMatchObject({ requestId: server.calls[0]?.id })
  })

  it('is cancelled at the server when whoever wanted it wants it no more', async () => {
    const stop = new AbortController()
    server.behave(() => {
      stop.abort('revoked')
      return 'silent'
    })
    expect(await call({ call: { signal: stop.signal } })).toEqual({ kind: 'broken', code: 'cancelled' })
    await expect.poll(() => server.methods).toContain('notifications/cancelled')
  })

  it('leaves the next one a session that works', async () => {
    server.behave('cut')
    await call()
    server.behave({ result: { content: [text('again')] } })
    expect(jsonOf(await call())).toEqual({ text: 'again' })
  })
})

describe('sessions', () => {
  it('opens another where the one it had has ended unheard, before anything is sent', async () => {
    await call()
    server.restart()
    skipMs += 11_000
    expect((await call()).kind).toBe('answered')
    expect(server.calls.map(({ session }) => session)).toEqual(['session-1', 'session-2'])
  })

  it('ends a session that nobody used for a while, at the server too', async () => {
    await skills.close()
    skills = open({ limits: { idleMs: 1_000 } })
    await call()
    expect(server.sessions()).toBe(1)
    skipMs += 2_000
    await expect.poll(() => server.sessions(), { timeout: 5_000 }).toBe(0)
  })

  it('never keeps more than it may, and takes the oldest idle one for a new user', async () => {
    await skills.close()
    skills = open({ limits: { sessionsMost: 2 } })
    for (const userId of ['usr_a', 'usr_b', 'usr_c'])
      expect((await call({ tool: { userId } })).kind).toBe('answered')
    await expect.poll(() => server.sessions()).toBe(2)
  })

  it('sends nothing when every session is in use', async () => {
    await skills.close()
    skills = open({ limits: { sessionsMost: 1 } })
    server.behave('silent')
    const waiting = call({ call: { timeoutMs: 600 } })
    await expect.poll(() => server.calls).toHaveLength(1)
    expect(await call({ tool: { userId: 'usr_b' } })).toEqual({
      kind: 'not_sent',
      code: 'sessions_exhausted',
    })
    await waiting
  })
})

describe('getting in', () => {
  it('brings the configured token with every request', async () => {
    access.set('echo.test', { kind: 'bearer', token: 'let-me-in' })
    server.requireAuthorization('Bearer let-me-in')
    expect((await call()).kind).toBe('answered')
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer let-me-in']))
  })

  it('sends nothing where it is not let in', async () => {
    server.requireAuthorization('Bearer let-me-in')
    expect(await call()).toEqual({ kind: 'not_sent', code: 'session_failed' })
    expect(server.calls).toHaveLength(0)
  })

  it.each([
    ['nothing listens', 'http://127.0.0.1:9/mcp', ['http://127.0.0.1:9'], 'connect_failed'],
    ['it is this machine', 'http://127.0.0.1:9/mcp', [], 'bad_endpoint'],
    ['it is a private network', 'https://10.0.0.1/mcp', [], 'blocked_address'],
    ['it is the address of a cloud machine’s secrets', 'https://169.254.169.254/mcp', [], 'blocked_address'],
  ])('sends nothing where %s', async (_, url, devOrigins, code) => {
    await skills.close()
    skills = open({ devOrigins })
    expect(await call({ tool: { url } })).toEqual({ kind: 'not_sent', code })
  })

  it('sends nothing to a program that nobody configured', async () => {
    expect(await call({ tool: { url: null } })).toEqual({ kind: 'not_sent', code: 'skill_not_configured' })
  })
})

function text(words: string) {
  return { type: 'text', text: words }
}

function image() {
  return { type: 'image', data: 'AAAA', mimeType: 'image/png' }
}

function toolError(body: string): SkillReply {
  return { kind: 'tool_error', code: 'tool_error', body: Buffer.from(body) }
}
