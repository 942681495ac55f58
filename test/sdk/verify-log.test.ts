import { describe, expect, it } from 'vitest'
import { formatCheckpoint } from '../../src/core/merkle/checkpoint.ts'
import { formatNote, signNote } from '../../src/core/merkle/note.ts'
import { encodeEntryBundle, tilesOf } from '../../src/core/merkle/tile.ts'
import { type LogTrust, verifyLog } from '../../src/sdk/verify-log.ts'
import { signerFromSeed } from '../support/ed25519-seed.ts'
import { type MemoryLog, memoryLog, TEST_LOG } from '../support/memory-log.ts'

const TRUST: LogTrust = { logKey: TEST_LOG.key }

function entries(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`{"v":1,"n":${i}}`))
}

async function faultOf(log: MemoryLog) {
  const verdict = await verifyLog(log, TRUST)
  return verdict.kind === 'fault' ? verdict.fault : verdict.kind
}

describe('the audit of an honest log', () => {
  it.each([0, 1, 2, 255, 256, 257, 512, 1000])(
    'of %i entries reads everything once and verifies',
    async (size) => {
      const log = memoryLog(entries(size))
      const seen: number[] = []
      const verdict = await verifyLog(log, TRUST, (entry, leafIndex) => {
        expect(entry.toString()).toBe(`{"v":1,"n":${leafIndex}}`)
        seen.push(leafIndex)
      })
      expect(verdict).toMatchObject({ kind: 'verified', checkpoint: { treeSize: size }, note: log.note })
      expect(seen).toEqual([...Array(size).keys()])
      const tiles = [...tilesOf(size)].length
      expect(log.reads).toHaveLength(1 + tiles + Math.ceil(size / 256))
      expect(new Set(log.reads).size).toBe(log.reads.length)
    },
  )

  it('reaches the third tile row', async () => {
    const log = memoryLog(entries(65_536 + 300))
    expect((await verifyLog(log, TRUST)).kind).toBe('verified')
    expect(log.reads).toContain('tile/2/000.p/1')
    expect(log.reads.filter((path) => path.startsWith('tile/1/'))).toEqual(['tile/1/000', 'tile/1/001.p/1'])
  })
})

describe('the audit of a log that was tampered with names the first fault', () => {
  const SIZE = 600

  it('when an entry was changed', async () => {
    const log = memoryLog(entries(SIZE))
    log.replaced.set(
      'tile/entries/001',
      encodeEntryBundle(entries(512).slice(256).with(44, Buffer.from('forged'))),
    )
    expect(await faultOf(log)).toEqual({ code: 'leaf_mismatch', path: 'tile/0/001', leafIndex: 300 })
  })

  it('when the last entry was changed', async () => {
    const log = memoryLog(entries(SIZE))
    log.replaced.set(
      'tile/entries/002.p/88',
      encodeEntryBundle(entries(SIZE).slice(512).with(87, Buffer.from('x'))),
    )
    expect(await faultOf(log)).toMatchObject({ code: 'leaf_mismatch', leafIndex: 599 })
  })

  it('when two entries were exchanged', async () => {
    const log = memoryLog(entries(SIZE))
    const [first = Buffer.alloc(0), second = Buffer.alloc(0), ...rest] = entries(256)
    log.replaced.set('tile/entries/000', encodeEntryBundle([second, first, ...rest]))
    expect(await faultOf(log)).toMatchObject({ code: 'leaf_mismatch', leafIndex: 0 })
  })

  it('when two tiles were exchanged', async () => {
    const log = memoryLog(entries(SIZE))
    log.replaced.set('tile/0/000', await log.tile(0, 1, 256))
    log.replaced.set('tile/0/001', await memoryLog(entries(SIZE)).tile(0, 0, 256))
    expect(await faultOf(log)).toMatchObject({ code: 'leaf_mismatch', leafIndex: 0 })
  })

  it('when entry and leaf hash were changed together: the row above shows it', async () => {
    const forged = entries(SIZE).with(300, Buffer.from('forged'))
    const other = memoryLog(forged)
    const log = memoryLog(entries(SIZE))
    for (const path of ['tile/entries/001', 'tile/0/001']) log.replaced.set(path, await resource(other, path))
    expect(await faultOf(log)).toEqual({ code: 'tile_mismatch', path: 'tile/1/000.p/2', leafIndex: 256 })
  })

  it('when entry and every tile were changed together: the signed root shows it', async () => {
    const log = memoryLog(entries(SIZE).with(300, Buffer.from('forged')))
    log.replaced.set('checkpoint', Buffer.from(memoryLog(entries(SIZE)).note))
    expect(await faultOf(log)).toEqual({ code: 'root_mismatch', treeSize: SIZE })
  })

  it('when a tile of a higher row was changed', async () => {
    const log = memoryLog(entries(65_536 + 700))
    const tile = Buffer.from(await log.tile(1, 0, 256))
    tile[5 * 32] = (tile[5 * 32] ?? 0) ^ 1
    log.replaced.set('tile/1/000', tile)
    expect(await faultOf(log)).toEqual({ code: 'tile_mismatch', path: 'tile/1/000', leafIndex: 5 * 256 })
    log.replaced.clear()
    log.replaced.set('tile/2/000.p/1', Buffer.alloc(32))
    expect(await faultOf(log)).toEqual({ code: 'tile_mismatch', path: 'tile/2/000.p/1', leafIndex: 0 })
  })

  it('when it was cut behind a checkpoint that counted more', async () => {
    const log = memoryLog(entries(500))
    log.replaced.set('checkpoint', Buffer.from(memoryLog(entries(SIZE)).note))
    expect(await faultOf(log)).toMatchObject({
      code: 'malformed_bundle',
      path: 'tile/entries/001',
      leafIndex: 256,
    })
  })

  it.each([
    [
      'a bundle with an entry too few',
      'tile/entries/000',
      encodeEntryBundle(entries(255)),
      'malformed_bundle',
    ],
    [
      'a bundle with an entry too many',
      'tile/entries/000',
      encodeEntryBundle(entries(257)),
      'malformed_bundle',
    ],
    [
      'a bundle that is cut',
      'tile/entries/000',
      encodeEntryBundle(entries(256)).subarray(0, -1),
      'malformed_bundle',
    ],
    ['a tile that is cut', 'tile/0/000', Buffer.alloc(8191), 'malformed_tile'],
    ['a tile that is too long', 'tile/1/000.p/2', Buffer.alloc(96), 'malformed_tile'],
  ])('when there is %s', async (_, path, bytes, code) => {
    const log = memoryLog(entries(SIZE))
    log.replaced.set(path, bytes)
    expect(await faultOf(log)).toEqual({ code, path, leafIndex: 0 })
  })

  it('when a resource cannot be read, which is told apart from a lie', async () => {
    for (const path of ['checkpoint', 'tile/entries/001', 'tile/0/002.p/88', 'tile/1/000.p/2']) {
      const log = memoryLog(entries(SIZE))
      log.replaced.set(path, new Error('connection refused'))
      expect(await faultOf(log)).toEqual({ code: 'unavailable', path, detail: 'connection refused' })
    }
  })

  it('when the checkpoint is not the log’s', async () => {
    const log = memoryLog(entries(3))
    const stranger = signerFromSeed(TEST_LOG.key.name, Buffer.alloc(32, 9))
    log.replaced.set('checkpoint', Buffer.from(memoryLog(entries(3), stranger).note))
    expect(await faultOf(log)).toEqual({ code: 'no_known_signature' })
    log.replaced.set('checkpoint', Buffer.from(log.note.replace('\n3\n', '\n4\n')))
    expect(await faultOf(log)).toEqual({ code: 'bad_signature' })
    log.replaced.set('checkpoint', Buffer.from('not found'))
    expect(await faultOf(log)).toEqual({ code: 'malformed_note' })
    expect(log.reads.every((path) => path === 'checkpoint')).toBe(true)
  })

  it('when a checkpoint claims more leaves than anybody could serve', async () => {
    const log = memoryLog(entries(3))
    const body = formatCheckpoint({
      origin: TEST_LOG.key.name,
      treeSize: Number.MAX_SAFE_INTEGER,
      rootHash: Buffer.alloc(32),
    })
    const note = formatNote(body, [signNote(body, TEST_LOG.key, TEST_LOG.sign)])
    log.replaced.set('checkpoint', Buffer.from(note))
    expect(await faultOf(log)).toMatchObject({ code: 'malformed_bundle', leafIndex: 0 })
    expect(log.reads.length).toBeLessThan(40)
  })
})

it('hands on what the caller’s own look at an entry throws', async () => {
  const look = () => {
    throw new TypeError('not an entry I know')
  }
  await expect(verifyLog(memoryLog(entries(3)), TRUST, look)).rejects.toThrow('not an entry I know')
})

function resource(log: MemoryLog, path: string): Promise<Buffer> {
  return path.includes('entries') ? log.entries(1, 256) : log.tile(0, 1, 256)
}
