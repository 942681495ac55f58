import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailable, type UnavailableReason } from '../../src/ports/store-unavailable.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
beforeEach(async () => {
  test = await createTestApp()
})
afterEach(() => test.close())

describe('a store that cannot answer now', () => {
  it.each<[UnavailableReason, string]>([
    ['unreachable', 'store_unavailable'],
    ['busy', 'store_unavailable'],
    ['unknown_commit', 'store_unavailable'],
    ['not_drained', 'not_confirmed'],
  ])('and is %s makes a request come again: 503 %s', async (reason, code) => {
    const token = await test.tokenFor({ kind: 'user', userId: test.broker.newId('user') })
    const { store } = test.broker
    const { read } = store
    store.read = () => Promise.reject(new StoreUnavailable(reason, { cause: new Error('postgres://hush') }))
    const answer = await test.call('GET', '/v1/grants', { token })
    const ready = await test.call('GET', '/readyz')
    store.read = read
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, code, '1'])
    expect(answer.text).not.toContain('hush')
    expect(ready.status).toBe(503)
    expect((await test.call('GET', '/v1/grants', { token })).status).toBe(200)
  })
})
