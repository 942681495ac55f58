import type { Broker } from '../broker/broker.ts'
import { InvalidRequest } from '../http/problem.ts'
import type { EnforcementPointRow } from '../ports/enforcement-store.ts'

/** The enforcement point that calls. @throws InvalidRequest if it has been revoked since it was recognised. */
export async function findPoint(
  broker: Broker,
  caller: { readonly pointId: string },
): Promise<EnforcementPointRow> {
  const point = await broker.store.read(async (tx) => tx.enforcementPoints.find(caller.pointId))
  if (point?.status !== 'active') throw new InvalidRequest('token_invalid')
  return point
}
