import { type Counter, counterIdOf, inWindow, type Leg, type Sum, weightOf } from './counter.ts'

/** What `doctor` finds wrong with a counter: expected is what its legs or its own fields say. */
export type CounterFault =
  | { readonly kind: 'id_differs'; readonly expected: string; readonly found: string }
  | { readonly kind: 'held_differs'; readonly expected: number; readonly found: number }
  | { readonly kind: 'captured_differs'; readonly expected: number; readonly found: number }
  | { readonly kind: 'above_ceiling'; readonly expected: number; readonly found: number }

/** The sum of the legs in the window that the counter stands at, from nothing else; legs may be all of the user's. */
function recount(counter: Counter, legs: Iterable<Leg>): Sum {
  let held = 0
  let captured = 0
  for (const leg of legs) {
    if (!inWindow(counter, leg.reservedAtMs)) continue
    const weight = weightOf(counter, leg)
    held += weight.held
    captured += weight.captured
  }
  return { held, captured }
}

/** Every way in which a counter differs from what its user's legs say; empty when it is right. */
export function counterFaults(counter: Counter, legs: Iterable<Leg>): readonly CounterFault[] {
  const faults: CounterFault[] = []
  const counterId = counterIdOf(counter)
  const sum = recount(counter, legs)
  const used = counter.held + counter.captured
  if (counter.counterId !== counterId)
    faults.push({ kind: 'id_differs', expected: counterId, found: counter.counterId })
  if (counter.held !== sum.held)
    faults.push({ kind: 'held_differs', expected: sum.held, found: counter.held })
  if (counter.captured !== sum.captured)
    faults.push({ kind: 'captured_differs', expected: sum.captured, found: counter.captured })
  if (used > counter.ceiling) faults.push({ kind: 'above_ceiling', expected: counter.ceiling, found: used })
  return faults
}
