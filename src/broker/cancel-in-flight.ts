import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { callCleanUp } from './call-clean-up.ts'

/** What was tried to end an execution, and what the skill said. */
export type CancelReport = {
  readonly actionId: string
  /** 'cancelled' is the skill's word that it took the call; what became of the money is settled as ever. */
  readonly outcome: 'cancelled' | 'refused' | 'unclear' | 'not_available' | 'frozen'
}

/** Cancels what is in flight where the skill allows it. Reports on each; never rejects for one of them. */
export type CancelInFlight = (actionIds: readonly string[]) => Promise<readonly CancelReport[]>

/** After a revocation: cancels what is not settled, and what would make a skill act again later. */
export async function cancelWhatRuns(
  revocation: {
    readonly unsettled: readonly { readonly actionId: string }[]
    readonly commitments: readonly { readonly actionId: string }[]
  },
  cancel: CancelInFlight,
): Promise<readonly CancelReport[]> {
  const ids = [...revocation.unsettled, ...revocation.commitments].map((entry) => entry.actionId)
  return ids.length === 0 ? [] : cancel([...new Set(ids)])
}

/** Cancels executions that are not settled, where the skill allows it; after a revoke or a freeze. */
export async function cancelInFlight(broker: Broker, actionIds: readonly string[]): Promise<CancelReport[]> {
  // First what needs no call of its own: MCP has a word for it.
  for (const actionId of actionIds) broker.inFlight.stop(actionId)
  return Promise.all(
    actionIds.map(async (actionId) => {
      const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
      return { actionId, outcome: row ? await cancelOne(broker, row) : 'not_available' }
    }),
  )
}

async function cancelOne(broker: Broker, row: ActionRow): Promise<CancelReport['outcome']> {
  try {
    return await cancelAt(broker, row)
  } catch (error) {
    broker.logger.error('cancel_failed', { error })
    return 'unclear'
  }
}

async function cancelAt(broker: Broker, row: ActionRow): Promise<CancelReport['outcome']> {
  const stop = await callCleanUp(broker, row, 'stop')
  const answer = stop.kind === 'not_available' ? await callCleanUp(broker, row, 'cancel') : stop
  if (answer.kind !== 'called') return answer.kind
  switch (answer.outcome.kind) {
    case 'succeeded':
      await broker.store.transaction(
        async (tx) => tx.commitments.setStatus(row.id, 'cancelled', row.userId),
        {
          userId: row.userId,
        },
      )
      return 'cancelled'
    case 'refused':
      return 'refused'
    default:
      return 'unclear'
  }
}
