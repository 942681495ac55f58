import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { type LogReader, openLogReader } from '../../src/broker/read-log.ts'
import { parseVkey } from '../../src/core/merkle/note-key.ts'
import { verifyConsistency, verifyInclusion } from '../../src/core/merkle/proof.ts'
import type { LogSource } from '../../src/sdk/log-source.ts'
import { verifyLog } from '../../src/sdk/verify-log.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let publisher: CheckpointPublisher
let log: LogReader

beforeEach(async () => {
  test = await createTestBroker()
  publisher = openCheckpointPublisher(
    test.broker,
    openCheckpointRegisterFile(join(test.folder, 'checkpoint-register.json')),
  )
  log = openLogReader(test.broker, publisher)
})
afterEach(() => test.close())

/** The reader as an auditor's source. */
function sourceOf(reader: LogReader): LogSource {
  const bytesOf = async (read: ReturnType<LogReader['entries']>) => {
    const found = await read
    if (found.kind === 'not_found') throw new Error('not found')
    return found.bytes
  }
  return {
    checkpoint: async () => reader.checkpoint() ?? '',
    tile: (level, index, width) => bytesOf(reader.tile(level, index, width)),
    entries: (index, width) => bytesOf(reader.entries(index, width)),
  }
}

describe('the published log', () => {
  it.each([1, 255, 256, 257, 1000])('verifies as a whole at %i leaves', async (count) => {
    await appendLeaves(test.broker, count)
    await publisher.publishNow()
    const logKey = parseVkey(log.vkey())
    if (!logKey) throw new Error('no key')
    expect(await verifyLog(sourceOf(log), { logKey })).toMatchObject({
      kind: 'verified',
      checkpoint: { treeSize: count },
    })
  })

  it('shows nothing that no checkpoint covers', async () => {
    expect(log.checkpoint()).toBeUndefined()
    await appendLeaves(test.broker, 300)
    expect((await log.tile(0, 0, 1)).kind).toBe('not_found')
    expect((await log.inclusion(0, 300)).kind).toBe('not_found')
    await publisher.publishNow()
    const [late = ''] = await appendLeaves(test.broker, 300)
    expect((await log.tile(0, 1, 44)).kind).toBe('found')
    for (const hidden of [
      log.tile(0, 1, 45),
      log.entries(1, 45),
      log.tile(0, 1, 256),
      log.tile(1, 0, 2),
      log.inclusion(0, 301),
      log.inclusion(300, 300),
      log.inclusionOfEvent(late),
      log.consistency(1, 301),
    ])
      expect((await hidden).kind).toBe('not_found')
  })

  it('answers a partial tile with exactly its hashes, and the first of them stay the same', async () => {
    await appendLeaves(test.broker, 100)
    await publisher.publishNow()
    const [short, long] = [await log.tile(0, 0, 40), await log.tile(0, 0, 100)]
    if (short.kind !== 'found' || long.kind !== 'found') throw new Error('not found')
    expect([short.bytes.length, long.bytes.length, long.isFull]).toEqual([40 * 32, 100 * 32, false])
    expect(long.bytes.subarray(0, 40 * 32).equals(short.bytes)).toBe(true)
    await appendLeaves(test.broker, 200)
    await publisher.publishNow()
    const full = await log.tile(0, 0, 256)
    expect(full).toMatchObject({ kind: 'found', isFull: true })
    expect(full.kind === 'found' && full.bytes.subarray(0, 100 * 32).equals(long.bytes)).toBe(true)
  })

  it.each([
    [0, 0, 0],
    [0, 0, 257],
    [0, -1, 1],
    [0, 0.5, 1],
    [-1, 0, 1],
    [64, 0, 1],
    [0.5, 0, 1],
    [0, Number.NaN, 1],
    [0, 2 ** 53, 1],
  ])('has no tile %d/%d of width %d', async (level, index, width) => {
    await appendLeaves(test.broker, 300)
    await publisher.publishNow()
    expect(await log.tile(level, index, width)).toEqual({ kind: 'not_found' })
  })
})

describe('proofs', () => {
  it('show every leaf in trees of published sizes', async () => {
    await appendLeaves(test.broker, 600)
    const { rootHash } = await publisher.publishNow()
    const hashes = await test.broker.store.read(async (tx) => tx.log.leafHashes(0, 600))
    for (const leafIndex of [0, 1, 255, 256, 511, 512, 599]) {
      const found = await log.inclusion(leafIndex)
      const leafHash = hashes[leafIndex]
      if (found.kind !== 'found' || !leafHash) throw new Error('not found')
      expect(verifyInclusion(leafHash, leafIndex, 600, found.proof, rootHash)).toBe(true)
    }
  })

  it('find a leaf by its event', async () => {
    const ids = await appendLeaves(test.broker, 20)
    await publisher.publishNow()
    expect(await log.inclusionOfEvent(ids[7] ?? '')).toMatchObject({ leafIndex: 7, treeSize: 20 })
    expect((await log.inclusionOfEvent('evt_nobody')).kind).toBe('not_found')
  })

  it('show that the log only grew, between any two sizes', async () => {
    const roots = new Map<number, Buffer>()
    for (const step of [1, 63, 192, 1, 255, 300]) {
      await appendLeaves(test.broker, step)
      const { treeSize, rootHash } = await publisher.publishNow()
      roots.set(treeSize, rootHash)
    }
    for (const [from, fromRoot] of roots)
      for (const [to, toRoot] of roots) {
        const found = await log.consistency(from, to)
        if (from > to) expect(found.kind).toBe('not_found')
        else
          expect(found.kind === 'found' && verifyConsistency(from, to, found.proof, fromRoot, toRoot)).toBe(
            true,
          )
      }
  })

  it('read a few tiles only, however long the log is', async () => {
    await appendLeaves(test.broker, 2000)
    await publisher.publishNow()
    let reads = 0
    const counting: TestBroker['broker'] = {
      ...test.broker,
      store: {
        ...test.broker.store,
        read: (work) =>
          test.broker.store.read((tx) => {
            const counted = new Proxy(tx.log, {
              get(target, name) {
                const member: unknown = Reflect.get(target, name)
                if (typeof member !== 'function') return member
                return (...args: unknown[]) => {
                  reads += 1
                  return Reflect.apply(member, target, args)
                }
              },
            })
            return work(Object.create(tx, { log: { value: counted } }))
          }),
      },
    }
    const counted = openLogReader(counting, publisher)
    await counted.inclusion(777)
    // One tile of leaves at each end of the path, one row above.
    expect(reads).toBeLessThanOrEqual(4)
    reads = 0
    await counted.consistency(777, 2000)
    expect(reads).toBeLessThanOrEqual(5)
  })
})
