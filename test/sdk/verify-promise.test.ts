import { describe, expect, it } from 'vitest'
import { mintPromise } from '../../src/broker/mint-action-token.ts'
import { hashLeaf } from '../../src/core/merkle/tree.ts'
import { type PromiseTrust, verifyPromise } from '../../src/sdk/verify-promise.ts'
import { memoryLog, TEST_LOG } from '../support/memory-log.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'

const NOW_MS = 1_800_000_000_000
const ISSUER = 'https://broker.example'
const { signer } = createTestSigner()
const TRUST: PromiseTrust = { logKey: TEST_LOG.key, keys: signer.jwks().keys, issuer: ISSUER }

const entries = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`))
const hashOf = (i: number) => hashLeaf(Buffer.from(`entry ${i}`))

function promiseFor(leafHash: Buffer, changes: Partial<Parameters<typeof mintPromise>[1]> = {}) {
  const input = {
    issuer: ISSUER,
    logOrigin: TEST_LOG.key.name,
    leafHash,
    mergeByMs: NOW_MS,
    eventId: 'evt_1',
  }
  return mintPromise(signer, { ...input, ...changes })
}

const due = () => NOW_MS + 10_000

describe('a promise of inclusion held against a log', () => {
  it.each([
    [1, 0],
    [255, 0],
    [256, 255],
    [257, 256],
    [600, 0],
    [600, 255],
    [600, 256],
    [600, 599],
    [5_000, 17],
  ])('of %i leaves is kept by leaf %i', async (size, leafIndex) => {
    const promise = await promiseFor(hashOf(leafIndex))
    const verdict = await verifyPromise(promise, memoryLog(entries(size)), TRUST, due)
    expect(verdict).toMatchObject({ kind: 'kept', leafIndex, claims: { evt: 'evt_1' } })
  })

  it.each([0, 1, 256, 600, 70_000])('of %i leaves without it is broken once it is due', async (size) => {
    const log = memoryLog(entries(size))
    const promise = await promiseFor(hashOf(size))
    expect(await verifyPromise(promise, log, TRUST, due)).toMatchObject({
      kind: 'broken',
      checkpoint: { treeSize: size },
      note: log.note,
    })
  })

  it('is not due until its time and the difference of two clocks have passed', async () => {
    const log = memoryLog(entries(3))
    const promise = await promiseFor(hashOf(3))
    expect((await verifyPromise(promise, log, TRUST, () => due() - 1)).kind).toBe('not_yet_due')
    expect((await verifyPromise(promise, log, TRUST, due)).kind).toBe('broken')
  })

  it('is neither kept nor broken by a log that hides its leaf behind other hashes', async () => {
    const log = memoryLog(entries(600))
    const forged = Buffer.concat(Array.from({ length: 256 }, () => hashOf(9_999)))
    log.replaced.set('tile/0/001', forged)
    const gone = await promiseFor(hashOf(300))
    expect(await verifyPromise(gone, log, TRUST, due)).toEqual({
      kind: 'fault',
      fault: { code: 'root_mismatch', treeSize: 600 },
    })
    // A hash that was put into a tile to look as if it were there leads to another root.
    const planted = await promiseFor(hashOf(9_999))
    expect((await verifyPromise(planted, log, TRUST, due)).kind).toBe('fault')
  })

  it('says so when a part of the log cannot be read', async () => {
    const log = memoryLog(entries(600))
    log.replaced.set('tile/0/000', new Error('down'))
    expect(await verifyPromise(await promiseFor(hashOf(9_999)), log, TRUST, due)).toMatchObject({
      kind: 'fault',
      fault: { code: 'unavailable', path: 'tile/0/000' },
    })
    log.replaced.set('tile/0/000', Buffer.alloc(31))
    expect(await verifyPromise(await promiseFor(hashOf(9_999)), log, TRUST, due)).toMatchObject({
      kind: 'fault',
      fault: { code: 'malformed_tile' },
    })
  })

  it.each([
    ['of another broker', { issuer: 'https://other.example' }, 'other_issuer'],
    ['for another log', { logOrigin: 'broker.example/log/2' }, 'other_log'],
  ] as const)('%s is refused', async (_, changes, code) => {
    const promise = await promiseFor(hashOf(0), changes)
    expect(await verifyPromise(promise, memoryLog(entries(1)), TRUST, due)).toEqual({ kind: 'refused', code })
  })

  it('signed with a key for something else, or by nobody known, is refused', async () => {
    const log = memoryLog(entries(1))
    const payload = { iss: ISSUER, org: TEST_LOG.key.name, lfh: hashOf(0).toString('base64url'), mby: 1 }
    const typ = 'countersign-promise+jwt'
    const wrong = await signer.sign('receipt', { typ }, payload)
    expect(await verifyPromise(wrong, log, TRUST, due)).toEqual({ kind: 'refused', code: 'wrong_purpose' })
    const stranger = await createTestSigner().signer.sign('promise', { typ }, payload)
    expect(await verifyPromise(stranger, log, TRUST, due)).toMatchObject({ kind: 'refused' })
    expect(await verifyPromise('x.y', log, TRUST, due)).toEqual({ kind: 'refused', code: 'malformed' })
  })
})
