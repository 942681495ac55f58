import type { Message, Messenger } from '../ports/messenger.ts'
import type { OutboxRow } from '../ports/reach-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

/** The channel of the platform's own app, which is configured and belongs to no user. */
export const PLATFORM_CHANNEL = 'platform'

/** Questions of one agent at one skill that come within this time of a message are told in one more, in milliseconds. */
export const BATCH_MS = 60_000
const SUBJECTS_MOST = 20
const KEEP_MS = 3 * 86_400_000

export type Telling = Message & {
  /** After this nobody needs to know any more. Unix milliseconds. */
  readonly expiresAtMs?: number
  /** Messages of one batch are told together. */
  readonly batch?: string
}

/**
 * Keeps a message for every channel of a user, in the transaction that makes it true. Whoever calls it wakes
 * `broker.deliveries` once that transaction is durable.
 */
export async function tellInTx(
  broker: Pick<Broker, 'newId' | 'settings'>,
  tx: Tx,
  userId: string,
  telling: Telling,
): Promise<void> {
  const channels = await tx.channels.list(userId)
  const ids = channels.filter(({ status }) => status === 'active').map(({ id }) => id)
  if (broker.settings.platformWebhook) ids.push(PLATFORM_CHANNEL)
  for (const channelId of ids) await keep(broker, tx, userId, channelId, telling)
}

/** Tells on its own, outside any other transaction. */
export function createMessenger(
  broker: Pick<Broker, 'newId' | 'settings' | 'store' | 'deliveries'>,
): Messenger {
  return {
    async tell(userId, message) {
      await broker.store.transaction((tx) => tellInTx(broker, tx, userId, message))
      broker.deliveries.wake()
    },
  }
}

async function keep(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  userId: string,
  channelId: string,
  { kind, id, batch = '', expiresAtMs = tx.nowMs + KEEP_MS }: Telling,
): Promise<void> {
  const before = batch === '' ? undefined : await tx.outbox.newestOf(userId, channelId, batch)
  if (before && before.sentAtMs === null && tx.nowMs < before.expiresAtMs) {
    await tx.outbox.setSubjects(
      before.id,
      JSON.stringify(withSubject(before, id)),
      Math.max(before.expiresAtMs, expiresAtMs),
    )
    return
  }
  await tx.outbox.insert({
    id: broker.newId('message'),
    userId,
    channelId,
    kind,
    subjects: JSON.stringify(id === undefined ? [] : [id]),
    batch,
    attempts: 0,
    nextAtMs: Math.max(tx.nowMs, (before?.sentAtMs ?? -BATCH_MS) + BATCH_MS),
    expiresAtMs,
    createdAtMs: tx.nowMs,
    sentAtMs: null,
  })
}

export function subjectsOf(row: OutboxRow): string[] {
  return JSON.parse(row.subjects) as string[]
}

/** The newest stay: what was asked longest ago expires first. */
function withSubject(row: OutboxRow, id: string | undefined): string[] {
  const subjects = subjectsOf(row)
  return (id === undefined ? subjects : [...subjects, id]).slice(-SUBJECTS_MOST)
}
