import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import type { AskedAction } from './load-facts.ts'
import { promisesOf } from './log-promise.ts'
import { type Reserved, reserveAction } from './reserve-action.ts'
import { deriveKey } from './tool-attempt.ts'

export type GuardedPermit = (
  | Extract<Reserved, { kind: 'invalid' | 'denied' | 'ask' }>
  /** Permitted just now, to whoever asked: nobody else is ever told the same permit. */
  | { kind: 'permitted'; row: ActionRow }
  /** The same was asked several times at once, and others were first. */
  | { kind: 'contended' }
) & { promises: readonly string[] }

/** Several of the same at once take one attempt each, so that each needs its own permit. */
const TRIES_MOST = 4
const BY_GUARD = { by: 'guard', reportWithinMs: null }

/**
 * Decides what a guard asks about before a program on the user's computer acts by itself. A permit is good for one
 * run, at once: it counts, it is logged as permitted with its outcome unknown, and it is never told again. A question
 * that waits goes on when the same is asked again, and its yes is used up by the first permit (P8).
 */
export async function permitGuarded(broker: Broker, asked: AskedAction): Promise<GuardedPermit> {
  for (let tries = 0; tries < TRIES_MOST; tries++) {
    // Whatever was permitted before is over: doing the same again is another action.
    const about = { isReadOnly: true, again: null }
    const { idempotencyKey } = await broker.store.read((tx) => deriveKey(tx, asked, about))
    const decided = await reserveAction(broker, { ...asked, idempotencyKey, enforcement: BY_GUARD })
    switch (decided.kind) {
      case 'reserved':
        // A permit that is told a second time would be two runs.
        if (decided.replayed) continue
        return { kind: 'permitted', row: decided.row, promises: await promisesOf(broker, decided.row) }
      case 'invalid':
        return { ...decided, promises: [] }
      case 'denied':
      case 'ask':
        return { ...decided, promises: await promisesOf(broker, decided.row) }
      default:
    }
  }
  return { kind: 'contended', promises: [] }
}
