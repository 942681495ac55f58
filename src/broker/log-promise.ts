import type { ActionRow } from '../ports/rows.ts'
import type { Signer } from '../ports/signer.ts'
import type { Broker } from './broker.ts'
import { mintPromise } from './mint-action-token.ts'

/** A durable leaf, in the tree or still on its way there. */
export type PromisedLeaf = { readonly eventId: string; readonly leafHash: Buffer; readonly atMs: number }

/** A signature costs as much as a small decision: the skill and the agent are given the same one. */
const REMEMBERED_MOST = 1_000
const remembered = new WeakMap<Signer, Map<string, Promise<string>>>()

/**
 * Signs that the log will include a leaf within the time it promises, counted from the leaf's own time: asked for again,
 * however late, the same leaf gets the same promise.
 */
export function promiseOf(
  broker: Pick<Broker, 'signer' | 'settings'>,
  { eventId, leafHash, atMs }: PromisedLeaf,
): Promise<string> {
  const { issuer, logOrigin, mergeWithinMs } = broker.settings
  const { signer } = broker
  const known = remembered.get(signer) ?? new Map<string, Promise<string>>()
  remembered.set(signer, known)
  const key = `${signer.currentKey('promise').kid} ${eventId} ${atMs}`
  const before = known.get(key)
  if (before) return before
  const minted = mintPromise(signer, {
    issuer,
    logOrigin,
    eventId,
    leafHash,
    mergeByMs: atMs + mergeWithinMs,
  })
  known.set(key, minted)
  minted.catch(() => known.delete(key))
  for (const oldest of known.keys()) {
    if (known.size <= REMEMBERED_MOST) break
    known.delete(oldest)
  }
  return minted
}

/**
 * The promises that go with an answer about an action: for the leaf of its decision and, once it is settled, for that of
 * its outcome. None for what was only counted.
 */
export async function promisesOf(broker: Broker, row: ActionRow): Promise<string[]> {
  const leaves: PromisedLeaf[] = []
  if (row.eventId !== null && row.leafHash !== null)
    leaves.push({ eventId: row.eventId, leafHash: row.leafHash, atMs: row.decidedAtMs })
  if (row.settleEventId !== null && row.settleLeafHash !== null)
    leaves.push({
      eventId: row.settleEventId,
      leafHash: row.settleLeafHash,
      atMs: row.settledAtMs ?? row.decidedAtMs,
    })
  return Promise.all(leaves.map((leaf) => promiseOf(broker, leaf)))
}
