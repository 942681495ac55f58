import { describe, expect, it } from 'vitest'
import { verifyCheckpoint } from '../../src/core/merkle/checkpoint.ts'
import { rootsFromConsistency } from '../../src/core/merkle/proof.ts'
import { parseTilePath } from '../../src/core/merkle/tile.ts'
import { followLog } from '../../src/sdk/follow-log.ts'
import { type LogTrust, verifyLog } from '../../src/sdk/verify-log.ts'
import { signerFromSeed } from '../support/ed25519-seed.ts'
import { memoryLog, TEST_LOG } from '../support/memory-log.ts'

const TRUST: LogTrust = { logKey: TEST_LOG.key }
const SIZES = [1, 2, 3, 5, 255, 256, 257, 300, 511, 512, 700]

function entries(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`{"v":1,"n":${i}}`))
}

describe('following a log', () => {
  it('begins with whatever checkpoint is served first', async () => {
    const log = memoryLog(entries(5))
    expect(await followLog(undefined, log, TRUST)).toMatchObject({ kind: 'first', note: log.note })
  })

  it('finds that an honest log has grown, from any size to any other', async () => {
    const logs = new Map(SIZES.map((size) => [size, memoryLog(entries(size))]))
    for (const from of SIZES) {
      for (const to of SIZES.filter((size) => size > from)) {
        const log = logs.get(to) ?? memoryLog([])
        const verdict = await followLog(logs.get(from)?.note, log, TRUST)
        expect(verdict, `${from} to ${to}`).toMatchObject({ kind: 'grown', note: log.note })
      }
    }
  })

  it('finds growth from nothing, and no growth', async () => {
    const log = memoryLog(entries(7))
    expect((await followLog(memoryLog([]).note, log, TRUST)).kind).toBe('grown')
    expect((await followLog(log.note, log, TRUST)).kind).toBe('unchanged')
    expect((await followLog(memoryLog([]).note, memoryLog([]), TRUST)).kind).toBe('unchanged')
  })

  it('reads a few tiles and no entry, however long the log', async () => {
    const log = memoryLog(entries(70_000))
    expect((await followLog(memoryLog(entries(300)).note, log, TRUST)).kind).toBe('grown')
    expect(log.reads.length).toBeLessThanOrEqual(6)
    expect(log.reads.some((path) => path.includes('entries'))).toBe(false)
  })
})

describe('a history that was rewritten and signed again', () => {
  it('passes a full audit, and is caught by whoever kept an older checkpoint', async () => {
    const forged = memoryLog(entries(700).with(3, Buffer.from('forged')))
    expect((await verifyLog(forged, TRUST)).kind).toBe('verified')
    for (const from of SIZES.filter((size) => size > 3 && size < 700)) {
      const previousNote = memoryLog(entries(from)).note
      const verdict = await followLog(previousNote, forged, TRUST)
      expect(verdict, `from ${from}`).toMatchObject({
        kind: 'contradiction',
        previousNote,
        note: forged.note,
      })
    }
  })

  it('leaves evidence that anybody can check with the log’s key alone', async () => {
    const forged = memoryLog(entries(700).with(3, Buffer.from('forged')))
    for (const from of [300, 512]) {
      const verdict = await followLog(memoryLog(entries(from)).note, forged, TRUST)
      if (verdict.kind !== 'contradiction') throw new Error(verdict.kind)
      const older = verifyCheckpoint(verdict.previousNote, TEST_LOG.key)
      const newer = verifyCheckpoint(verdict.note, TEST_LOG.key)
      if (older.kind !== 'verified' || newer.kind !== 'verified') throw new Error('a note does not verify')
      const roots = rootsFromConsistency(from, 700, verdict.path)
      expect(roots?.toRoot).toEqual(newer.checkpoint.rootHash)
      expect(roots?.fromRoot).not.toEqual(older.checkpoint.rootHash)
    }
  })

  it('is caught at the same size by the two notes alone', async () => {
    const forged = memoryLog(entries(5).with(4, Buffer.from('forged')))
    const previousNote = memoryLog(entries(5)).note
    expect(await followLog(previousNote, forged, TRUST)).toEqual({
      kind: 'contradiction',
      previousNote,
      note: forged.note,
      path: [],
    })
  })

  it('is not seen when only leaves were changed that nobody had a checkpoint over', async () => {
    const forged = memoryLog(entries(700).with(300, Buffer.from('forged')))
    expect((await followLog(memoryLog(entries(300)).note, forged, TRUST)).kind).toBe('grown')
    expect((await followLog(memoryLog(entries(301)).note, forged, TRUST)).kind).toBe('contradiction')
  })

  it('shows as a step back when the served log is shorter than the kept one', async () => {
    const previousNote = memoryLog(entries(700)).note
    for (const shorter of [memoryLog(entries(300)), memoryLog([])]) {
      const verdict = await followLog(previousNote, shorter, TRUST)
      expect(verdict).toEqual({ kind: 'behind', previousNote, note: shorter.note })
    }
  })
})

describe('a log whose key was rotated', () => {
  const next = signerFromSeed(TEST_LOG.key.name, Buffer.alloc(32, 8))
  const older = signerFromSeed(TEST_LOG.key.name, Buffer.alloc(32, 6))
  const after: LogTrust = { logKey: next.key, previousLogKeys: [older.key, TEST_LOG.key] }

  it('is followed on from a checkpoint of any key it had, and then needs the new key alone', async () => {
    const log = memoryLog(entries(700), next)
    for (const signer of [older, TEST_LOG]) {
      const kept = memoryLog(entries(300), signer).note
      const verdict = await followLog(kept, log, after)
      expect(verdict).toMatchObject({ kind: 'grown', note: log.note })
      expect((await followLog(memoryLog(entries(700), signer).note, log, after)).kind).toBe('unchanged')
    }
    const longer = memoryLog(entries(701), next)
    expect((await followLog(log.note, longer, { logKey: next.key })).kind).toBe('grown')
    expect((await followLog(log.note, longer, after)).kind).toBe('grown')
  })

  it('cannot rewrite its history by a rotation, and the two notes still prove that it tried', async () => {
    const forged = memoryLog(entries(700).with(3, Buffer.from('forged')), next)
    for (const from of [300, 512, 700]) {
      const previousNote = memoryLog(entries(from)).note
      const verdict = await followLog(previousNote, forged, after)
      if (verdict.kind !== 'contradiction') throw new Error(verdict.kind)
      expect([verdict.previousNote, verdict.note]).toEqual([previousNote, forged.note])
      const before = verifyCheckpoint(verdict.previousNote, TEST_LOG.key)
      const newer = verifyCheckpoint(verdict.note, next.key)
      if (before.kind !== 'verified' || newer.kind !== 'verified') throw new Error('a note does not verify')
      const roots = from === 700 ? undefined : rootsFromConsistency(from, 700, verdict.path)
      expect(roots?.toRoot ?? newer.checkpoint.rootHash).toEqual(newer.checkpoint.rootHash)
      expect(roots?.fromRoot ?? newer.checkpoint.rootHash).not.toEqual(before.checkpoint.rootHash)
    }
  })

  it('is not believed when an old key signs what is new', async () => {
    const verdict = await followLog(memoryLog(entries(300)).note, memoryLog(entries(700)), after)
    expect(verdict).toEqual({ kind: 'fault', fault: { code: 'no_known_signature' } })
  })

  it('is not taken for another log, nor is a kept note of a key that nobody named', async () => {
    const log = memoryLog(entries(700), next)
    const kept = memoryLog(entries(300)).note
    expect(await followLog(kept, log, { logKey: next.key })).toEqual({
      kind: 'previous_refused',
      code: 'no_known_signature',
    })
    const stranger = signerFromSeed('broker.example/log/other', Buffer.alloc(32, 9))
    const ofOther = memoryLog(entries(300), stranger).note
    const trust = { logKey: next.key, previousLogKeys: [stranger.key] }
    expect(await followLog(ofOther, log, trust)).toEqual({ kind: 'previous_refused', code: 'wrong_origin' })
    const cut = kept.replace(/.{8}\n$/, 'AAAAAAA=\n')
    expect(await followLog(cut, log, after)).toEqual({ kind: 'previous_refused', code: 'bad_signature' })
  })
})

describe('an honest log that is served badly', () => {
  it('is never called a liar for a damaged tile', async () => {
    const log = memoryLog(entries(700))
    for (const from of [3, 256, 300, 512]) {
      const previousNote = memoryLog(entries(from)).note
      log.reads.length = 0
      await followLog(previousNote, log, TRUST)
      for (const path of log.reads.filter((read) => read !== 'checkpoint')) {
        const ref = parseTilePath(path)
        const tile = await log.tile(Number(ref?.level), ref?.index ?? 0, ref?.width ?? 0)
        const verdicts = new Set<string>()
        for (let at = 0; at < tile.length; at += 32) {
          const damaged = Buffer.from(tile)
          damaged[at] = (damaged[at] ?? 0) ^ 1
          log.replaced.set(path, damaged)
          const verdict = await followLog(previousNote, log, TRUST)
          verdicts.add(verdict.kind === 'fault' ? verdict.fault.code : verdict.kind)
        }
        log.replaced.clear()
        expect(verdicts, `${path} from ${from}`).toContain('root_mismatch')
        expect(verdicts, `${path} from ${from}`).not.toContain('contradiction')
      }
    }
  })

  it('gives a fault for a tile that is missing or cut', async () => {
    const log = memoryLog(entries(700))
    const { note } = memoryLog(entries(300))
    log.replaced.set('tile/0/001', Buffer.alloc(31))
    expect(await followLog(note, log, TRUST)).toEqual({
      kind: 'fault',
      fault: { code: 'malformed_tile', path: 'tile/0/001', leafIndex: 256 },
    })
    log.replaced.set('tile/0/001', new Error('gone'))
    expect(await followLog(note, log, TRUST)).toEqual({
      kind: 'fault',
      fault: { code: 'unavailable', path: 'tile/0/001', detail: 'gone' },
    })
  })

  it('is not compared with a kept note that does not verify', async () => {
    const stranger = signerFromSeed(TEST_LOG.key.name, Buffer.alloc(32, 9))
    const verdict = await followLog(memoryLog(entries(2), stranger).note, memoryLog(entries(5)), TRUST)
    expect(verdict).toEqual({ kind: 'previous_refused', code: 'no_known_signature' })
    const unsigned = await followLog(memoryLog(entries(2)).note, memoryLog(entries(5), stranger), TRUST)
    expect(unsigned).toEqual({ kind: 'fault', fault: { code: 'no_known_signature' } })
  })
})
