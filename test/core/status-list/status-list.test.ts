import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  packStatuses,
  STATUS_BITS,
  STATUS_PLACES,
  statusAt,
  statusOfGrant,
} from '../../../src/core/status-list/status-list.ts'

/** Token Status List, section 4.1: the list of one-bit statuses, and the compressed form of section 4.2. */
const ONE_BIT = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
const ONE_BIT_LST = 'eNrbuRgAAhcBXQ'
/** Section 4.1: statuses of two bits. */
const TWO_BITS = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
const TWO_BITS_LST = 'eNo76fITAAPfAgc'

describe('a status list', () => {
  it('packs the two-bit example of the specification into its bytes', () => {
    const packed = packStatuses(Uint8Array.from(TWO_BITS))
    expect([...packed]).toEqual([0xc9, 0x44, 0xf9])
    expect([...inflateSync(Buffer.from(TWO_BITS_LST, 'base64url'))]).toEqual([0xc9, 0x44, 0xf9])
  })

  it.each([
    [1, ONE_BIT, ONE_BIT_LST],
    [2, TWO_BITS, TWO_BITS_LST],
  ])('reads the example with %i bits', (bits, statuses, lst) => {
    const bytes = inflateSync(Buffer.from(lst, 'base64url'))
    expect(statuses.map((_, idx) => statusAt(bytes, bits, idx))).toEqual(statuses)
    expect(statusAt(bytes, bits, statuses.length)).toBeUndefined()
    expect(statusAt(bytes, bits, -1)).toBeUndefined()
  })

  it('gives back every place of a full list', () => {
    const statuses = Uint8Array.from({ length: STATUS_PLACES }, (_, idx) => (idx * 7919) % 3)
    const packed = inflateSync(deflateSync(packStatuses(statuses)))
    const wrong = [...statuses].findIndex((status, idx) => statusAt(packed, STATUS_BITS, idx) !== status)
    expect(wrong).toBe(-1)
  })

  it.each([
    ['active', 0],
    ['used_up', 0],
    ['paused', 2],
    ['suspended', 2],
    ['revoked', 1],
    ['replaced', 1],
    ['whatever comes later', 1],
  ])('says of a grant that is %s: %i', (status, said) => {
    expect(statusOfGrant(status)).toBe(said)
  })
})
