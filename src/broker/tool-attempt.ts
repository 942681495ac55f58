import { type Attempt, type AttemptState, nextAttempt } from '../core/execution/next-attempt.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { requestDigestOf } from './action-row.ts'
import type { AskedAction } from './load-facts.ts'

export type DerivedKey = {
  readonly idempotencyKey: string
  /** The attempt's number; one more is what a caller names to really do it again. */
  readonly number: number
}

/**
 * Makes the idempotency key of a call that came without one, from what is asked and the number of final answers given
 * to the same so far. User and agent are not in it: keys are theirs anyway (P4).
 *
 * @param asked with the manifest's defaults filled in, so that leaving one out is no other request.
 */
export async function deriveKey(
  tx: Tx,
  asked: AskedAction,
  about: { readonly isReadOnly: boolean; readonly again: number | null },
): Promise<DerivedKey> {
  const digest = requestDigestOf(asked)
  const newest = await newestAttempt(tx, asked, digest)
  const number = nextAttempt(newest, { ...about, nowMs: tx.nowMs })
  return { idempotencyKey: keyOf(digest, number), number }
}

/** The space keeps derived keys apart from what callers send, which has none. */
function keyOf(digest: string, number: number): string {
  return `tool ${digest} ${number}`
}

/** Numbers leave no gaps, so the newest is found in steps that double, and then halve. */
async function newestAttempt(tx: Tx, asked: AskedAction, digest: string): Promise<Attempt | null> {
  const find = async (number: number) =>
    tx.actions.findByKey(asked.userId, asked.agentId, keyOf(digest, number))
  let row = await find(0)
  if (!row) return null
  let number = 0
  let step = 1
  for (let later = await find(step); later; later = await find(number + step)) {
    row = later
    number += step
    step *= 2
  }
  for (let beyond = number + step; beyond - number > 1; ) {
    const middle = Math.floor((number + beyond) / 2)
    const between = await find(middle)
    if (between) {
      row = between
      number = middle
    } else beyond = middle
  }
  return { number, state: stateOf(row), settledAtMs: row.settledAtMs }
}

function stateOf(row: ActionRow): AttemptState {
  switch (row.status) {
    case 'waiting':
      return 'asked'
    case 'refused':
      return 'refused'
    case 'dispatched':
    case 'in_doubt':
      return 'unsettled'
    case 'overtaken':
      return 'not_sent'
    case 'failed':
      return row.settledBy === 'broker' ? 'not_sent' : 'settled'
    default:
      return 'settled'
  }
}
