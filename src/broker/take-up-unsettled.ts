import type { LeaseState } from '../core/nodes/lease.ts'
import type { Broker } from './broker.ts'
import { isHandedOver } from './handed-over.ts'
import { HEARTBEAT } from './leases.ts'
import { settleAction } from './settle-action.ts'

/** A node that was silent for so long and left nothing behind is forgotten. */
const FORGOTTEN_AFTER_MS = 86_400_000

/**
 * At the start of a process that has its database to itself: whatever was permitted and not settled when the one before
 * ended is in doubt, sent or not, and is asked about at once. Returns how many there were.
 */
export async function takeUpUnsettled(broker: Broker): Promise<number> {
  const unsettled = await broker.store.read(async (tx) => tx.actions.unsettled(null))
  const dispatched = unsettled.filter(
    (row) => row.status === 'dispatched' && !isHandedOver(row) && !broker.inFlight.has(row.id),
  )
  for (const row of dispatched) await takeUp(broker, row)
  await forgetNodes(broker, (lease) => lease.name !== `${HEARTBEAT}${broker.nodeId}`)
  return dispatched.length
}

/**
 * Where several processes share a database: puts in doubt what nodes had dispatched whose heartbeat has ended. One that
 * is alive after all finds its execution taken up: what it has not sent yet it does not send, and what the skill
 * answers it still settles. Returns how many there were.
 */
export async function takeUpFromSilentNodes(broker: Broker): Promise<number> {
  const silent = await broker.store.read(async (tx) => {
    const nodes = await tx.leases.list(HEARTBEAT)
    return nodes.filter(({ expiresAtMs }) => expiresAtMs <= tx.nowMs).map(({ name }) => name)
  })
  let taken = 0
  for (const name of silent) {
    const nodeId = name.slice(HEARTBEAT.length)
    const left = await broker.store.read(async (tx) => tx.actions.dispatchedBy(nodeId))
    for (const row of left) await takeUp(broker, row)
    if (left.length > 0) broker.logger.warn('taken_up_from_silent_node', { nodeId, count: left.length })
    taken += left.length
  }
  if (taken === 0 && silent.length > 0) {
    // A heartbeat is kept a while longer: a node that was only paused must find it ended, not missing.
    await forgetNodes(broker, (lease, nowMs) => lease.expiresAtMs < nowMs - FORGOTTEN_AFTER_MS)
  }
  return taken
}

async function forgetNodes(
  broker: Broker,
  isGone: (lease: LeaseState, nowMs: number) => boolean,
): Promise<void> {
  const gone = await broker.store.read(async (tx) => {
    const nodes = await tx.leases.list(HEARTBEAT)
    return nodes.filter((lease) => isGone(lease, tx.nowMs)).map(({ name }) => name)
  })
  if (gone.length === 0) return
  await broker.store.transaction(async (tx) => {
    for (const name of gone.sort()) await tx.leases.remove(name)
  })
}

/**
 * While running: what could not be settled because the store failed is in doubt as after a restart. Without this its
 * key would be answered with "in flight" and its money held until there is one. What fails again is tried again.
 */
export async function takeUpLost(broker: Broker): Promise<void> {
  const lost = broker.inFlight.takeLost()
  await Promise.allSettled(lost.map((id) => broker.inFlight.track(id, putInDoubt(broker, id))))
}

async function putInDoubt(broker: Broker, actionId: string): Promise<void> {
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (row?.status !== 'dispatched') return
  const { nowMs } = broker.store.now()
  await settleAction(broker, row, null, { kind: 'in_doubt', reason: 'broker_failed', nextCheckAtMs: nowMs })
}

async function takeUp(broker: Broker, row: { id: string; userId: string; skillId: string }): Promise<void> {
  const { nowMs } = broker.store.now()
  await settleAction(broker, row, null, { kind: 'in_doubt', reason: 'restarted', nextCheckAtMs: nowMs })
}
