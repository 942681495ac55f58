import type { Enforcement } from '../core/decision/decision.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { AskedAction } from './load-facts.ts'
import { noteRead, readIn, UNKNOWN_SESSION } from './session-facts.ts'
import { countAsTaken } from './settle-action.ts'

/**
 * The row of a permit that somebody else carries out. Nothing was sent by the broker, so there are no bytes a skill's
 * receipt could speak of; what nobody will ever report is at its end already.
 */
export function handedOver(row: ActionRow, { by, reportWithinMs }: Enforcement): ActionRow {
  const theirs = { ...row, nodeId: by, sentDigest: null }
  return reportWithinMs === null
    ? {
        ...theirs,
        status: 'outcome_unknown',
        reason: 'outcome_unknown',
        settledBy: by,
        settledAtMs: row.decidedAtMs,
      }
    : { ...theirs, nextCheckAtMs: row.decidedAtMs + reportWithinMs }
}

/**
 * What a permit handed over means at once: the agent counts as having read what it is given elsewhere, and what is
 * never reported counts as taken.
 */
export async function afterHandOver(
  tx: Tx,
  { sessionId, userId, agentId }: AskedAction,
  row: ActionRow,
  action: LoadedAction,
): Promise<void> {
  if (sessionId !== UNKNOWN_SESSION) await noteRead(tx, { sessionId, userId, agentId }, readIn(action))
  if (row.status === 'outcome_unknown') await countAsTaken(tx, row)
}
