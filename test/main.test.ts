import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder } from './support/temp-folder.ts'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
const CLI = new URL('../src/cli/main.ts', import.meta.url).pathname

function start(script: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env.PATH, ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.err += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, said, ended }
}

async function run(args: string[], env: Record<string, string>) {
  const { said, ended } = start(CLI, args, env)
  return { code: await ended, ...said }
}

describe('npm start', () => {
  it('serves, takes development tokens of the command line, and ends well on SIGTERM', async () => {
    const env = { COUNTERSIGN_DATA: tempFolder(), COUNTERSIGN_PORT: '0', COUNTERSIGN_DEV_TOKENS: '1' }
    const { child, said, ended } = start(MAIN, [], env)
    while (!said.out.includes('is listening on')) await once(child.stdout, 'data')
    const [url = ''] = /http:\/\/localhost:\d+/.exec(said.out) ?? []
    const port = new URL(url).port

    const cliEnv = { ...env, COUNTERSIGN_PORT: port }
    const user = await run(['token', 'user'], cliEnv)
    expect([user.code, user.err]).toEqual([0, expect.stringMatching(/^user usr_\w+, session ses_\w+/)])
    const me = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${user.out.trim()}` } })
    expect(me.status).toBe(200)
    const operator = await run(['token', 'operator', '--name', 'lin.wei'], cliEnv)
    const headers = { authorization: `Bearer ${operator.out.trim()}` }
    expect((await fetch(`${url}/v1/operator/freezes`, { headers })).status).toBe(200)
    expect((await fetch(`${url}/v1/me`, { headers })).status).toBe(403)

    expect((await run(['token', 'user'], { ...cliEnv, COUNTERSIGN_DEV_TOKENS: '0' })).code).toBe(2)
    expect((await run(['token', 'user', '--user', 'usr_1'], cliEnv)).code).toBe(2)
    expect((await run(['token', 'operator'], cliEnv)).code).toBe(2)

    const tokenFile = join(env.COUNTERSIGN_DATA, 'operator.token')
    writeFileSync(tokenFile, operator.out)
    const about = [
      '--purpose',
      'receipt',
      '--reason',
      'yearly rotation',
      '--token-file',
      tokenFile,
      '--broker',
      url,
    ]
    const rotated = await run(['keys', 'rotate', ...about], cliEnv)
    const [, oldKid = ''] = /--kid (\S+)/.exec(rotated.out) ?? []
    expect([rotated.code, rotated.out]).toEqual([0, expect.stringMatching(/receipt key \S+ signs now/)])
    expect((await run(['keys', 'retire', '--kid', oldKid, ...about], cliEnv)).code).toBe(0)
    const again = await run(['keys', 'retire', '--kid', oldKid, ...about], cliEnv)
    expect([again.code, again.out]).toEqual([1, expect.stringContaining('key_unknown')])

    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(said.err).toBe('')
    expect(said.out).toContain('"event":"stopped"')
    expect(said.out).not.toContain(user.out.trim())
  })

  it('lists every fault of its configuration and does not start', async () => {
    const { said, ended } = start(MAIN, [], { COUNTERSIGN_PORT: 'x', COUNTERSIGN_PROT: '1' })
    expect(await ended).toBe(1)
    expect(said.err).toContain('COUNTERSIGN_PORT must be a whole number')
    expect(said.err).toContain('COUNTERSIGN_PROT is not a setting')
    expect(said.out).toBe('')
  })
})
