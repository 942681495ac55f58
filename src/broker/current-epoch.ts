import { epochOrigin } from '../core/log/epoch-leaf.ts'
import type { Broker, Settings } from './broker.ts'
import { forgottenSpans } from './forgotten-of.ts'

/** 1 until the store was restored for the first time. */
export async function currentEpoch({ store }: Pick<Broker, 'store'>): Promise<number> {
  const ended = await store.read(async (tx) => tx.pastLogs.list())
  return (ended.at(-1)?.epoch ?? 0) + 1
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
