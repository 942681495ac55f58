import type { ForgottenSpan } from '../core/spending/forgotten.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

const NOTHING: readonly ForgottenSpan[] = []

/** What restores have forgotten of a user and no operator has lifted. Costs nothing where nothing was restored. */
export async function forgottenOf(
  { settings }: Pick<Broker, 'settings'>,
  tx: Tx,
  userId: string,
): Promise<readonly ForgottenSpan[]> {
  const { forgotten = NOTHING } = settings
  if (forgotten.length === 0) return NOTHING
  const lifted = await tx.restoreLifts.epochs(userId)
  return forgotten.filter((span) => !lifted.includes(span.epoch))
}

/** The spans that follow from the logs that ended: what was permitted after each backup and before its restore. */
export async function forgottenSpans(tx: Tx): Promise<ForgottenSpan[]> {
  const ended = await tx.pastLogs.list()
  return ended.map(({ epoch, endedAtMs, restoredAtMs }) => ({
    epoch,
    fromMs: endedAtMs,
    toMs: restoredAtMs,
  }))
}
