import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { credentialsFile, saveCredential, tokenFor } from '../../src/cli/credentials-file.ts'
import { tempFolder } from '../support/temp-folder.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname
const FAR_MS = Date.UTC(2100, 0, 1)

async function run(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH: process.env.PATH, ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.resume()
  const [code] = await once(child, 'close')
  return { code, out }
}

/** A broker that has only the two routes of a login; it answers the polls one after the other. */
async function brokerAnswering(states: readonly object[]) {
  let polls = 0
  const server = createServer((request, response) => {
    const isPoll = request.url?.endsWith('/poll')
    const body = isPoll
      ? states[polls++]
      : {
          deviceCode: 'd'.repeat(43),
          userCode: 'BCDF-GHJK',
          url: 'http://localhost/sign-in/terminal',
          expiresAtMs: FAR_MS,
        }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('countersign login', () => {
  it('shows link and code, and keeps the token for its owner alone and for this broker alone', async () => {
    const env = { XDG_CONFIG_HOME: tempFolder() }
    const allowed = { state: 'allowed', token: 'cst_x', kind: 'operator', id: 'lin.wei', expiresAtMs: FAR_MS }
    const broker = await brokerAnswering([{ state: 'waiting' }, allowed])
    const { code, out } = await run(['login', '--operator', '--broker', broker], env)
    expect([code, out]).toEqual([0, expect.stringContaining('BCDF-GHJK')])
    expect(out).not.toContain('cst_x')
    expect(statSync(credentialsFile(env)).mode & 0o777).toBe(0o600)
    expect(tokenFor(env, `${broker}/log`, 'operator', undefined)).toBe('cst_x')
    expect(tokenFor(env, broker, 'user', undefined)).toBeUndefined()
    expect(tokenFor(env, 'http://127.0.0.1:1', 'operator', undefined)).toBeUndefined()
    expect(tokenFor(env, broker.replace('http:', 'https:'), 'operator', undefined)).toBeUndefined()
  })

  it('ends with 1 when the person refuses, and keeps nothing', async () => {
    const env = { XDG_CONFIG_HOME: tempFolder() }
    const broker = await brokerAnswering([{ state: 'refused' }])
    expect((await run(['login', '--broker', broker], env)).code).toBe(1)
    expect(tokenFor(env, broker, 'user', undefined)).toBeUndefined()
  })
})

describe('the file of credentials', () => {
  const given = { token: 'cst_y', id: 'usr_1', expiresAtMs: FAR_MS }

  it('is not read when others can, nor when it is broken', () => {
    const env = { XDG_CONFIG_HOME: tempFolder() }
    const file = saveCredential(env, 'https://broker.example', 'user', given)
    chmodSync(file, 0o644)
    expect(() => tokenFor(env, 'https://broker.example', 'user', undefined)).toThrow(/chmod 600/)
    writeFileSync(file, '{')
    chmodSync(file, 0o600)
    expect(() => tokenFor(env, 'https://broker.example', 'user', undefined)).toThrow(/login again/)
  })

  it('gives no token that is over, and a named file before its own', () => {
    const env = { XDG_CONFIG_HOME: tempFolder() }
    saveCredential(env, 'https://broker.example', 'user', { ...given, expiresAtMs: 1 })
    expect(tokenFor(env, 'https://broker.example', 'user', undefined)).toBeUndefined()
    const named = join(env.XDG_CONFIG_HOME, 'token')
    writeFileSync(named, 'cst_z\n')
    expect(tokenFor(env, 'https://broker.example', 'user', named)).toBe('cst_z')
    expect(readFileSync(credentialsFile(env), 'utf8')).toContain('cst_y')
  })
})
