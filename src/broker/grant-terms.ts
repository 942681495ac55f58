import { LRUCache } from 'lru-cache'
import type { GrantTerms } from '../core/grant/terms.ts'
import type { CandidateRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

export type StoredTerms = {
  terms: GrantTerms
  /** Action name -> digest of the manifest the user consented to for it. */
  consented: Readonly<Record<string, string>>
}

/** One revision of a grant never changes, so its parsed form may be kept. */
const parsed = new LRUCache<string, StoredTerms>({ max: 50_000 })

/** The terms of a grant that a decision found: read only where they are not at hand. */
export async function loadTerms(tx: Tx, row: CandidateRow, userId: string): Promise<StoredTerms> {
  const known = parsed.get(`${row.id} ${row.revision}`)
  if (known) return known
  const whole = await tx.grants.find(row.id, userId)
  if (!whole) throw new Error('a grant vanished while deciding')
  return termsOf(whole)
}

/** The terms of a grant's row. They were checked when they were written. */
export function termsOf(row: Pick<GrantRow, 'id' | 'revision' | 'terms' | 'consented'>): StoredTerms {
  const key = `${row.id} ${row.revision}`
  let stored = parsed.get(key)
  if (!stored) {
    stored = { terms: JSON.parse(row.terms), consented: JSON.parse(row.consented) }
    parsed.set(key, stored)
  }
  return stored
}
