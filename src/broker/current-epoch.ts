import { epochOrigin } from '../core/log/epoch-leaf.ts'
import type { Store } from '../ports/store.ts'
import type { Broker, Settings } from './broker.ts'
import { forgottenSpans } from './forgotten-of.ts'

/** An epoch may be passed over, if a log of its number was begun from the same backup before. */
export const EPOCH_MARK = 'log_epoch'

/** 1 until the store was restored for the first time. */
export async function currentEpoch({ store }: { store: Pick<Store, 'read'> }): Promise<number> {
  const mark = await store.read(async (tx) => tx.deploymentMarks.find(EPOCH_MARK))
  return mark === undefined ? 1 : Number(mark)
}

/**
 * The settings as they hold in the store's current epoch: the log has that epoch's name, and what restores have
 * forgotten is known. Read once at start: a store is restored while nobody serves it.
 */
export async function settingsInEpoch(broker: Pick<Broker, 'store' | 'settings'>): Promise<Settings> {
  const epoch = await currentEpoch(broker)
  const { settings } = broker
  return {
    ...settings,
    logOrigin: epochOrigin(settings.logOrigin, epoch),
    forgotten: await broker.store.read(forgottenSpans),
  }
}
