import type { Broker } from '../../src/broker/broker.ts'
import { secretDigest } from '../../src/broker/find-enforcement-point.ts'
import type { EnforcementPointRow } from '../../src/ports/enforcement-store.ts'

/** An enforcement point as an operator's registration leaves it, and its secret. */
export type TestPoint = { point: EnforcementPointRow; secret: string }

let secrets = 0

/** Puts an active enforcement point with a secret in place; it enforces for no skill unless told. */
export async function insertPoint(
  broker: Broker,
  scope: {
    skills?: readonly string[]
    publisherId?: string
    mayListUsers?: boolean
    reportWithinMs?: number
  } = {},
): Promise<TestPoint> {
  secrets += 1
  const secret = `cep_${String(secrets).padStart(43, 'S')}`
  const { nowMs } = broker.store.now()
  const point: EnforcementPointRow = {
    id: broker.newId('enforcementPoint'),
    name: 'Test gateway',
    skills: JSON.stringify(scope.skills ?? []),
    publisherId: scope.publisherId ?? null,
    mayListUsers: scope.mayListUsers ?? false,
    reportWithinMs: scope.reportWithinMs ?? 60_000,
    status: 'active',
    registeredBy: 'lin.wei',
    createdAtMs: nowMs,
    changedAtMs: nowMs,
  }
  await broker.store.transaction(async (tx) => {
    await tx.enforcementPoints.insert(point)
    await tx.enforcementPoints.insertCredential({
      id: broker.newId('enforcementCredential'),
      pointId: point.id,
      digest: secretDigest(secret),
      publicJwk: null,
      createdAtMs: nowMs,
      endsAtMs: null,
    })
  })
  return { point, secret }
}
