import {
  REVOCATION_RECEIPT_TYP,
  type RevocationReceipt,
  revocationClaims,
} from '../core/revocation/revocation-receipt.ts'
import type { Broker } from './broker.ts'
import { placedLeaf, proveLeaf } from './prove-leaf.ts'
import type { CheckpointPublisher } from './publish-checkpoint.ts'
import { type RevocationView, revocationIn } from './show-revocation.ts'

export type RevocationReceiptOutcome =
  | { readonly kind: 'not_found' }
  /** No published checkpoint covers it yet: ask again in a second. */
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'receipt'; readonly receipt: RevocationReceipt }

/**
 * Signs what is on record about one revocation, as it stands now, with the proof that it is in the published log. Asked
 * again later, it says who has confirmed since, and what became of what was under way.
 */
export async function revocationReceiptFor(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  input: { readonly userId: string; readonly revocationId: string },
): Promise<RevocationReceiptOutcome> {
  const checkpoint = publisher.newest()
  const found = await broker.store.read(async (tx) => {
    const row = await tx.revocations.find(input.revocationId, input.userId)
    if (!row) return { kind: 'not_found' } as const
    const leaf = await placedLeaf(tx, row.eventId)
    if (!leaf) throw new Error('a revocation without its leaf')
    const index = leaf.epoch === null ? leaf.leafIndex : 0
    if (!checkpoint || index >= checkpoint.treeSize) return { kind: 'not_yet' } as const
    const outcomes = new Map<string, string>()
    const view = await revocationIn(broker, tx, row)
    for (const { actionId } of view.actions) {
      const hash = (await tx.actions.find(actionId, row.userId))?.settleLeafHash
      if (hash) outcomes.set(actionId, hash.toString('base64url'))
    }
    const proven = await proveLeaf(tx, leaf, checkpoint.treeSize)
    return { kind: 'evidence', view, proven, outcomes, lfh: leaf.leafHash.toString('base64url') } as const
  })
  if (found.kind !== 'evidence' || !checkpoint) return found.kind === 'evidence' ? { kind: 'not_yet' } : found
  const claims = claimsOf(broker, found.view, found.lfh, found.outcomes)
  const receipt = await broker.signer.sign('receipt', { typ: REVOCATION_RECEIPT_TYP }, claims)
  return { kind: 'receipt', receipt: { receipt, leaf: found.proven, checkpoint: checkpoint.note } }
}

function claimsOf(
  { settings, store }: Broker,
  view: RevocationView,
  lfh: string,
  outcomes: ReadonlyMap<string, string>,
) {
  return revocationClaims.parse({
    iss: settings.issuer,
    iat: Math.floor(store.now().nowMs / 1000),
    org: settings.logOrigin,
    rvk: view.revocationId,
    scp: view.scope.kind,
    at: Math.floor(view.atMs / 1000),
    lfh,
    grt: view.grants.map(({ grantId, status }) => ({
      id: grantId,
      status: status && { uri: status.uri, idx: status.idx },
    })),
    tld: view.told.map(({ kind, id, state, atMs }) => ({
      kind,
      id,
      state,
      ...(atMs === null ? {} : { at: Math.floor(atMs / 1000) }),
    })),
    act: view.actions.map(({ actionId, skill, became }) => {
      const out = outcomes.get(actionId)
      return { exe: actionId, skl: skill, became, ...(out === undefined ? {} : { out }) }
    }),
  })
}
