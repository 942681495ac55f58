import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { toolDigest } from '../../src/core/manifest/tool-definition.ts'
import { openMcpAccess } from '../../src/keys/mcp-skills-file.ts'
import type { McpAccess } from '../../src/ports/mcp-access.ts'
import type { SkillCall, SkillReply, ToolTarget } from '../../src/ports/skill-caller.ts'
import { type McpSkills, openMcpSkills } from '../../src/skills/mcp-skill.ts'
import { EVERYTHING_COMMAND } from '../support/everything-server.ts'
import { ECHO_TOOL, startScriptedMcpServer } from '../support/scripted-mcp-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-stdio-'))
afterAll(() => rmSync(folder, { recursive: true }))

let skills: McpSkills | undefined
afterEach(() => skills?.close())

function open(access: McpAccess, devOrigins: string[] = []): McpSkills {
  skills = openMcpSkills({
    devOrigins,
    access: { find: () => access },
    nowMs: () => performance.now(),
    onAskedBack: () => {},
  })
  return skills
}

function callOf(tool: Partial<ToolTarget>, args = '{"message":"hi"}'): [SkillCall, ToolTarget] {
  const target: ToolTarget = {
    skillId: 'echo.test',
    url: null,
    name: 'echo',
    digest: 'A'.repeat(43),
    answers: 'text',
    userId: 'usr_a',
    mustSettle: false,
    token: 'the.action.token',
    brokerKey: 'key-1',
    ...tool,
  }
  return [
    {
      endpoint: 'stdio:echo.test#echo',
      method: 'POST',
      body: Buffer.from(args),
      headers: {},
      timeoutMs: 15_000,
      maxResponseBytes: 100_000,
      tool: target,
    },
    target,
  ]
}

/** The digest of a tool as the program lists it now, from the refusal of a call that names another. */
function digestIn(reply: SkillReply): string {
  if (reply.kind !== 'not_sent') throw new Error(JSON.stringify(reply))
  return /defined as ([\w-]{43})/.exec(reply.detail ?? '')?.[1] ?? ''
}

describe('a skill that is a program of the operator’s', () => {
  const [command, ...args] = EVERYTHING_COMMAND

  it('is called over its standard streams, by digest like any other', async () => {
    const caller = open({ kind: 'command', command, args, env: {} })
    const refused = await caller.call(...callOf({}))
    expect(refused).toMatchObject({ kind: 'not_sent', code: 'manifest_drift' })
    const reply = await caller.call(...callOf({ digest: digestIn(refused) }))
    expect(reply.kind === 'answered' && JSON.parse(reply.body.toString())).toEqual({ text: 'Echo: hi' })
  })

  it('sees no variable of the broker’s', async () => {
    process.env.COUNTERSIGN_TEST_MARK = 'secret of the broker'
    const caller = open({ kind: 'command', command, args, env: { GIVEN: 'to the program' } })
    const of = { name: 'get-env' }
    const digest = digestIn(await caller.call(...callOf(of, '{}')))
    const reply = await caller.call(...callOf({ ...of, digest }, '{}'))
    delete process.env.COUNTERSIGN_TEST_MARK
    const text = reply.kind === 'answered' ? reply.body.toString() : ''
    expect(text).toContain('to the program')
    expect(text).not.toContain('secret of the broker')
  })

  it('sends nothing where the program does not start, or ends at once', async () => {
    const nowhere = open({ kind: 'command', command: join(folder, 'nothing-here'), args: [], env: {} })
    expect(await nowhere.call(...callOf({}))).toMatchObject({ kind: 'not_sent' })
    await nowhere.close()
    const ending = open({
      kind: 'command',
      command: process.execPath,
      args: ['-e', 'process.exit(3)'],
      env: {},
    })
    expect(await ending.call(...callOf({}))).toMatchObject({ kind: 'not_sent' })
  })
})

describe('the operator’s file of MCP skills', () => {
  function file(content: unknown, mode = 0o600): string {
    const path = join(folder, `skills-${mode}-${Math.abs(JSON.stringify(content).length)}.json`)
    writeFileSync(path, JSON.stringify(content), { mode })
    return path
  }

  it('starts programs only where the operator said that it may', () => {
    const path = file({ 'echo.test': { command: '/usr/bin/echo-server' } })
    expect(() => openMcpAccess(path, false)).toThrow('COUNTERSIGN_STDIO_SKILLS=1')
    expect(openMcpAccess(path, true).find('echo.test')).toMatchObject({ kind: 'command', args: [], env: {} })
  })

  it.each([
    ['a command that PATH would find', { 'echo.test': { command: 'npx' } }],
    ['two ways in', { 'echo.test': { bearer: 'a', command: '/bin/x' } }],
    ['a token with a line break', { 'echo.test': { bearer: 'a\r\nx: y' } }],
  ])('refuses %s', (_, content) => {
    expect(() => openMcpAccess(file(content), true)).toThrow('must be JSON of the form')
  })

  it('refuses a file that others may read, and quotes nothing of it', () => {
    const path = file({ 'echo.test': { bearer: 'very-secret' } }, 0o644)
    expect(() => openMcpAccess(path, true)).toThrow('chmod 600')
  })

  it.each([
    [{ COUNTERSIGN_STDIO_SKILLS: '1' }, true],
    [
      {
        COUNTERSIGN_STDIO_SKILLS: '1',
        COUNTERSIGN_HOST: '0.0.0.0',
        COUNTERSIGN_PUBLIC_URL: 'https://b.example',
      },
      false,
    ],
    [{ COUNTERSIGN_STDIO_SKILLS: '1', COUNTERSIGN_PUBLIC_URL: 'https://b.example' }, false],
    [{ COUNTERSIGN_HOST: '0.0.0.0', COUNTERSIGN_PUBLIC_URL: 'https://b.example' }, true],
  ])('takes the start flag on loopback only: %j', (env, isTaken) => {
    const read = readConfig(env)
    expect(read.ok || read.faults.some((fault) => fault.includes('STDIO_SKILLS'))).toBe(true)
    expect(read.ok).toBe(isTaken)
  })
})

describe('a server behind OAuth client credentials', () => {
  it('gets a token for itself, once, and a new one after it refused the last', async () => {
    const server = await startScriptedMcpServer()
    const asked: { authorization: string | undefined; form: URLSearchParams }[] = []
    let issued = 0
    const issuer: Server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        asked.push({ authorization: request.headers.authorization, form: new URLSearchParams(text) })
        issued += 1
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({ access_token: `token-${issued}`, token_type: 'Bearer', expires_in: 3600 }),
        )
      })
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
    const caller = open(
      {
        kind: 'client_credentials',
        tokenEndpoint: `${origin}/token`,
        clientId: 'broker',
        clientSecret: 's:cret',
        scope: 'tools',
      },
      [new URL(server.url).origin, origin],
    )
    const target = { url: server.url, digest: toolDigest(ECHO_TOOL) }
    server.requireAuthorization('Bearer token-1')
    const replies = await Promise.all([
      caller.call(...callOf(target)),
      caller.call(...callOf({ ...target, userId: 'usr_b' })),
    ])
    expect(replies.map(({ kind }) => kind)).toEqual(['answered', 'answered'])
    expect(asked).toHaveLength(1)
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('broker:s%3Acret').toString('base64')}`)
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      resource: server.url,
      scope: 'tools',
    })

    server.requireAuthorization('Bearer token-2')
    expect(await caller.call(...callOf(target))).toMatchObject({ kind: 'answered', status: 401 })
    expect(await caller.call(...callOf(target))).toMatchObject({ kind: 'answered', status: 200 })
    issuer.closeAllConnections()
    issuer.close()
    await caller.close()
    await server.close()
  })
})
