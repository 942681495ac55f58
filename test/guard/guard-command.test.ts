import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ClientWorld, linkIn, openClientWorld } from '../clients/client-world.ts'
import { CLI, type GuardProcess, startGuard } from '../clients/guard-process.ts'
import { runProgram, startProgram, untilPrinted } from '../clients/run-program.ts'
import { tempFolder } from '../support/temp-folder.ts'

const WORKSPACE = '/home/li/shop'
let requests = 0

/** Asks as Qwen Code does, and takes an answer for a yes only where Qwen Code would. */
async function prepare({ origin, token }: GuardProcess, toolName: string, args: Record<string, unknown>) {
  requests += 1
  const requestId = `r-${requests}`
  const response = await fetch(`${origin}/v1/prepare`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      protocolVersion: 1,
      requestId,
      sessionId: 's',
      promptId: 'p',
      toolCallId: 't',
      toolName,
      arguments: args,
    }),
  })
  const answer = (await response.json()) as Record<string, unknown>
  expect([response.status, answer.requestId, answer.protocolVersion]).toEqual([200, requestId, 1])
  const keys = Object.keys(answer).sort().join()
  expect(keys).toBe(
    answer.allowed === true
      ? 'allowed,protocolVersion,requestId'
      : 'allowed,protocolVersion,reason,requestId',
  )
  return { allowed: answer.allowed === true, reason: String(answer.reason ?? '') }
}
const read = (guard: GuardProcess) => prepare(guard, 'read_file', { file_path: `${WORKSPACE}/a.ts` })

function run(world: ClientWorld, home: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: home, NO_COLOR: '1' }
  return runProgram(process.execPath, [CLI, 'guard', '--broker', world.url, '--port', '0', ...args], { env })
}

describe('countersign guard', () => {
  it('is connected once by its user, and goes on with that after it was stopped', async () => {
    const world = await openClientWorld()
    const home = tempFolder()
    const first = await startGuard(world, { workspace: WORKSPACE, home })
    expect(statSync(first.connection).mode & 0o777).toBe(0o600)
    expect(await read(first)).toEqual({ allowed: true, reason: '' })

    const other = await run(world, home, '--workspace', WORKSPACE)
    expect([other.code, other.err]).toEqual([2, expect.stringContaining('another guard')])

    await first.running.stop()
    const second = await startGuard(world, { workspace: WORKSPACE, home })
    expect(second.running.text()).not.toContain('enter the code')
    expect(second.token).toBe(first.token)
    expect((await read(second)).allowed).toBe(true)
  })

  it('renews its connection, keeps the new one, and asks for another when its user has ended it', async () => {
    const world = await openClientWorld()
    const home = tempFolder()
    const first = await startGuard(world, { workspace: WORKSPACE, home })
    await first.running.stop()
    const kept = JSON.parse(readFileSync(first.connection, 'utf8'))
    const old = { ...kept, tokens: { ...kept.tokens, accessToken: 'gone', expiresAtMs: 0 } }
    writeFileSync(first.connection, JSON.stringify(old), { mode: 0o600 })

    const second = await startGuard(world, { workspace: WORKSPACE, home })
    expect((await read(second)).allowed).toBe(true)
    const renewed = JSON.parse(readFileSync(first.connection, 'utf8'))
    expect(renewed.tokens.refreshToken).not.toBe(kept.tokens.refreshToken)

    const [grant] = await world.grants()
    const ended = await world.user.api.post(`/v1/agents/${grant?.agentId}/disconnect`, {})
    expect(ended.status).toBe(200)
    expect(await read(second)).toEqual({ allowed: false, reason: expect.stringContaining('has not allowed') })
    await second.running.stop()
    const third = await startGuard(world, { workspace: WORKSPACE, home })
    expect(third.running.text()).toContain('enter the code')
    expect((await read(third)).allowed).toBe(true)
  })

  it('lets a yes that comes in time go through at once', async () => {
    const world = await openClientWorld()
    const guard = await startGuard(world, { workspace: WORKSPACE, args: ['--wait-ms', '20000'] })
    const asked = prepare(guard, 'run_shell_command', { command: 'npm publish', directory: WORKSPACE })
    await world.allow(await world.nextApproval())
    expect(await asked).toEqual({ allowed: true, reason: '' })
    const again = await prepare(guard, 'write_file', { file_path: '/etc/passwd', content: 'x' })
    expect(again.reason).toContain('/path')
  })

  it('says where to answer, and is refused once where the person says no', async () => {
    const world = await openClientWorld()
    const guard = await startGuard(world, { workspace: WORKSPACE })
    const asked = await prepare(guard, 'run_shell_command', { command: 'npm publish', directory: WORKSPACE })
    await world.refuse(linkIn(asked.reason, 'approvals'))
    const again = await prepare(guard, 'run_shell_command', { command: 'npm publish', directory: WORKSPACE })
    expect(again).toEqual({ allowed: false, reason: expect.stringMatching(/not asked again|said no/) })
  })

  it('ends where its user says no to it', async () => {
    const world = await openClientWorld()
    const running = startProgram(
      process.execPath,
      [CLI, 'guard', '--broker', world.url, '--port', '0', '--workspace', '/w'],
      {
        env: { PATH: process.env.PATH, HOME: tempFolder(), NO_COLOR: '1' },
      },
    )
    const [, userCode = ''] = await untilPrinted(running, /enter the code (\S+)/)
    const { browser } = world.user
    const page = await browser.submit(await browser.open(`${world.url}/device`), { user_code: userCode })
    await browser.submit(page, { user_code: userCode, answer: 'no' })
    await untilPrinted(running, /refused/)
    await expect.poll(() => running.child.exitCode, { timeout: 10_000 }).toBe(1)
  })

  it.each([
    [['--broker', 'http://broker.example'], 'https'],
    [['--workspace', '/home/li/my shop'], 'cannot be a limit'],
    [['--wait-ms', '60000'], '--wait-ms'],
    [['--allow-command', 'a\nb'], 'cannot be listed'],
    [['--broker', 'http://127.0.0.1:1', '--workspace', '/w'], 'does not connect'],
  ])('does not start with %j', async (args, text) => {
    const env = { PATH: process.env.PATH, HOME: tempFolder() }
    const ran = await runProgram(process.execPath, [CLI, 'guard', ...args], { env })
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(text)])
  })

  it('does not use what others on this machine can read', async () => {
    const world = await openClientWorld()
    const home = tempFolder()
    const guard = await startGuard(world, { workspace: WORKSPACE, home })
    await guard.running.stop()
    chmodSync(guard.connection, 0o644)
    const ran = await run(world, home, '--workspace', WORKSPACE)
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('chmod 600')])
  })
})
