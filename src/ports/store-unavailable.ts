/**
 * Why nothing can be stored now. `unreachable`: the database is gone, full or not letting anybody in. `busy`: too many
 * wait already, or one waited too long. `unknown_commit`: nobody can say now whether a unit of work was kept; asking
 * again under the same key tells. `not_drained`: it was kept, and something older was still at work when waiting ended.
 * `log_behind`: the log could break a promise made now. `node_lapsed`: others may have taken this process for dead, until
 * it has shown itself again.
 */
export type UnavailableReason =
  | 'unreachable'
  | 'busy'
  | 'unknown_commit'
  | 'not_drained'
  | 'log_behind'
  | 'node_lapsed'

/** Nothing is wrong with what was asked: the store cannot answer now, and may in a moment. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
  readonly reason: UnavailableReason

  constructor(reason: UnavailableReason, options?: ErrorOptions) {
    super(`the store is unavailable: ${reason}`, options)
    this.reason = reason
  }
}
