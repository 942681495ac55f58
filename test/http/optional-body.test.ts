import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let user: string
beforeAll(async () => {
  test = await createTestApp()
  user = await test.tokenFor({ kind: 'user' })
})
afterAll(() => test.close())

const JSON_TYPE = { 'content-type': 'application/json' }

/** What an approval nobody knows is answered: whoever gets that far had a body that was understood. */
const approve = async (init: { raw?: string; headers?: Record<string, string> }) => {
  const { status, body } = await test.call('POST', '/v1/approvals/apr_1/approve', { token: user, ...init })
  return [status, body.code]
}

describe('a body all of whose members may be left out', () => {
  it('may be left out itself', async () => {
    expect(await approve({})).toEqual([404, 'not_found'])
    expect(await approve({ headers: JSON_TYPE })).toEqual([404, 'not_found'])
    expect(await approve({ raw: '', headers: { ...JSON_TYPE, 'content-length': '0' } })).toEqual([
      404,
      'not_found',
    ])
    const consent = await test.call('POST', '/v1/consent-requests/crq_1/approve', { token: user })
    expect([consent.status, consent.body.code]).toEqual([404, 'not_found'])
  })

  it('is read as strictly as any other once there is one', async () => {
    expect(await approve({ raw: '{}', headers: { 'content-type': 'text/plain' } })).toEqual([
      415,
      'unsupported_media_type',
    ])
    expect(await approve({ raw: ' ', headers: JSON_TYPE })).toEqual([400, 'malformed_json'])
    expect(await approve({ raw: '{"yes":true}', headers: JSON_TYPE })).toEqual([422, 'invalid_request'])
  })

  it('is described as optional, and every other as required', async () => {
    const { body } = await test.call('GET', '/openapi.json')
    const paths = body.paths as Record<string, Record<string, { requestBody?: { required: boolean } }>>
    const optional = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ requestBody }) => (requestBody?.required === false ? [path] : [])),
    )
    expect(optional.sort()).toEqual([
      '/v1/approvals/{id}/approve',
      '/v1/consent-requests/{id}/approve',
      '/v1/memory/recall',
    ])
  })
})
