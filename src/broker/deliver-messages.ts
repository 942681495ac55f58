import type { Locale } from '../core/grant/words.ts'
import type { Carried, Carriers, Delivery } from '../ports/carriers.ts'
import type { MessageKind } from '../ports/messenger.ts'
import type { ChannelRow, OutboxRow } from '../ports/reach-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { BackgroundLoop } from './background-loop.ts'
import type { Broker } from './broker.ts'
import { openUrlOf } from './message-links.ts'
import { destroyTexts, openText } from './seal-text.ts'
import { BATCH_MS, PLATFORM_CHANNEL, subjectsOf } from './tell.ts'

/** How long one node has to send a message before another may think it is gone, in milliseconds. */
const LEASE_MS = 60_000
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 600_000
const ATTEMPTS_MOST = 40
const AT_ONCE = 8
/** What another node left, or a restart, is found after so long, in milliseconds. */
const LOOK_AGAIN_MS = 2_000
const PAUSE_LEAST_MS = 100
const CLEAN_EVERY_MS = 60_000

/**
 * Sends what is due, each message at least once: a message is marked as sent after it was, so a crash between the two
 * sends the same id again.
 *
 * @returns how many were taken up.
 */
export async function deliverDue(broker: Broker, carriers: Carriers): Promise<number> {
  const due = await broker.store.read(async (tx) => tx.outbox.due(tx.nowMs, AT_ONCE))
  await Promise.all(due.map((row) => deliverOne(broker, carriers, row)))
  return due.length
}

/** Delivers until it is stopped: at once when woken, and whatever falls due meanwhile. */
export function startDelivery(broker: Broker, carriers: Carriers): BackgroundLoop {
  let stopped = false
  let cleanedAtMs = 0

  async function turn(): Promise<boolean> {
    const { nowMs } = broker.store.now()
    if (nowMs - cleanedAtMs >= CLEAN_EVERY_MS) {
      cleanedAtMs = nowMs
      await broker.store.transaction(async (tx) => tx.outbox.removeExpired(tx.nowMs))
    }
    return (await deliverDue(broker, carriers)) === AT_ONCE
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const more = await turn().catch((error: unknown) => {
        broker.logger.error('background_work_failed', {
          name: 'deliver_messages',
          error: error instanceof Error ? error.message : 'unknown',
        })
        return false
      })
      if (!more && !stopped) await broker.deliveries.wait(await pauseMs(broker))
    }
  }

  const running = run()
  return {
    async stop() {
      stopped = true
      broker.deliveries.wake()
      await running
    },
  }
}

/** Until the next message falls due, but no longer than another node's may wait, and never in a spin. */
async function pauseMs(broker: Broker): Promise<number> {
  const nextAtMs = await broker.store.read(async (tx) => tx.outbox.nextDueMs()).catch(() => undefined)
  const untilMs = (nextAtMs ?? Number.MAX_SAFE_INTEGER) - broker.store.now().nowMs
  return Math.max(PAUSE_LEAST_MS, Math.min(untilMs, LOOK_AGAIN_MS))
}

async function deliverOne(broker: Broker, carriers: Carriers, seen: OutboxRow): Promise<void> {
  const row = await claim(broker, seen)
  if (!row) return
  const found = await broker.store.read(async (tx) => ({
    channel: row.channelId === PLATFORM_CHANNEL ? null : await tx.channels.find(row.channelId),
    open: await stillOpen(tx, row),
  }))
  const isExpired = row.expiresAtMs <= broker.store.now().nowMs
  if (found.channel === undefined || found.open === null || isExpired || row.attempts > ATTEMPTS_MOST) {
    await broker.store.transaction(async (tx) => tx.outbox.remove(row.id))
    return
  }
  const carried = await carry(
    broker,
    carriers,
    found.channel,
    deliveryOf(broker, row, found.channel, found.open),
  )
  await settle(broker, row, found.channel, carried)
}

/** Takes the message for a while, as it is then: more may have been added to it. */
function claim(broker: Broker, seen: OutboxRow): Promise<OutboxRow | undefined> {
  return broker.store.transaction(async (tx) => {
    const isOurs = await tx.outbox.claim(seen.id, seen.nextAtMs, tx.nowMs + LEASE_MS)
    return isOurs ? await tx.outbox.find(seen.id) : undefined
  })
}

/** What of it still waits for an answer; null when nothing does, and nobody needs to be told. */
async function stillOpen(tx: Tx, row: OutboxRow): Promise<string[] | null> {
  const subjects = subjectsOf(row)
  const open: string[] = []
  for (const id of subjects) {
    if (row.kind === 'approval_waiting') {
      const approval = await tx.approvals.find(id)
      if (approval?.status === 'waiting' && tx.nowMs < approval.expiresAtMs) open.push(id)
    } else if (row.kind === 'consent_waiting') {
      const request = await tx.consentRequests.find(id)
      if (request?.status === 'pending' && tx.nowMs < request.expiresAtMs) open.push(id)
    } else {
      open.push(id)
    }
  }
  return open.length === 0 && subjects.length > 0 ? null : open
}

function deliveryOf(
  { settings }: Broker,
  row: OutboxRow,
  channel: ChannelRow | null,
  subjects: readonly string[],
): Delivery {
  const kind = row.kind as MessageKind
  return {
    messageId: row.id,
    userId: row.userId,
    kind,
    subjects,
    openUrl: `${settings.issuer}${openUrlOf(kind, subjects)}`,
    locale: (channel?.locale ?? 'en') as Locale,
    createdAtMs: row.createdAtMs,
    expiresAtMs: row.expiresAtMs,
  }
}

async function carry(
  broker: Broker,
  carriers: Carriers,
  channel: ChannelRow | null,
  delivery: Delivery,
): Promise<Carried> {
  const carrier =
    channel === null ? carriers.platform : channel.kind === 'push' ? carriers.push : carriers.mail
  // A way out that is no longer configured may be again; until then the message waits, or expires.
  if (!carrier) return { kind: 'later' }
  const address = channel === null ? '' : await openText(broker, channel.address)
  if (address === undefined) return { kind: 'gone' }
  return carrier.carry(address, delivery).catch((error: unknown) => {
    broker.logger.error('delivery_failed', { error: error instanceof Error ? error.name : 'unknown' })
    return { kind: 'later' }
  })
}

async function settle(
  broker: Broker,
  row: OutboxRow,
  channel: ChannelRow | null,
  carried: Carried,
): Promise<void> {
  if (carried.kind === 'gone' && channel) {
    await broker.store.transaction(async (tx) => {
      await tx.channels.remove(channel.userId, channel.id)
      await tx.outbox.removeForChannel(channel.id)
    })
    await destroyTexts(broker, [channel.address])
    broker.logger.info('channel_gone', { kind: channel.kind })
    return
  }
  await broker.store.transaction(async (tx) => {
    if (carried.kind === 'delivered') {
      const isWhole = await tx.outbox.markSent(row.id, row.subjects, tx.nowMs)
      // Something was added while it was on its way: that is told too, a little later.
      if (!isWhole) await tx.outbox.setNext(row.id, tx.nowMs + BATCH_MS)
    } else if (carried.kind === 'later') {
      await tx.outbox.setNext(row.id, Math.max(tx.nowMs + retryAfterMs(row.attempts), carried.afterMs ?? 0))
    } else {
      await tx.outbox.remove(row.id)
    }
    if (channel) await noteHealth(tx, channel.id, carried.kind === 'delivered')
  })
}

/** How often in a row it failed, so that its owner can be shown a channel that no longer reaches them. */
async function noteHealth(tx: Tx, channelId: string, isWell: boolean): Promise<void> {
  const now = await tx.channels.find(channelId)
  if (!now || (isWell && now.failures === 0)) return
  await tx.channels.setFailures(channelId, isWell ? 0 : now.failures + 1)
}

/** @param attempts made so far, 1 or more. */
function retryAfterMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_RETRY_MS)
}
