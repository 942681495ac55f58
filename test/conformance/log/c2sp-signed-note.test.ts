import { describe, expect, it } from 'vitest'
import { formatNote, parseNote, signatureOf, signNote, verifyNote } from '../../../src/core/merkle/note.ts'
import {
  ED25519_COSIGNATURE,
  formatVkey,
  keyIdOf,
  type NoteKey,
  noteKey,
  parseVkey,
} from '../../../src/core/merkle/note-key.ts'
import { signerFromSeed } from '../../support/ed25519-seed.ts'
import { VECTORS } from '../../support/vector-log.ts'

const EXAMPLE_VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const EXAMPLE_TEXT = 'This is an example message.\n'
const EXAMPLE_NOTE = `${EXAMPLE_TEXT}
— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`
const GO_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const GO_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`
const ALICE = signerFromSeed('alice.example/log', Buffer.alloc(32, 1))
const BOB = signerFromSeed('bob.example/log', Buffer.alloc(32, 2))

function vkey(text: string): NoteKey {
  const key = parseVkey(text)
  if (key === undefined) throw new Error(`no key: ${text}`)
  return key
}

function codeOf(note: string, keys: readonly NoteKey[]): string {
  const verdict = verifyNote(note, keys)
  return verdict.kind === 'refused' ? verdict.code : verdict.kind
}

describe('signed note, others’ vectors', () => {
  it('opens the example of the specification', () => {
    const key = vkey(EXAMPLE_VKEY)
    expect(verifyNote(EXAMPLE_NOTE, [key])).toEqual({
      kind: 'verified',
      text: EXAMPLE_TEXT,
      signatures: [{ key }],
    })
  })

  it('opens the note of golang.org/x/mod/sumdb/note', () => {
    expect(codeOf(GO_NOTE, [vkey(GO_VKEY)])).toBe('verified')
  })
})

describe('signed note, keys', () => {
  it('are printed as they were parsed', () => {
    for (const text of [EXAMPLE_VKEY, GO_VKEY, VECTORS.vkey, VECTORS.witness.vkey]) {
      expect(formatVkey(vkey(text))).toBe(text)
    }
  })

  it('have the listed ids', () => {
    const { origin, publicKey, keyIdHex, witness } = VECTORS
    expect(keyIdOf(origin, 1, publicKey)).toBe(keyIdHex)
    expect(keyIdOf(witness.name, 4, witness.publicKey)).toBe(witness.keyIdHex)
    expect(signerFromSeed(origin, Buffer.from(VECTORS.seedHex, 'hex')).key.publicKey).toEqual(publicKey)
  })

  it('have another id for another name or type', () => {
    const { publicKey } = ALICE.key
    const ids = [
      noteKey('a', publicKey).keyId,
      noteKey('b', publicKey).keyId,
      noteKey('a', publicKey, ED25519_COSIGNATURE).keyId,
    ]
    expect(new Set(ids).size).toBe(3)
  })

  it.each([
    ['an id that is not the key’s', EXAMPLE_VKEY.replace('530d903a', '530d903b')],
    ['an id in capitals', GO_VKEY.replace('c74f20a3', 'C74F20A3')],
    ['another name', EXAMPLE_VKEY.replace('/foo', '/bar')],
    ['no name', EXAMPLE_VKEY.slice('example.com/foo'.length)],
    ['a space in the name', EXAMPLE_VKEY.replace('/foo', '/f oo')],
    ['no key', 'example.com/foo+530d903a+'],
    ['base64 that does not round-trip', `${EXAMPLE_VKEY}!`],
    ['a key that was cut', EXAMPLE_VKEY.slice(0, -4)],
    ['a line break at the end', `${EXAMPLE_VKEY}\n`],
    ['nothing', ''],
  ])('are refused with %s', (_, text) => {
    expect(parseVkey(text)).toBeUndefined()
  })

  it('are refused when their type is not one of Ed25519, id and all', () => {
    for (const type of [0x02, 0x05, 0x06, 0xff]) {
      const { name, publicKey } = ALICE.key
      expect(parseVkey(formatVkey({ name, type, publicKey })), `type ${type}`).toBeUndefined()
      expect(() => noteKey(name, publicKey, type)).toThrow(RangeError)
    }
    expect(() => noteKey('a b', ALICE.key.publicKey)).toThrow(RangeError)
    expect(() => noteKey('a', ALICE.key.publicKey.subarray(1))).toThrow(RangeError)
  })
})

describe('signed note, signatures', () => {
  const aliceSigned = signNote(EXAMPLE_TEXT, ALICE.key, ALICE.sign)
  const bobSigned = signNote(EXAMPLE_TEXT, BOB.key, BOB.sign)
  const bobForged = { ...bobSigned, signature: aliceSigned.signature }

  it('of unknown keys are ignored', () => {
    const note = formatNote(EXAMPLE_TEXT, [bobForged, aliceSigned])
    expect(verifyNote(note, [ALICE.key])).toMatchObject({
      kind: 'verified',
      signatures: [{ key: ALICE.key }],
    })
  })

  it('are refused all together when one of a known key is bad', () => {
    expect(codeOf(formatNote(EXAMPLE_TEXT, [aliceSigned, bobForged]), [ALICE.key, BOB.key])).toBe(
      'bad_signature',
    )
    expect(codeOf(formatNote(EXAMPLE_TEXT, [bobForged, aliceSigned]), [ALICE.key, BOB.key])).toBe(
      'bad_signature',
    )
  })

  it('of no known key do not open the note', () => {
    expect(codeOf(formatNote(EXAMPLE_TEXT, [bobSigned]), [ALICE.key])).toBe('no_known_signature')
    expect(codeOf(formatNote(EXAMPLE_TEXT, [bobSigned]), [])).toBe('no_known_signature')
  })

  it('belong to a key by name and id together', () => {
    const sameId = { ...aliceSigned, name: 'mallory.example' }
    const sameName = { ...aliceSigned, keyId: BOB.key.keyId }
    for (const signature of [sameId, sameName]) {
      expect(codeOf(formatNote(EXAMPLE_TEXT, [signature]), [ALICE.key, BOB.key])).toBe('no_known_signature')
    }
  })

  it('do not hold for another text', () => {
    const note = formatNote(EXAMPLE_TEXT.replace('example', 'exemple'), [aliceSigned])
    expect(codeOf(note, [ALICE.key])).toBe('bad_signature')
  })

  it('may be 16 and more, but not without end', () => {
    const strangers = Array.from({ length: 150 }, (_, i) => ({ ...bobSigned, name: `witness${i}.example` }))
    for (const count of [1, 16, 99]) {
      const note = formatNote(EXAMPLE_TEXT, [...strangers.slice(0, count), aliceSigned])
      expect(codeOf(note, [ALICE.key]), `${count + 1} signatures`).toBe('verified')
    }
    expect(codeOf(formatNote(EXAMPLE_TEXT, [...strangers, aliceSigned]), [ALICE.key])).toBe('malformed_note')
  })

  it('sign a text with empty lines: the last empty line ends it', () => {
    const text = `one\n\n— ${BOB.key.name} AAAAAAAA\n\ntwo\n`
    const note = formatNote(text, [signNote(text, ALICE.key, ALICE.sign)])
    expect(verifyNote(note, [ALICE.key])).toMatchObject({ kind: 'verified', text })
    expect(parseNote(note)?.signatures).toHaveLength(1)
  })

  it('do not survive an empty line put before a second set of them', () => {
    const note = formatNote(EXAMPLE_TEXT, [aliceSigned])
    const second = formatNote(EXAMPLE_TEXT, [bobSigned]).slice(EXAMPLE_TEXT.length)
    expect(codeOf(note + second, [ALICE.key])).toBe('no_known_signature')
  })
})

describe('signed note, form', () => {
  const line = EXAMPLE_NOTE.split('\n')[2] ?? ''
  it.each([
    ['no newline at the end', EXAMPLE_NOTE.slice(0, -1)],
    ['no signature', `${EXAMPLE_TEXT}\n`],
    ['no empty line', `${EXAMPLE_TEXT}${line}\n`],
    ['a carriage return', EXAMPLE_NOTE.replace('message.\n', 'message.\r\n')],
    ['a tab in the text', EXAMPLE_NOTE.replace('an example', 'an\texample')],
    ['a null character in the text', EXAMPLE_NOTE.replace('an example', 'an\0example')],
    ['a lone surrogate in the text', EXAMPLE_NOTE.replace('an example', 'an\ud800example')],
    ['a hyphen for the dash', EXAMPLE_NOTE.replace('—', '-')],
    ['two spaces', EXAMPLE_NOTE.replace('— ', '—  ')],
    ['a no-break space in the name', EXAMPLE_NOTE.replace('com/foo', 'com/\u00a0foo')],
    ['a next-line character in the name', EXAMPLE_NOTE.replace('com/foo', 'com/\u0085foo')],
    ['a plus in the name', EXAMPLE_NOTE.replace('com/foo', 'com/+foo')],
    ['a space after the signature', EXAMPLE_NOTE.replace('aQM=\n', 'aQM= \n')],
    ['base64 without its padding', EXAMPLE_NOTE.replace('aQM=', 'aQM')],
    ['base64 with bits nobody reads', EXAMPLE_NOTE.replace('aQM=', 'aQN=')],
    ['base64url', EXAMPLE_NOTE.replace(/ Uw2Q.*\n/, ' Uw2QOkn8srV1-_==\n')],
    ['a signature that is only a key id', EXAMPLE_NOTE.replace(/ Uw2Q.*\n/, ' Uw2QOg==\n')],
    ['an unknown signature that is malformed', `${EXAMPLE_NOTE}— other.example ???\n`],
    ['a line that is no signature', `${EXAMPLE_NOTE}trailer\n`],
    ['only newlines', '\n\n\n'],
    ['nothing', ''],
  ])('is refused with %s', (_, note) => {
    expect(codeOf(note, [vkey(EXAMPLE_VKEY)])).toBe('malformed_note')
  })

  it('cannot be printed from a text that would not parse', () => {
    const signature = signNote(EXAMPLE_TEXT, ALICE.key, ALICE.sign)
    for (const text of ['', 'no newline', 'tab\t\n', '\ud800\n']) {
      expect(() => formatNote(text, [signature])).toThrow(RangeError)
    }
    expect(() => formatNote(EXAMPLE_TEXT, [])).toThrow(RangeError)
  })
})

describe('tlog-cosignature/v1', () => {
  const witness = signerFromSeed(
    VECTORS.witness.name,
    Buffer.from(VECTORS.witness.seedHex, 'hex'),
    ED25519_COSIGNATURE,
  )

  it('has the listed bytes and tells the time it was given', () => {
    for (const listed of Object.values(VECTORS.checkpoints)) {
      const opened = verifyNote(listed, [witness.key])
      if (opened.kind === 'refused') throw new Error(opened.code)
      const timeSeconds = opened.signatures[0]?.timeSeconds ?? 0
      expect(timeSeconds).toBeGreaterThanOrEqual(1_700_000_000)
      const again = signNote(opened.text, witness.key, witness.sign, timeSeconds)
      expect(listed).toContain(formatNote(opened.text, [again]).slice(opened.text.length + 1))
    }
  })

  it('does not hold at another time, nor as a plain signature', () => {
    const ed25519 = witness.sign(Buffer.from(EXAMPLE_TEXT))
    const plain = formatNote(EXAMPLE_TEXT, [signatureOf(witness.key, ed25519)])
    expect(codeOf(plain, [witness.key])).toBe('bad_signature')
    const timed = signNote(EXAMPLE_TEXT, witness.key, witness.sign, 1_700_000_000)
    const moved = Buffer.from(timed.signature)
    moved[7] = (moved[7] ?? 0) ^ 1
    expect(codeOf(formatNote(EXAMPLE_TEXT, [timed]), [witness.key])).toBe('verified')
    expect(codeOf(formatNote(EXAMPLE_TEXT, [{ ...timed, signature: moved }]), [witness.key])).toBe(
      'bad_signature',
    )
    const farFuture = Buffer.concat([Buffer.alloc(8, 0xff), timed.signature.subarray(8)])
    expect(codeOf(formatNote(EXAMPLE_TEXT, [{ ...timed, signature: farFuture }]), [witness.key])).toBe(
      'bad_signature',
    )
  })

  it('is never made without a time, and nothing else with one', () => {
    expect(() => signNote(EXAMPLE_TEXT, witness.key, witness.sign)).toThrow(RangeError)
    expect(() => signNote(EXAMPLE_TEXT, ALICE.key, ALICE.sign, 1)).toThrow(RangeError)
  })
})
