import { z } from 'zod'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { CancelInFlight, CancelReport } from './cancel-in-flight.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnAgent, findOwnGrant } from './own-rows.ts'
import { cancelRecorded, recordRevocation, toCancel } from './record-revocation.ts'
import { revocationParts } from './revocation-leaf.ts'
import { type Revocation, type RevokeScope, revokeInScope } from './revoke-in-scope.ts'

const id = z.string().min(1).max(64)

export const revokeScopeShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('grant'), id }),
  z.strictObject({ kind: z.literal('agent'), id }),
  z.strictObject({ kind: z.literal('skill'), id }),
  z.strictObject({ kind: z.literal('everything') }),
])

export type AuthorityRevoked =
  | {
      kind: 'revoked'
      /** Of its receipt. */
      revocationId: string
      revocation: Revocation
      cancelled: readonly CancelReport[]
    }
  | { kind: 'not_found' }

/**
 * Takes authority back: one grant, one agent's, one skill's, or all of the user's. When it returns, no later
 * decision permits under it (P3), and the answer lists every permit that is not settled. Calls in flight are
 * cancelled after the commit. Revoking again is not refused: it lists what is still out there.
 */
export async function revokeAuthority(
  broker: Broker,
  input: { userId: string; scope: RevokeScope },
  cancelInFlight: CancelInFlight,
): Promise<AuthorityRevoked> {
  const { userId, scope } = input
  const skillId = await broker.store.read((tx) => skillIn(tx, userId, scope))
  if (skillId === undefined) return { kind: 'not_found' }
  const seal = await sealerFor(broker, { userId, skillId })
  const { revocation, revocationId } = await broker.store.transaction(async (tx) => {
    const revoked = await revokeInScope(tx, userId, scope)
    const leaf = seal(
      {
        type: 'grant',
        outcome: 'revoked',
        reason: scope.kind,
        ...revocationParts(userId, scope, revoked),
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    const id = await recordRevocation(broker, tx, seal, userId, scope, revoked, leaf.eventId)
    return { revocation: revoked, revocationId: id }
  }, input)
  broker.notices.wake()
  const ids = toCancel(revocation)
  const cancelled = await cancelRecorded(broker, userId, revocationId, ids, cancelInFlight)
  return { kind: 'revoked', revocationId, revocation, cancelled }
}

/** The skill the scope is about, empty for several; undefined if the scope names nothing of this user's. */
async function skillIn(tx: Tx, userId: string, scope: RevokeScope): Promise<string | undefined> {
  switch (scope.kind) {
    case 'grant':
      return (await findOwnGrant(tx, userId, scope.id))?.skillId
    case 'agent':
      return (await findOwnAgent(tx, userId, scope.id)) ? '' : undefined
    case 'skill':
      return (await tx.skills.find(scope.id))?.id
    case 'everything':
      return ''
  }
}
