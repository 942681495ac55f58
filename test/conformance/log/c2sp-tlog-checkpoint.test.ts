import { describe, expect, it } from 'vitest'
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from '../../../src/core/merkle/checkpoint.ts'
import { formatNote, signNote } from '../../../src/core/merkle/note.ts'
import { ED25519_COSIGNATURE } from '../../../src/core/merkle/note-key.ts'
import { signerFromSeed } from '../../support/ed25519-seed.ts'
import { VECTORS } from '../../support/vector-log.ts'

const LOG = signerFromSeed(VECTORS.origin, Buffer.from(VECTORS.seedHex, 'hex'))
const WITNESS = signerFromSeed(
  VECTORS.witness.name,
  Buffer.from(VECTORS.witness.seedHex, 'hex'),
  ED25519_COSIGNATURE,
)
const ROOT = VECTORS.roots[300] ?? ''
const NOTE = VECTORS.checkpoints[300] ?? ''
const BODY = `broker.example/log/1\n300\n${ROOT}\n`

describe('checkpoint', () => {
  it.each(Object.entries(VECTORS.checkpoints))(
    'of size %s is signed byte for byte as listed',
    (size, listed) => {
      const rootHash = Buffer.from(VECTORS.roots[size] ?? '', 'base64')
      const checkpoint = { origin: VECTORS.origin, treeSize: Number(size), rootHash }
      const body = formatCheckpoint(checkpoint)
      expect(parseCheckpoint(body)).toEqual(checkpoint)
      expect(listed.startsWith(formatNote(body, [signNote(body, LOG.key, LOG.sign)]))).toBe(true)
      expect(verifyCheckpoint(listed, LOG.key, [WITNESS.key])).toMatchObject({
        kind: 'verified',
        checkpoint,
        signatures: [{ key: LOG.key }, { key: WITNESS.key }],
      })
    },
  )

  it.each([
    ['an empty origin', BODY.replace('broker.example/log/1', '')],
    ['a size with leading zeroes', BODY.replace('300', '0300')],
    ['a negative size', BODY.replace('300', '-300')],
    ['a size with a sign', BODY.replace('300', '+300')],
    ['a size in hex', BODY.replace('300', '0x12c')],
    ['a size with an exponent', BODY.replace('300', '3e2')],
    ['a size with a space', BODY.replace('300', '300 ')],
    ['no size', BODY.replace('300', '')],
    ['a size above the safe integers', BODY.replace('300', '9007199254740992')],
    ['a size no double holds', BODY.replace('300', '18446744073709551616')],
    ['a root of 31 bytes', BODY.replace(ROOT, Buffer.alloc(31).toString('base64'))],
    ['a root in base64url', BODY.replace(ROOT, Buffer.from(ROOT, 'base64').toString('base64url'))],
    ['a root with bits nobody reads', BODY.replace('52s=', '52t=')],
    ['an extension line', `${BODY}extension\n`],
    ['an empty line at the end', `${BODY}\n`],
    ['no newline at the end', BODY.slice(0, -1)],
    ['two lines', BODY.slice(0, BODY.indexOf(ROOT))],
    ['a root for no leaves that is not the empty tree’s', BODY.replace('300', '0')],
    ['nothing', ''],
  ])('is refused with %s, however well it is signed', (_, body) => {
    expect(parseCheckpoint(body)).toBeUndefined()
    if (!body.endsWith('\n')) return
    const note = formatNote(body, [signNote(body, LOG.key, LOG.sign)])
    expect(verifyCheckpoint(note, LOG.key)).toEqual({ kind: 'refused', code: 'malformed_checkpoint' })
  })

  it('of another log is refused, though the same key signed it', () => {
    const body = BODY.replace('log/1', 'log/2')
    const note = formatNote(body, [signNote(body, LOG.key, LOG.sign)])
    expect(verifyCheckpoint(note, LOG.key)).toEqual({ kind: 'refused', code: 'wrong_origin' })
    expect(verifyCheckpoint(note, LOG.key, [], 'broker.example/log/2').kind).toBe('verified')
  })

  it('needs the log’s own signature: a witness’s alone does not do, nor a witness key in its place', () => {
    const witnessed = formatNote(BODY, [signNote(BODY, WITNESS.key, WITNESS.sign, 1_700_000_300)])
    expect(verifyCheckpoint(witnessed, LOG.key, [WITNESS.key])).toMatchObject({ code: 'no_known_signature' })
    const asLog = verifyCheckpoint(witnessed, WITNESS.key, [], VECTORS.origin)
    expect(asLog).toMatchObject({ code: 'no_known_signature' })
  })

  it('is refused when a known witness’s signature is bad, and not when the witness is unknown', () => {
    const forged = NOTE.replace('HivbrlBw==', 'HivbrlBg==')
    expect(forged).not.toBe(NOTE)
    expect(verifyCheckpoint(forged, LOG.key, [WITNESS.key])).toMatchObject({ code: 'bad_signature' })
    expect(verifyCheckpoint(forged, LOG.key).kind).toBe('verified')
  })

  it('cannot be printed from what would not parse', () => {
    const checkpoint = { origin: 'a.example', treeSize: 1, rootHash: Buffer.alloc(32) }
    for (const wrong of [
      { origin: '' },
      { origin: 'a\nb' },
      { treeSize: -1 },
      { treeSize: 1.5 },
      { treeSize: 0 },
    ]) {
      expect(() => formatCheckpoint({ ...checkpoint, ...wrong })).toThrow(RangeError)
    }
    expect(() => formatCheckpoint({ ...checkpoint, rootHash: Buffer.alloc(12) })).toThrow(RangeError)
  })
})
