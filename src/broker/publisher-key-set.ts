import { z } from 'zod'
import { publicJwkShape } from '../core/manifest/public-key.ts'
import type { KeyIntroducer, PublisherKey, PublisherKeySet } from '../core/manifest/publisher-keys.ts'
import type { PublisherKeyRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

const introducer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('key'), kid: z.string() }),
  z.strictObject({ kind: z.literal('operator'), operatorId: z.string() }),
])

/** The registered keys of a publisher, revoked ones included; no keys for an unknown one. */
export async function loadKeySet(tx: Tx, publisherId: string): Promise<PublisherKeySet> {
  const rows = await tx.publishers.keys(publisherId)
  return { publisher: publisherId, keys: rows.map(fromRow) }
}

/** The row of a key that was just added. */
export function toKeyRow(publisherId: string, key: PublisherKey, atMs: number): PublisherKeyRow {
  return {
    publisherId,
    kid: key.kid,
    jwk: JSON.stringify(key.jwk),
    state: key.state,
    addedBy: JSON.stringify(key.addedBy),
    addedAtMs: atMs,
  }
}

function fromRow(row: PublisherKeyRow): PublisherKey {
  const addedBy: KeyIntroducer = introducer.parse(JSON.parse(row.addedBy))
  return {
    kid: row.kid,
    jwk: publicJwkShape.parse(JSON.parse(row.jwk)),
    // Whatever is not plainly living must not sign.
    state: row.state === 'living' ? 'living' : 'revoked',
    addedBy,
  }
}
