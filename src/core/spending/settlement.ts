import type { Amount } from './budget.ts'
import { type Counter, counts, inWindow, type Leg } from './counter.ts'

/** What becomes of a reservation, once. */
export type Settlement =
  | { readonly kind: 'capture'; readonly capturedMinor: number }
  | { readonly kind: 'release' }

/** Why a result that took money needs a person: the skill's spending for this user stops until it is settled. */
export type CaptureIncident = 'not_an_integer' | 'negative' | 'other_currency' | 'above_reservation'

export interface Captured {
  /** Never above the reservation. */
  readonly capturedMinor: number
  /** Taken beyond the reservation, in its currency; nothing can be said in it of another currency. */
  readonly overrunMinor: number
  readonly incident: CaptureIncident | null
}

/**
 * What a result's amount captures of a reservation. No amount captures all of it; an amount that is above it, in
 * another currency, negative or not an integer does too, and is an incident. Faults are listed by precedence.
 *
 * @param reported what the skill says it took; null if it names no amount, 'invalid' if what it names is none.
 */
export function captureOf(reserved: Amount, reported: Amount | 'invalid' | null): Captured {
  const whole = { capturedMinor: reserved.amountMinor, overrunMinor: 0 }
  if (reported === null) return { ...whole, incident: null }
  if (reported === 'invalid' || !Number.isSafeInteger(reported.amountMinor))
    return { ...whole, incident: 'not_an_integer' }
  if (reported.amountMinor < 0) return { ...whole, incident: 'negative' }
  if (reported.currency !== reserved.currency) return { ...whole, incident: 'other_currency' }
  const overrunMinor = reported.amountMinor - reserved.amountMinor
  if (overrunMinor > 0) return { ...whole, overrunMinor, incident: 'above_reservation' }
  return { capturedMinor: reported.amountMinor, overrunMinor: 0, incident: null }
}

/** The leg as it stands after its settlement. */
export function settledLeg(leg: Leg, settlement: Settlement): Leg {
  requireOpen(leg, settlement)
  const capturedMinor = settlement.kind === 'capture' ? settlement.capturedMinor : 0
  return { ...leg, heldMinor: 0, capturedMinor, open: false, counted: settlement.kind === 'capture' }
}

/**
 * Moves a leg's hold to captured, or gives it back, in every counter whose window still holds the leg; one that it
 * has left, or that was started anew since, has forgotten it. Returned are the rows that changed.
 *
 * `counters` are the rows as they stand (sliding them first is allowed and not needed); the leg is as it was before.
 *
 * @throws RangeError if the leg is not open or more would be captured than is held: the store's compare-and-set on
 * the action's state comes first.
 */
export function settle(counters: readonly Counter[], leg: Leg, settlement: Settlement): readonly Counter[] {
  requireOpen(leg, settlement)
  const capturedMinor = settlement.kind === 'capture' ? settlement.capturedMinor : 0
  const capturedCount = settlement.kind === 'capture' ? 1 : 0
  return counters
    .filter((counter) => counts(counter, leg) && inWindow(counter, leg.reservedAtMs))
    .map((counter) => ({
      ...counter,
      held: counter.held - (counter.measure === 'count' ? 1 : leg.heldMinor),
      captured: counter.captured + (counter.measure === 'count' ? capturedCount : capturedMinor),
    }))
}

function requireOpen(leg: Leg, settlement: Settlement): void {
  if (!leg.open || !leg.counted) throw new RangeError('a reservation is settled once')
  if (settlement.kind === 'release') return
  const { capturedMinor } = settlement
  if (!Number.isSafeInteger(capturedMinor) || capturedMinor < 0 || capturedMinor > leg.heldMinor)
    throw new RangeError('a capture is a whole number from 0 to what is held')
}
