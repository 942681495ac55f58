import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { commitmentOf, openPart, partSecrets, sealPart } from '../../../src/core/log/part.ts'

const VECTOR = z
  .object({
    cellKeyHex: z.string(),
    eventId: z.string(),
    part: z.string(),
    bytes: z.string(),
    saltHex: z.string(),
    dataKeyHex: z.string(),
    commitment: z.string(),
    sealedBase64url: z.string(),
  })
  .parse(JSON.parse(readFileSync(new URL('part-vector.json', import.meta.url), 'utf8')))

const CELL_KEY = createSecretKey(Buffer.from(VECTOR.cellKeyHex, 'hex'))
const BYTES = Buffer.from(VECTOR.bytes)

describe('the worked vector of a sealed part', () => {
  it('derives the listed salt and data key', () => {
    const { salt, dataKey } = partSecrets(CELL_KEY, VECTOR.eventId, VECTOR.part)
    expect(salt.toString('hex')).toBe(VECTOR.saltHex)
    expect(dataKey.toString('hex')).toBe(VECTOR.dataKeyHex)
  })

  it('commits and seals to the listed bytes', () => {
    const { commitment, sealed } = sealPart(CELL_KEY, VECTOR.eventId, VECTOR.part, BYTES)
    expect(commitment.toString('base64url')).toBe(VECTOR.commitment)
    expect(sealed.toString('base64url')).toBe(VECTOR.sealedBase64url)
    const salt = Buffer.from(VECTOR.saltHex, 'hex')
    expect(commitmentOf(salt, VECTOR.eventId, VECTOR.part, BYTES)).toEqual(commitment)
  })

  it('opens to the listed text', () => {
    const commitment = Buffer.from(VECTOR.commitment, 'base64url')
    const sealed = Buffer.from(VECTOR.sealedBase64url, 'base64url')
    expect(openPart(CELL_KEY, VECTOR.eventId, VECTOR.part, { commitment, sealed })).toEqual(BYTES)
  })
})
