import type { BackgroundLoop } from './broker/background-loop.ts'
import type { Broker } from './broker/broker.ts'
import { cancelInFlight } from './broker/cancel-in-flight.ts'
import { sweepEvents } from './broker/deliver-events.ts'
import { openUnusedSweep } from './broker/expire-unused-grants.ts'
import { turnEpoch } from './broker/key-epoch.ts'
import { resumeCancels } from './broker/record-revocation.ts'
import { resolveDue } from './broker/resolve-in-doubt.ts'
import { expireParts } from './broker/retention.ts'
import { runErasures } from './broker/run-erasures.ts'
import { MEMORY_SWEEP_PAUSE_MS, sweepExpiredMemory } from './broker/sweep-expired-memory.ts'
import { openDutySweep } from './broker/sweep-skill-duties.ts'
import { runUndoJobs } from './broker/undo-job.ts'
import { sweepOauth } from './oauth/sweep.ts'
import type { RunningNode } from './start-node.ts'

type Work = (leased: Broker) => () => Promise<unknown>

/** What one node does for all, and how long it rests between two turns, in milliseconds. */
const SWEEPS: readonly (readonly [name: string, pauseMs: number, work: Work])[] = [
  ['resolve_in_doubt', 1_000, (leased) => () => resolveDue(leased)],
  ['expire_unused_grants', 5_000, openUnusedSweep],
  ['run_erasures', 5_000, (leased) => () => runErasures(leased, (ids) => cancelInFlight(leased, ids))],
  ['sweep_expired_memory', MEMORY_SWEEP_PAUSE_MS, (leased) => () => sweepExpiredMemory(leased)],
  ['expire_parts', 60_000, (leased) => () => expireParts(leased)],
  // The first look comes so soon after a start too: what is overdue is done then.
  ['turn_key_epoch', 10_000, (leased) => () => turnEpoch(leased)],
  ['queue_expired_notices', 10_000, openDutySweep],
  ['follow_revocations', 15_000, (leased) => () => followRevocations(leased)],
  ['run_undo_jobs', 1_000, (leased) => () => runUndoJobs(leased)],
  ['sweep_oauth', 30_000, (leased) => () => sweepOauth(leased)],
]

/** Starts what is done again and again by whichever node holds the sweeper's lease. */
export function startSweeps(node: Pick<RunningNode, 'loop'>): BackgroundLoop[] {
  return SWEEPS.map(([name, pauseMs, work]) => node.loop('sweeper', name, pauseMs, work))
}

async function followRevocations(leased: Broker): Promise<void> {
  await resumeCancels(leased, (ids) => cancelInFlight(leased, ids))
  await sweepEvents(leased)
}
