import { note } from './add-channel.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { destroyTexts, openText } from './seal-text.ts'

export type ChannelView = {
  readonly id: string
  readonly kind: 'push' | 'mail'
  /** The mail address, or the host of the push service. */
  readonly shown: string
  readonly status: 'unverified' | 'active'
  /** Messages in a row that did not get through. */
  readonly failures: number
  readonly createdAtMs: number
}

/** A user's channels, for their eyes. */
export async function listChannels(broker: Broker, { userId }: { userId: string }): Promise<ChannelView[]> {
  const rows = await broker.store.read(async (tx) => tx.channels.list(userId))
  const views: ChannelView[] = []
  for (const { id, kind, status, address, failures, createdAtMs } of rows) {
    const text = await openText(broker, address)
    if (text === undefined) continue
    const isMail = kind === 'mail'
    views.push({
      id,
      kind: isMail ? 'mail' : 'push',
      shown: isMail ? text : new URL((JSON.parse(text) as { endpoint: string }).endpoint).host,
      status: status === 'active' ? 'active' : 'unverified',
      failures,
      createdAtMs,
    })
  }
  return views
}

/** Forgets a channel and its address; the user's other channels are told. */
export async function removeChannel(
  broker: Broker,
  { userId, channelId }: { userId: string; channelId: string },
): Promise<{ kind: 'removed' | 'not_found' }> {
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const removed = await broker.store.transaction(
    async (tx) => {
      const row = await tx.channels.find(channelId)
      if (!row || !(await tx.channels.remove(userId, channelId))) return undefined
      await tx.outbox.removeForChannel(channelId)
      if (row.status === 'active') await note(broker, tx, seal, row, 'removed')
      return row
    },
    { userId },
  )
  if (!removed) return { kind: 'not_found' }
  await destroyTexts(broker, [removed.address])
  broker.deliveries.wake()
  return { kind: 'removed' }
}
