import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'

/** What pages are made from. */
export type PageDeps = {
  readonly broker: Broker
  /** What receipts are proven by. */
  readonly publisher: Pick<CheckpointPublisher, 'newest'>
  /** Tells skills to give up what is in flight, after a revocation. */
  readonly cancel: CancelInFlight
  /** Whether we are reached by https, which decides what our cookies are called. */
  readonly isSecure: boolean
  readonly nowMs: () => number
}
