import type { Broker } from '../broker/broker.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'

/** What a broker needs to be of use; each says whether it stands. */
export type Readiness = {
  readonly store: boolean
  readonly register: boolean
  /** Whether the log is near enough to what was committed, and this process known to be alive. */
  readonly log: boolean
  readonly clock: boolean
}

/** Looks at everything a decision depends on. The clock alone stops spending, not the broker. */
export async function checkReadiness(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'isHealthy'>,
): Promise<Readiness> {
  return {
    store: await answers(() => broker.store.read(async (tx) => tx.log.newestCheckpoint())),
    register: publisher.isHealthy(),
    log: broker.admission.refusal() === undefined,
    clock: broker.store.now().clockTrusted,
  }
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch {
    return false
  }
}
