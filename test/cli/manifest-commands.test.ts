import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerAgentShape } from '../../src/broker/register-agent.ts'
import { QWEN } from '../support/connected-agent.ts'
import { actionAt, editedJson, sampleText } from '../support/sample-manifest.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
const inFolder = (name: string) => join(folder, name)
const paid = actionAt('coffee.order', 'order_and_pay')

interface Ran {
  code: number | null
  out: string
  err: string
}

function run(...args: string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { PATH: process.env.PATH } })
    const ran: Ran = { code: null, out: '', err: '' }
    child.stdout.on('data', (chunk) => (ran.out += chunk))
    child.stderr.on('data', (chunk) => (ran.err += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ran, code }))
  })
}

beforeAll(() => {
  writeFileSync(inFolder('manifest.json'), sampleText('coffee.order'))
  writeFileSync(
    inFolder('dearer.json'),
    JSON.stringify(
      editedJson('coffee.order', [
        ['/version', 2],
        [`${paid}/spends/most/CNY`, 90000],
      ]),
    ),
  )
  writeFileSync(
    inFolder('faulty.json'),
    JSON.stringify(editedJson('coffee.order', [[`${paid}/spends`, undefined]])),
  )
  writeFileSync(inFolder('twice.json'), sampleText('coffee.order').replace('{', '{"version":1,'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('countersign', () => {
  it('lists its commands for help, and ends with 2 for what it does not know', async () => {
    const help = await run('--help')
    expect([help.code, help.err]).toEqual([0, ''])
    expect(help.out).toMatch(/keys[\s\S]*manifest[\s\S]*Exit codes/)
    const manifestHelp = await run('manifest', '--help')
    for (const name of ['lint', 'sign', 'verify', 'diff', 'register'])
      expect(manifestHelp.out).toContain(name)
    expect((await run('manifest', 'bake')).code).toBe(2)
    expect((await run('keys', 'generate')).code).toBe(2)
  })
})

describe('countersign manifest lint', () => {
  it('ends with 0 for a manifest without errors', async () => {
    const ran = await run('manifest', 'lint', '--allow-development', 'manifest.json')
    expect([ran.code, ran.out]).toEqual([0, 'manifest.json: no errors, 0 warnings\n'])
  })

  it('names place, code and mend of each fault without colour in a pipe, and ends with 1', async () => {
    const ran = await run('manifest', 'lint', '--allow-development', 'faulty.json')
    expect(ran.code).toBe(1)
    expect(ran.out).toContain(`error faulty.json#${paid} spends_missing`)
    expect(ran.out).toContain('mend: add spends with amount and most')
    expect(ran.out).not.toContain('\u001b[')
  })

  it('prints faults as JSON on request, those of the text itself too', async () => {
    const ran = await run('manifest', 'lint', '--json', 'twice.json', 'manifest.json')
    const [twice, plain] = JSON.parse(ran.out)
    expect(ran.code).toBe(1)
    expect(twice).toMatchObject({
      file: 'twice.json',
      faults: [{ code: 'duplicate_key', severity: 'error' }],
    })
    expect(plain.faults).toMatchObject([{ pointer: '/endpoint/baseUrl', code: 'endpoint_not_https' }])
  })

  it('ends with 2 when a file cannot be read', async () => {
    const ran = await run('manifest', 'lint', 'nowhere.json')
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', 'cannot read nowhere.json: ENOENT\n'])
  })
})

describe('countersign keys generate, manifest sign and verify', () => {
  it('make a key, sign with it and verify with its public half', async () => {
    const made = await run('keys', 'generate', '--publisher', 'coffee.example', '--out', 'key.jwk')
    expect(made.code).toBe(0)
    expect(statSync(inFolder('key.jwk')).mode & 0o777).toBe(0o600)
    expect(JSON.parse(made.out)).toMatchObject({ publisher: 'coffee.example', keys: [{ alg: 'EdDSA' }] })
    expect(made.out).not.toContain('"d"')
    writeFileSync(inFolder('keys.json'), made.out)

    const again = await run('keys', 'generate', '--publisher', 'coffee.example', '--out', 'key.jwk')
    expect([again.code, again.out]).toEqual([2, ''])

    const signed = await run('manifest', 'sign', 'manifest.json', '--key', 'key.jwk', '--allow-development')
    expect(signed.code).toBe(0)
    expect(readFileSync(inFolder('manifest.jws'), 'utf8')).toMatch(/^[\w-]+\.\.[\w-]+\n$/)

    const verified = await run('manifest', 'verify', 'manifest.json', '--keys', 'keys.json')
    expect(verified.code).toBe(0)
    expect(verified.out).toContain('coffee.order version 2 is signed by coffee.example')

    const other = await run(
      'manifest',
      'verify',
      'dearer.json',
      '--jws',
      'manifest.jws',
      '--keys',
      'keys.json',
      '--json',
    )
    expect(other.code).toBe(1)
    expect(JSON.parse(other.out)).toMatchObject({ ok: false, code: 'signature_wrong' })

    writeFileSync(inFolder('tea.json'), made.out.replace('coffee.example', 'tea.example'))
    const tea = await run('manifest', 'verify', 'manifest.json', '--keys', 'tea.json')
    expect([tea.code, tea.out]).toEqual([
      1,
      'other_publisher the keys belong to tea.example, the manifest to coffee.example\n',
    ])
  })

  it("make an agent's key pair in the form that POST /v1/agents takes", async () => {
    const made = await run('keys', 'generate', '--agent', 'Tea helper', '--out', 'agent.jwk')
    expect(made.code).toBe(0)
    const printed = JSON.parse(made.out)
    expect(registerAgentShape.safeParse({ ...printed, deployments: [QWEN] }).success).toBe(true)
    expect(printed.name).toBe('Tea helper')
    expect(JSON.parse(readFileSync(inFolder('agent.jwk'), 'utf8'))).toMatchObject(printed.publicJwk)
    const both = ['--agent', 'Tea helper', '--publisher', 'tea.example', '--out', 'both.jwk']
    expect((await run('keys', 'generate', ...both)).code).toBe(2)
    expect((await run('keys', 'generate', '--out', 'neither.jwk')).code).toBe(2)
    expect(() => statSync(inFolder('neither.jwk'))).toThrow('ENOENT')
  })

  it('sign nothing that has errors', async () => {
    await run('keys', 'generate', '--publisher', 'coffee.example', '--out', 'p256.jwk', '--alg', 'ES256')
    const ran = await run('manifest', 'sign', 'faulty.json', '--key', 'p256.jwk', '--allow-development')
    expect(ran.code).toBe(1)
    expect(() => statSync(inFolder('faulty.jws'))).toThrow('ENOENT')
  })

  it('take nothing but a private key for signing', async () => {
    const ran = await run('manifest', 'sign', 'manifest.json', '--key', 'manifest.json')
    expect(ran.code).toBe(2)
  })
})

describe('countersign manifest diff', () => {
  it('ends with 0 when nothing new is asked for', async () => {
    const ran = await run('manifest', 'diff', 'manifest.json', 'manifest.json')
    expect(ran.code).toBe(0)
    expect(ran.out).toContain('order_and_pay unchanged or narrower')
  })

  it('ends with 1 and says what is new, before and after', async () => {
    const ran = await run('manifest', 'diff', 'manifest.json', 'dearer.json')
    expect(ran.code).toBe(1)
    expect(ran.out).toContain(
      `order_and_pay needs new consent\n    most_raised ${paid}/spends/most/CNY\n        before: 50000\n        after:  90000`,
    )
    expect(ran.out).toContain('get_menu unchanged or narrower')
  })
})

describe('countersign manifest register', () => {
  /** A broker that gives one answer, and what it was sent. */
  async function withBroker(status: number, answer: object, work: (url: string) => Promise<Ran>) {
    let received = ''
    const server = createServer((request, response) => {
      request.on('data', (chunk) => (received += chunk))
      request.on('end', () => {
        received = `${request.method} ${request.url} ${received}`
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      return { ran: await work(`http://127.0.0.1:${port}`), received }
    } finally {
      server.close()
    }
  }

  beforeAll(() => writeFileSync(inFolder('some.jws'), 'aGVhZA..c2ln\n'))
  const register = (broker: string) =>
    run('manifest', 'register', 'manifest.json', '--jws', 'some.jws', '--broker', broker)

  it('sends the manifest as an object with its signature', async () => {
    const { ran, received } = await withBroker(201, { state: 'submitted' }, register)
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^coffee\.order version 2 was submitted\ndigest [A-Za-z0-9_-]{43}\n$/)
    const [method, path, ...body] = received.split(' ')
    expect([method, path]).toEqual(['POST', '/v1/manifests'])
    expect(JSON.parse(body.join(' '))).toEqual({
      manifest: JSON.parse(sampleText('coffee.order')),
      signature: 'aGVhZA..c2ln',
    })
  })

  it('prints the reasons of a refusal with odd characters shown, and ends with 1', async () => {
    const problem = {
      code: 'version_refused',
      detail: 'not\u001b[31m good',
      reasons: [
        { pointer: '/version', code: 'version_not_higher', message: 'version 1 is known', mend: 'raise it' },
      ],
    }
    const { ran } = await withBroker(409, problem, register)
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('refused (409) version_refused')
    expect(ran.out).toContain('not‹U+001B›[31m good')
    expect(ran.out).toContain('/version version_not_higher: version 1 is known')
    expect(ran.out).toContain('mend: raise it')
  })

  it('ends with 2 when no broker answers', async () => {
    expect((await register('http://127.0.0.1:1')).code).toBe(2)
    expect((await register('not a url')).code).toBe(2)
  })
})
