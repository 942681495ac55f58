import { describe, expect, it } from 'vitest'
import { formatNote, signNote } from '../../../src/core/merkle/note.ts'
import { parseVkey } from '../../../src/core/merkle/note-key.ts'
import { inclusionProof } from '../../../src/core/merkle/proof.ts'
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../../../src/core/merkle/tlog-proof.ts'
import { hashLeaf, nodeReader } from '../../../src/core/merkle/tree.ts'
import { signerFromSeed } from '../../support/ed25519-seed.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { VECTORS, vectorEntry, vectorLeafHashes } from '../../support/vector-log.ts'

const { text: TEXT, index: INDEX, size: SIZE } = VECTORS.tlogProof
const LEAF_HASH = hashLeaf(vectorEntry(INDEX))
const LOG_KEY = knownKey(VECTORS.vkey)
const WITNESS_KEY = knownKey(VECTORS.witness.vkey)
const PATH_LINE = 'kfVU4N6fdKzck0jdASkCou7ikUmw1000tz31xG/5ktE=\n'

describe('tlog-proof@v1', () => {
  it('is printed byte for byte as listed, and parsed back', () => {
    const proof = inclusionProof(INDEX, SIZE, nodeReader(storeTree(vectorLeafHashes(SIZE)).readRow))
    const checkpoint = VECTORS.checkpoints[SIZE] ?? ''
    expect(formatTlogProof({ index: INDEX, proof, checkpoint })).toBe(TEXT)
    expect(parseTlogProof(TEXT)).toEqual({ index: INDEX, proof, checkpoint })
  })

  it('verifies offline with the keys of log and witness', () => {
    expect(verifyTlogProof(TEXT, LEAF_HASH, LOG_KEY, [WITNESS_KEY])).toMatchObject({
      kind: 'verified',
      index: 299,
      checkpoint: { origin: VECTORS.origin, treeSize: 300 },
      signatures: [{ key: LOG_KEY }, { key: WITNESS_KEY, timeSeconds: 1_700_000_300 }],
    })
  })

  it('keeps extra data, which proves nothing and changes nothing', () => {
    const withExtra = TEXT.replace('index', 'extra AAEC\nindex')
    expect(parseTlogProof(withExtra)?.extra).toEqual(Buffer.from([0, 1, 2]))
    expect(verifyTlogProof(withExtra, LEAF_HASH, LOG_KEY).kind).toBe('verified')
    const parsed = parseTlogProof(withExtra)
    expect(parsed && formatTlogProof(parsed)).toBe(withExtra)
  })

  it('has an empty path in a log of one entry', () => {
    const checkpoint = VECTORS.checkpoints[1] ?? ''
    const text = formatTlogProof({ index: 0, proof: [], checkpoint })
    expect(text.startsWith('c2sp.org/tlog-proof@v1\nindex 0\n\nbroker.example')).toBe(true)
    expect(verifyTlogProof(text, hashLeaf(vectorEntry(0)), LOG_KEY).kind).toBe('verified')
    expect(verifyTlogProof(text, LEAF_HASH, LOG_KEY)).toEqual({ kind: 'refused', code: 'not_included' })
  })

  it.each([
    ['another header', TEXT.replace('@v1', '@v2')],
    ['a line before the header', `\n${TEXT}`],
    ['no index', TEXT.replace('index 299\n', '')],
    ['an index with a leading zero', TEXT.replace('index 299', 'index 0299')],
    ['a negative index', TEXT.replace('index 299', 'index -299')],
    ['two spaces before the index', TEXT.replace('index 299', 'index  299')],
    ['extra after the index', TEXT.replace('index 299\n', 'index 299\nextra AAEC\n')],
    ['two extras', TEXT.replace('index', 'extra AAEC\nextra AAEC\nindex')],
    ['extra that is not base64', TEXT.replace('index', 'extra ???\nindex')],
    ['a path hash that does not round-trip', TEXT.replace('5ktE=', '5ktF=')],
    ['a path hash that is no hash', TEXT.replace(PATH_LINE, 'AAEC\n')],
    ['carriage returns', TEXT.replaceAll('\n', '\r\n')],
    ['a path without end', TEXT.replace(PATH_LINE, PATH_LINE.repeat(64))],
    ['no checkpoint', TEXT.slice(0, TEXT.indexOf('\n\n') + 1)],
    ['nothing', ''],
  ])('is malformed with %s', (_, text) => {
    expect(verifyTlogProof(text, LEAF_HASH, LOG_KEY)).toEqual({ kind: 'refused', code: 'malformed_proof' })
  })

  it.each([
    ['another index', TEXT.replace('index 299', 'index 298'), 'not_included'],
    ['an index beyond the tree', TEXT.replace('index 299', 'index 300'), 'not_included'],
    ['a path hash left out', TEXT.replace(PATH_LINE, ''), 'not_included'],
    ['a path hash doubled', TEXT.replace(PATH_LINE, PATH_LINE.repeat(2)), 'not_included'],
    ['another size', TEXT.replace('\n300\n', '\n301\n'), 'bad_signature'],
    ['the checkpoint cut', TEXT.slice(0, TEXT.indexOf('— ')), 'malformed_note'],
  ])('is refused with %s', (_, text, code) => {
    expect(text).not.toBe(TEXT)
    expect(verifyTlogProof(text, LEAF_HASH, LOG_KEY)).toEqual({ kind: 'refused', code })
  })

  it('is refused for another leaf, under another key and for another log', () => {
    const other = hashLeaf(vectorEntry(298))
    expect(verifyTlogProof(TEXT, other, LOG_KEY)).toEqual({ kind: 'refused', code: 'not_included' })
    const stranger = signerFromSeed(VECTORS.origin, Buffer.alloc(32, 8))
    expect(verifyTlogProof(TEXT, LEAF_HASH, stranger.key)).toMatchObject({ code: 'no_known_signature' })
    expect(verifyTlogProof(TEXT, LEAF_HASH, LOG_KEY, [], 'x.example')).toMatchObject({ code: 'wrong_origin' })
  })

  it('is refused when the log signed something that is no checkpoint', () => {
    const log = signerFromSeed(VECTORS.origin, Buffer.from(VECTORS.seedHex, 'hex'))
    const body = 'broker.example/log/1\nnot a size\n'
    const checkpoint = formatNote(body, [signNote(body, log.key, log.sign)])
    const text = formatTlogProof({ index: 0, proof: [], checkpoint })
    expect(verifyTlogProof(text, LEAF_HASH, LOG_KEY)).toMatchObject({ code: 'malformed_checkpoint' })
  })
})

function knownKey(vkey: string) {
  const key = parseVkey(vkey)
  if (key === undefined) throw new Error(`no key: ${vkey}`)
  return key
}
