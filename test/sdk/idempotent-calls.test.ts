import { describe, expect, it } from 'vitest'
import { createIdempotentCalls } from '../../src/sdk/idempotent-calls.ts'

const CALL = { kind: 'action', brokerKey: 'key_1', bodyDigest: 'aaa' } as const

describe('createIdempotentCalls', () => {
  it('runs the work of one broker key once and repeats its answer', async () => {
    const idempotent = createIdempotentCalls<number>()
    let runs = 0
    const run = async () => ++runs
    expect(await idempotent(CALL, run)).toEqual({ kind: 'answered', answer: 1, isRepeat: false })
    expect(await idempotent(CALL, run)).toEqual({ kind: 'answered', answer: 1, isRepeat: true })
    expect(await idempotent({ ...CALL, brokerKey: 'key_2' }, run)).toMatchObject({ answer: 2 })
  })

  it('lets a repeat wait for the first while it runs', async () => {
    const idempotent = createIdempotentCalls<string>()
    let finish: (answer: string) => void = () => {}
    const first = idempotent(CALL, () => new Promise((resolve) => (finish = resolve)))
    const second = idempotent(CALL, () => Promise.reject(new Error('must not run')))
    finish('done')
    expect(await first).toMatchObject({ answer: 'done', isRepeat: false })
    expect(await second).toMatchObject({ answer: 'done', isRepeat: true })
  })

  it('refuses the same key with other bytes', async () => {
    const idempotent = createIdempotentCalls<number>()
    await idempotent(CALL, async () => 1)
    expect(await idempotent({ ...CALL, bodyDigest: 'bbb' }, async () => 2)).toEqual({ kind: 'key_reused' })
  })

  it('keeps a status call apart from the action it asks about', async () => {
    const idempotent = createIdempotentCalls<string>()
    await idempotent(CALL, async () => 'ordered')
    const status = await idempotent({ ...CALL, kind: 'status', bodyDigest: 'bbb' }, async () => 'ready')
    expect(status).toMatchObject({ answer: 'ready', isRepeat: false })
  })

  it('forgets work that failed', async () => {
    const idempotent = createIdempotentCalls<number>()
    await expect(idempotent(CALL, () => Promise.reject(new Error('oven broke')))).rejects.toThrow(
      'oven broke',
    )
    expect(await idempotent(CALL, async () => 2)).toMatchObject({ answer: 2, isRepeat: false })
  })

  it('forgets after its time, and the oldest when there are too many', async () => {
    let nowMs = 0
    const idempotent = createIdempotentCalls<number>({ maxEntries: 2, keepMs: 100, now: () => nowMs })
    let runs = 0
    const call = (brokerKey: string) => idempotent({ ...CALL, brokerKey }, async () => ++runs)
    await call('a')
    await call('b')
    await call('c')
    expect(await call('c')).toMatchObject({ isRepeat: true })
    expect(await call('a')).toMatchObject({ isRepeat: false })
    nowMs = 100
    expect(await call('a')).toMatchObject({ isRepeat: false })
  })

  it('never forgets work that is still running', async () => {
    const idempotent = createIdempotentCalls<number>({ maxEntries: 1 })
    const running = idempotent(CALL, () => new Promise(() => {}))
    await expect(idempotent({ ...CALL, brokerKey: 'key_2' }, async () => 2)).rejects.toThrow('too many')
    expect(running).toBeInstanceOf(Promise)
  })
})
