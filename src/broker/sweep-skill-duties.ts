import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { queueExpiredNotice } from './queue-skill-notice.ts'

const AT_ONCE = 100
/** How long a notice that was answered is still shown to its person, in milliseconds. */
const KEEP_ANSWERED_MS = 400 * 86_400_000
const CLEAN_EVERY_MS = 3_600_000

/**
 * Makes the work of one turn of a loop: queues notices about what skills were to keep until now at the latest, and
 * forgets those that were answered long ago. Every turn begins with what is due, so nothing is lost by a crash.
 */
export function openDutySweep(broker: Broker): () => Promise<number> {
  let cleanedAtMs = Number.NEGATIVE_INFINITY
  return async () => {
    const { nowMs } = broker.store.now()
    if (nowMs - cleanedAtMs >= CLEAN_EVERY_MS) {
      cleanedAtMs = nowMs
      await broker.store.transaction(async (tx) =>
        tx.skillNotices.removeAnswered(tx.nowMs - KEEP_ANSWERED_MS),
      )
    }
    return sweepSkillDuties(broker)
  }
}

/** Queues a notice for each user and skill with something whose time has passed. @returns for how many. */
export async function sweepSkillDuties(broker: Broker): Promise<number> {
  const due = await broker.store.read(async (tx) => tx.skillDuties.due(tx.nowMs, AT_ONCE))
  for (const about of due) {
    const seal = await sealerFor(broker, about)
    await broker.store.transaction((tx) => queueExpiredNotice(broker, tx, seal, about), about)
  }
  if (due.length > 0) broker.notices.wake()
  return due.length
}
