import { createCipheriv, createHmac, createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { commitmentOf, openPart, partSecrets, sealPart } from '../../../src/core/log/part.ts'

const CELL_KEY = createSecretKey(Buffer.alloc(32, 0x22))
const EVENT_ID = '0192f0c8-0000-7000-8000-000000000002'
const BYTES = Buffer.from('{"amount":300}')

describe('a sealed part', () => {
  it.each([0, 1, 15, 16, 17, 64, 4096, 70_000])('opens to the %i bytes that were sealed', (length) => {
    const bytes = Buffer.alloc(length, 'x')
    const part = sealPart(CELL_KEY, EVENT_ID, 'body', bytes)
    expect(part.sealed).toHaveLength(length + 16)
    expect(openPart(CELL_KEY, EVENT_ID, 'body', part)).toEqual(bytes)
  })

  it('does not open with another key, for another event or under another name', () => {
    const part = sealPart(CELL_KEY, EVENT_ID, 'subj', BYTES)
    expect(openPart(createSecretKey(Buffer.alloc(32, 0x23)), EVENT_ID, 'subj', part)).toBeUndefined()
    expect(openPart(CELL_KEY, EVENT_ID.replace('2', '3'), 'subj', part)).toBeUndefined()
    expect(openPart(CELL_KEY, EVENT_ID, 'core', part)).toBeUndefined()
  })

  it('does not open when any bit of it or of its commitment was changed', () => {
    const part = sealPart(CELL_KEY, EVENT_ID, 'subj', BYTES)
    for (const field of ['sealed', 'commitment'] as const) {
      for (let at = 0; at < part[field].length; at += 1) {
        const changed = Buffer.from(part[field])
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(
          openPart(CELL_KEY, EVENT_ID, 'subj', { ...part, [field]: changed }),
          `${field} ${at}`,
        ).toBeUndefined()
      }
    }
  })

  it('does not open when it was sealed, with the right key, beside a commitment to other bytes', () => {
    const { commitment } = sealPart(CELL_KEY, EVENT_ID, 'subj', Buffer.from('{"amount":301}'))
    const { dataKey } = partSecrets(CELL_KEY, EVENT_ID, 'subj')
    const cipher = createCipheriv('aes-256-gcm', dataKey, Buffer.alloc(12))
    cipher.setAAD(Buffer.concat([Buffer.from(EVENT_ID), Buffer.from('subj'), commitment].map(prefixed)))
    const sealed = Buffer.concat([cipher.update(BYTES), cipher.final(), cipher.getAuthTag()])
    expect(openPart(CELL_KEY, EVENT_ID, 'subj', { commitment, sealed })).toBeUndefined()
  })

  it('does not open when it was cut or its commitment is no hash', () => {
    const part = sealPart(CELL_KEY, EVENT_ID, 'subj', BYTES)
    for (const length of [0, 1, 15, 16, part.sealed.length - 1]) {
      const sealed = part.sealed.subarray(0, length)
      expect(openPart(CELL_KEY, EVENT_ID, 'subj', { ...part, sealed })).toBeUndefined()
    }
    const commitment = part.commitment.subarray(1)
    expect(openPart(CELL_KEY, EVENT_ID, 'subj', { ...part, commitment })).toBeUndefined()
  })

  it('takes event ids and names as UTF-8, told apart by their lengths', () => {
    const joined = sealPart(CELL_KEY, 'ab', 'c', BYTES)
    const split = sealPart(CELL_KEY, 'a', 'bc', BYTES)
    expect(joined.commitment).not.toEqual(split.commitment)
    const chinese = sealPart(CELL_KEY, '事件', '正文', BYTES)
    expect(openPart(CELL_KEY, '事件', '正文', chinese)).toEqual(BYTES)
  })
})

describe('a commitment', () => {
  it('is HMAC-SHA256 as Node computes it, at every length around the hash block', () => {
    const { salt } = partSecrets(CELL_KEY, EVENT_ID, 'core')
    for (let length = 0; length < 200; length += 1) {
      const bytes = Buffer.alloc(length, 7)
      const message = ['countersign/v1/commit', EVENT_ID, 'core'].map((text) => prefixed(Buffer.from(text)))
      const expected = createHmac('sha256', salt)
        .update(Buffer.concat([...message, prefixed(bytes)]))
        .digest()
      expect(commitmentOf(salt, EVENT_ID, 'core', bytes)).toEqual(expected)
    }
  })

  it('is checked by anyone who is shown the bytes and the salt', () => {
    const { commitment } = sealPart(CELL_KEY, EVENT_ID, 'core', BYTES)
    const { salt } = partSecrets(CELL_KEY, EVENT_ID, 'core')
    expect(commitmentOf(salt, EVENT_ID, 'core', BYTES)).toEqual(commitment)
    expect(commitmentOf(salt, EVENT_ID, 'core', Buffer.from('{"amount":301}'))).not.toEqual(commitment)
  })

  it('of equal bytes differs from event to event, so two leaves cannot be linked', () => {
    const one = sealPart(CELL_KEY, EVENT_ID, 'subj', BYTES)
    const two = sealPart(CELL_KEY, EVENT_ID.replace('2', '3'), 'subj', BYTES)
    expect(one.commitment).not.toEqual(two.commitment)
    expect(one.sealed).not.toEqual(two.sealed)
  })
})

function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
