import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { createToolCallGuard } from '../../src/sdk/tool-call-guard.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { ISSUER, mintCall, NOW_MS } from './call-fixture.ts'

const URL = 'https://notes.example/mcp'
const ARGUMENTS = { b: 1, a: 'x' }
const { signer } = createTestSigner()

const guard = () => createToolCallGuard({ issuer: ISSUER, url: URL, keys: signer.jwks(), now: () => NOW_MS })

async function metaFor(endpoint = `${URL}#read`): Promise<Record<string, unknown>> {
  const body = Buffer.from(canonicalJson(ARGUMENTS))
  return { 'countersign/actionToken': await mintCall(signer, { input: { endpoint, body } }) }
}

describe('the guard of an MCP server', () => {
  it('lets a call in that the broker permitted, whatever the order of its arguments, once', async () => {
    const meta = await metaFor()
    const own = guard()
    const call = { name: 'read', arguments: { a: 'x', b: 1 }, meta }
    expect(await own.verify(call)).toMatchObject({ ok: true, call: { brokerKey: 'key_1' } })
    expect(await own.verify(call)).toEqual({ ok: false, code: 'replayed', status: 401 })
  })

  it('refuses another tool, other arguments, another server, and no token', async () => {
    const meta = await metaFor()
    expect(await guard().verify({ name: 'delete', arguments: ARGUMENTS, meta })).toMatchObject({
      code: 'wrong_audience',
    })
    expect(await guard().verify({ name: 'read', arguments: { ...ARGUMENTS, b: 2 }, meta })).toMatchObject({
      ok: false,
    })
    const elsewhere = await metaFor('https://other.example/mcp#read')
    expect(await guard().verify({ name: 'read', arguments: ARGUMENTS, meta: elsewhere })).toMatchObject({
      code: 'wrong_audience',
    })
    for (const none of [undefined, {}, { 'countersign/actionToken': 7 }])
      expect(await guard().verify({ name: 'read', arguments: ARGUMENTS, meta: none })).toMatchObject({
        code: 'token_missing',
      })
  })
})
