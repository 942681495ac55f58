import { z } from 'zod'

/** Token Status List: the status of many grants in one signed list that says nothing of whose they are. */
export const STATUS_LIST_TYP = 'statuslist+jwt'
export const STATUS_LIST_MEDIA_TYPE = 'application/statuslist+jwt'

/** Status types of the specification, section 7.1. */
export const STATUS = { valid: 0, invalid: 1, suspended: 2 } as const

/** Bits of one status; two hold the three above. */
export const STATUS_BITS = 2
/** Places in one list. At most some 13,000 are given, so that a free one is found at random. */
export const STATUS_PLACES = 32_768

/** How long a holder may go on with a list before it looks again, in seconds. */
export const STATUS_TTL_SECONDS = 30
/** After this a list says nothing any more, in seconds. */
export const STATUS_EXPIRES_SECONDS = 600

/**
 * What a list says of a grant. One that was used up is valid: the action that used it up stands, and a list that called it
 * invalid would make its skill refuse that very action. Anything unknown is invalid.
 */
export function statusOfGrant(status: string): number {
  switch (status) {
    case 'active':
    case 'used_up':
      return STATUS.valid
    case 'paused':
    case 'suspended':
      return STATUS.suspended
    default:
      return STATUS.invalid
  }
}

/** Packs statuses of two bits into bytes, the first in the lowest bits (section 4.1). */
export function packStatuses(statuses: Uint8Array): Uint8Array {
  const packed = new Uint8Array((statuses.length * STATUS_BITS) / 8)
  for (let idx = 0; idx < statuses.length; idx++) {
    const at = (idx * STATUS_BITS) >> 3
    packed[at] = (packed[at] ?? 0) | ((statuses[idx] ?? 0) << ((idx * STATUS_BITS) & 7))
  }
  return packed
}

/** The status at a place of a list that has been inflated; undefined beyond its end. */
export function statusAt(packed: Uint8Array, bits: number, idx: number): number | undefined {
  const byte = packed[Math.floor((idx * bits) / 8)]
  if (byte === undefined || idx < 0) return undefined
  return (byte >> ((idx * bits) % 8)) & ((1 << bits) - 1)
}

/** Claims of a status list token (section 5.1). */
export const statusListClaims = z.object({
  sub: z.string().min(1).max(400),
  iat: z.int().min(0),
  exp: z.int().min(0).optional(),
  ttl: z.int().min(1).optional(),
  status_list: z.object({
    bits: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]),
    /** Base64url of the zlib stream. */
    lst: z.string().regex(/^[A-Za-z0-9_-]*$/),
    aggregation_uri: z.string().max(400).optional(),
  }),
})
