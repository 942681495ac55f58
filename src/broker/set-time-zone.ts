import { z } from 'zod'
import { isTimeZone } from '../core/spending/time-zone.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { userZone } from './user-zone.ts'

export const setTimeZoneShape = z.strictObject({
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, { message: 'must be an IANA time zone such as Asia/Shanghai' }),
})

/**
 * Sets the zone in which the user's days, weeks and months begin. Windows that have begun go on to their end in
 * both zones: moving starts no new one.
 */
export async function setTimeZone(
  broker: Broker,
  input: { userId: string; timeZone: string },
): Promise<{ kind: 'set'; timeZone: string }> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const before = await userZone(tx, input.userId)
    await tx.users.save({ id: input.userId, timeZone: input.timeZone, createdAtMs: tx.nowMs })
    const leaf = seal(
      {
        type: 'budget',
        outcome: 'time_zone_set',
        reason: 'by_user',
        subj: { user: input.userId },
        body: { timeZone: input.timeZone, before },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'set', timeZone: input.timeZone }
  }, input)
}

/** The user's time zone; UTC until one is set. */
export function showTimeZone(broker: Broker, input: { userId: string }): Promise<{ timeZone: string }> {
  return broker.store.read(async (tx) => ({ timeZone: await userZone(tx, input.userId) }))
}
