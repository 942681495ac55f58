import { verify as verifyEd25519 } from 'node:crypto'
import { ED25519_COSIGNATURE, hasControlCharacter, isKeyName, type NoteKey } from './note-key.ts'
import { decodeBase64 } from './strict-text.ts'

/** One signature line, not yet verified. */
export interface NoteSignature {
  readonly name: string
  /** Eight lower-case hex digits. */
  readonly keyId: string
  readonly signature: Buffer
}

/** A text with the signatures under it (c2sp.org/signed-note). `text` ends in a newline and is what is signed. */
export interface Note {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A signature that held: by whom and, for a cosignature, when the witness saw it (Unix seconds). */
export interface VerifiedSignature {
  readonly key: NoteKey
  readonly timeSeconds?: number
}

export type NoteVerdict =
  | { readonly kind: 'verified'; readonly text: string; readonly signatures: readonly VerifiedSignature[] }
  | { readonly kind: 'refused'; readonly code: 'malformed_note' | 'bad_signature' | 'no_known_signature' }

// The specification asks for at least 16 to be accepted; a bound keeps a stranger's note from costing much.
const SIGNATURES_MAX = 100
const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/u

/**
 * Prints a note: the text, an empty line, a line for each signature.
 * @throws RangeError if the text cannot be a note's text or there is no signature.
 */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!isNoteText(text))
    throw new RangeError('a note is well-formed text without controls that ends in a newline')
  if (signatures.length === 0) throw new RangeError('a note has at least one signature')
  return `${text}\n${signatures.map(signatureLine).join('')}`
}

/**
 * Parses a note without verifying it; undefined if it is malformed. The text must be ignored until
 * `verifyNote` has seen a known signature. Empty lines in the text are its own: the last one ends it.
 */
export function parseNote(note: string): Note | undefined {
  const boundary = note.lastIndexOf('\n\n')
  if (boundary < 0 || !note.endsWith('\n')) return undefined
  const text = note.slice(0, boundary + 1)
  const lines = note.slice(boundary + 2, -1).split('\n')
  if (!isNoteText(text) || lines.length > SIGNATURES_MAX) return undefined
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignatureLine(line)
    if (signature === undefined) return undefined
    signatures.push(signature)
  }
  return { text, signatures }
}

/**
 * Signs a note's text. `sign` is Ed25519 over the message it is given.
 * A signer that must be awaited takes `signedMessage` and `signatureOf` apart instead.
 * @param timeSeconds Unix seconds, for a witness's cosignature only.
 */
export function signNote(
  text: string,
  key: Pick<NoteKey, 'name' | 'keyId' | 'type'>,
  sign: (message: Buffer) => Uint8Array,
  timeSeconds?: number,
): NoteSignature {
  return signatureOf(key, sign(signedMessage(text, key.type, timeSeconds)), timeSeconds)
}

/**
 * The bytes a key of this type signs: the text, or for a cosignature the text after a header with the time
 * (c2sp.org/tlog-cosignature).
 * @throws RangeError if a cosignature has no time, or a plain signature has one.
 */
export function signedMessage(text: string, type: number, timeSeconds?: number): Buffer {
  if ((type === ED25519_COSIGNATURE) !== (timeSeconds !== undefined)) {
    throw new RangeError('a cosignature, and nothing else, is signed with a time')
  }
  return Buffer.from(timeSeconds === undefined ? text : `cosignature/v1\ntime ${timeSeconds}\n${text}`)
}

/** Puts the 64 bytes an Ed25519 key returned into the form a note carries. */
export function signatureOf(
  key: Pick<NoteKey, 'name' | 'keyId'>,
  ed25519: Uint8Array,
  timeSeconds?: number,
): NoteSignature {
  const time = Buffer.alloc(timeSeconds === undefined ? 0 : 8)
  if (timeSeconds !== undefined) time.writeBigUInt64BE(BigInt(timeSeconds))
  return { name: key.name, keyId: key.keyId, signature: Buffer.concat([time, ed25519]) }
}

/**
 * Opens a note with the keys one trusts. Signatures of unknown keys are ignored, known by name *and* id; one bad
 * signature of a known key refuses the whole note, and so does the absence of any known one.
 */
export function verifyNote(note: string, keys: readonly NoteKey[]): NoteVerdict {
  const parsed = parseNote(note)
  if (parsed === undefined) return { kind: 'refused', code: 'malformed_note' }
  const signatures: VerifiedSignature[] = []
  for (const signature of parsed.signatures) {
    const key = keys.find((known) => known.name === signature.name && known.keyId === signature.keyId)
    if (key === undefined) continue
    const verified = verifySignature(parsed.text, key, signature.signature)
    if (verified === undefined) return { kind: 'refused', code: 'bad_signature' }
    signatures.push(verified)
  }
  if (signatures.length === 0) return { kind: 'refused', code: 'no_known_signature' }
  return { kind: 'verified', text: parsed.text, signatures }
}

function verifySignature(text: string, key: NoteKey, signature: Buffer): VerifiedSignature | undefined {
  if (key.type !== ED25519_COSIGNATURE) {
    return verifyEd25519(null, signedMessage(text, key.type), key.keyObject, signature) ? { key } : undefined
  }
  if (signature.length !== 8 + 64) return undefined
  const timeSeconds = Number(signature.readBigUInt64BE(0))
  if (!Number.isSafeInteger(timeSeconds)) return undefined
  const message = signedMessage(text, key.type, timeSeconds)
  return verifyEd25519(null, message, key.keyObject, signature.subarray(8)) ? { key, timeSeconds } : undefined
}

function signatureLine({ name, keyId, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
  if (name === undefined || encoded === undefined || !isKeyName(name)) return undefined
  const bytes = decodeBase64(encoded)
  if (bytes === undefined || bytes.length < 5) return undefined
  return { name, keyId: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) }
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !hasControlCharacter(text.replaceAll('\n', ''))
}
