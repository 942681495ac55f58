import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { thumbprintOf } from '../../src/core/manifest/public-key.ts'
import { verifyDpopProof } from '../../src/core/tokens/dpop-proof.ts'
import { type AgentTokens, agentTokens, memoryTokenStore } from '../../src/sdk/agent-tokens.ts'
import { createDpopKey, type DpopKey, importDpopKey } from '../../src/sdk/dpop-key.ts'
import { fileTokenStore } from '../../src/sdk/file-token-store.ts'
import { backoffMs, retryAfterMs } from '../../src/sdk/pause.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = 1_800_000_000_000
const TOKENS: AgentTokens = {
  clientId: 'client',
  accessToken: 'access-1',
  refreshToken: 'refresh-1',
  expiresAtMs: NOW_MS + 600_000,
}

function p256(): DpopKey {
  return importDpopKey(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  )
}

describe.each([
  ['Ed25519', createDpopKey],
  ['P-256', p256],
])('a proof by a key of %s', (_, make) => {
  const key = make()
  const { kty, crv, x, y } = key.exportPrivate()
  const boundTo = thumbprintOf({ kty, crv, x, ...(y === undefined ? {} : { y }) } as Parameters<
    typeof thumbprintOf
  >[0])
  const request = {
    method: 'POST',
    url: 'https://broker.example/v1/actions',
    accessToken: 'access-1',
    nowMs: NOW_MS,
  }
  const expected = { ...request, boundTo }

  it('holds for its request, and is another one each time', () => {
    const proof = key.prove({ ...request, url: `${request.url}?wait=30` })
    expect(verifyDpopProof(proof, expected)).toMatchObject({ ok: true })
    expect(key.prove(request)).not.toBe(key.prove(request))
    expect(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString()).not.toContain('"d"')
  })

  it.each([
    ['another method', { method: 'GET' }, 'wrong_method'],
    ['another address', { url: 'https://broker.example/v1/memory' }, 'wrong_url'],
    ['another token', { accessToken: 'access-2' }, 'wrong_token'],
    ['another minute', { nowMs: NOW_MS + 61_000 }, 'proof_expired'],
  ])('does not hold for %s', (_name, changed, code) => {
    expect(verifyDpopProof(key.prove(request), { ...expected, ...changed })).toEqual({ ok: false, code })
  })
})

it('a DPoP key of another kind is refused', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  expect(() => importDpopKey(rsa)).toThrow(TypeError)
})

describe('a file of tokens', () => {
  it('is its owner’s alone, and replaced as a whole', async () => {
    const folder = tempFolder()
    const store = fileTokenStore(join(folder, 'tokens.json'))
    expect(await store.load()).toBeUndefined()
    await store.save(TOKENS)
    await store.save({ ...TOKENS, accessToken: 'access-2' })
    expect(await store.load()).toEqual({ ...TOKENS, accessToken: 'access-2' })
    expect(readdirSync(folder)).toEqual(['tokens.json'])
    expect(statSync(join(folder, 'tokens.json')).mode & 0o777).toBe(0o600)
    await store.save(undefined)
    expect(readdirSync(folder)).toEqual([])
  })

  it.each(['', '{', '{"accessToken":1}', 'null'])('that holds %j counts as none', async (text) => {
    const file = join(tempFolder(), 'tokens.json')
    writeFileSync(file, text)
    expect(await fileTokenStore(file).load()).toBeUndefined()
  })
})

describe('tokens that end', () => {
  function credentialWith(answer: () => Promise<Response> | Response, tokens: AgentTokens | undefined) {
    let asked = 0
    const store = memoryTokenStore(tokens)
    const credential = agentTokens({
      broker: 'https://broker.example',
      store,
      now: () => NOW_MS,
      fetch: async () => {
        asked += 1
        return answer()
      },
    })
    return { store, credential, asked: () => asked }
  }
  const request = { method: 'GET', url: 'https://broker.example/v1/authority' }
  const soon = { ...TOKENS, expiresAtMs: NOW_MS + 30_000 }

  it('are used while they live when no others can be had, and not a moment longer', async () => {
    const down = () => Promise.reject(new TypeError('fetch failed'))
    const living = credentialWith(down, soon)
    expect(await living.credential.headers(request)).toMatchObject({ ok: true })
    const ended = credentialWith(down, { ...TOKENS, expiresAtMs: NOW_MS })
    expect(await ended.credential.headers(request)).toMatchObject({ fault: { code: 'unreachable' } })
    expect(await ended.store.load()).toBeDefined()
  })

  it('are refreshed once for all who ask at once', async () => {
    const issued = { access_token: 'access-2', refresh_token: 'refresh-2', expires_in: 600 }
    const { credential, store, asked } = credentialWith(() => Response.json(issued), soon)
    const told = await Promise.all([1, 2, 3].map(() => credential.headers(request)))
    expect(told).toEqual([1, 2, 3].map(() => ({ ok: true, value: { authorization: 'Bearer access-2' } })))
    expect([asked(), (await store.load())?.refreshToken]).toEqual([1, 'refresh-2'])
  })

  it('are taken from the store where another process has refreshed them', async () => {
    const { credential, store, asked } = credentialWith(() => Response.error(), TOKENS)
    await credential.headers(request)
    await store.save({ ...TOKENS, accessToken: 'access-9' })
    expect(await credential.renew()).toBe(true)
    expect(await credential.headers(request)).toMatchObject({ value: { authorization: 'Bearer access-9' } })
    expect(asked()).toBe(0)
  })

  it('stay where the broker only is in trouble, and go where it takes them no longer', async () => {
    const trouble = credentialWith(() => new Response('', { status: 502 }), {
      ...TOKENS,
      expiresAtMs: NOW_MS,
    })
    expect(await trouble.credential.headers(request)).toMatchObject({ fault: { code: 'unreachable' } })
    expect(await trouble.store.load()).toBeDefined()
    const gone = () => Response.json({ error: 'invalid_grant' }, { status: 400 })
    const refused = credentialWith(gone, { ...TOKENS, expiresAtMs: NOW_MS })
    expect(await refused.credential.headers(request)).toMatchObject({ fault: { code: 'signed_out' } })
    expect(await refused.store.load()).toBeUndefined()
  })
})

describe('several processes with one file of tokens', () => {
  it('refresh one after another, so that no refresh token is used twice', async () => {
    const file = join(tempFolder(), 'tokens.json')
    await fileTokenStore(file).save({ ...TOKENS, expiresAtMs: NOW_MS })
    const used: string[] = []
    const request: typeof fetch = async (_input, init) => {
      const token = new URLSearchParams(String(init?.body)).get('refresh_token') ?? ''
      await new Promise(setImmediate)
      if (used.includes(token)) return Response.json({ error: 'invalid_grant' }, { status: 400 })
      used.push(token)
      const number = used.length + 1
      const issued = { access_token: `access-${number}`, refresh_token: `refresh-${number}`, expires_in: 600 }
      return Response.json(issued)
    }
    const agents = [1, 2, 3, 4].map(() =>
      agentTokens({
        broker: 'https://broker.example',
        store: fileTokenStore(file),
        now: () => NOW_MS,
        fetch: request,
      }),
    )
    const asked = { method: 'GET', url: 'https://broker.example/v1/authority' }
    const told = await Promise.all(agents.map((agent) => agent.headers(asked)))
    expect(told).toEqual(agents.map(() => ({ ok: true, value: { authorization: 'Bearer access-2' } })))
    expect(used).toEqual(['refresh-1'])
  })

  it('are not kept waiting by one that died with the lock', async () => {
    const file = join(tempFolder(), 'tokens.json')
    writeFileSync(`${file}.lock`, '1')
    const longAgo = new Date(Date.now() - 61_000)
    utimesSync(`${file}.lock`, longAgo, longAgo)
    expect(await fileTokenStore(file).exclusive?.(async () => 'done')).toBe('done')
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  it('go on where nothing can be written, with what was issued', async () => {
    const store = {
      load: async () => ({ ...TOKENS, expiresAtMs: NOW_MS }),
      save: () => Promise.reject(new Error('ENOSPC')),
    }
    const issued = { access_token: 'access-2', expires_in: 600 }
    const credential = agentTokens({
      broker: 'https://broker.example',
      store,
      now: () => NOW_MS,
      fetch: async () => Response.json(issued),
    })
    const asked = { method: 'GET', url: 'https://broker.example/v1/authority' }
    expect(await credential.headers(asked)).toMatchObject({ value: { authorization: 'Bearer access-2' } })
  })
})

describe('waits', () => {
  it.each([
    ['7', 7_000],
    ['Fri, 15 Jan 2027 08:00:30 GMT', 30_000],
    ['Fri, 15 Jan 2027 07:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['99999999', null],
  ])('are what Retry-After: %s asks for', (text, ms) => {
    expect(retryAfterMs(new Headers({ 'retry-after': text }), Date.UTC(2027, 0, 15, 8))).toBe(ms)
  })

  it('double and end at a limit', () => {
    const waits = [1, 2, 3, 9].map((tries) => backoffMs(tries, () => 1))
    expect(waits).toEqual([200, 400, 800, 8_000])
    expect(backoffMs(1, () => 0)).toBe(100)
  })
})
