import type {
  AgentCallbackRow,
  EventDeliveryRow,
  RevocationRow,
  RevokedActionRow,
  StatusEntryRow,
  UndoItemRow,
  UndoJobRow,
  UndoRow,
} from './revocation-rows.ts'

type Answer<T> = T | PromiseLike<T>
type Page = { limit: number; before: { atMs: number; id: string } | null }

export interface StatusEntries {
  /** The newest list of an epoch that has an entry; undefined before its first. */
  newestList(epoch: number): Answer<number | undefined>
  /** How many of these places of a list are taken. */
  countTaken(epoch: number, listNo: number, idxs: readonly number[]): Answer<number>
  /** Takes a place. @returns whether it was free. */
  take(row: StatusEntryRow): Answer<boolean>
  ofGrant(grantId: string): Answer<StatusEntryRow | undefined>
  /** Entries of one list that changed since then, whatever they say. */
  changedSince(epoch: number, listNo: number, sinceMs: number): Answer<StatusEntryRow[]>
}

export interface Revocations {
  insert(row: RevocationRow): Answer<void>
  find(id: string, userId: string): Answer<RevocationRow | undefined>
  list(userId: string, page: Page): Answer<RevocationRow[]>
  insertAction(row: RevokedActionRow): Answer<void>
  actions(revocationId: string, userId: string): Answer<RevokedActionRow[]>
  /** Actions that were to be cancelled before then, and of which nobody kept whether they were. */
  uncancelled(beforeMs: number, limit: number): Answer<RevokedActionRow[]>
  /** Keeps what a skill said to a cancellation. */
  setCancel(
    row: Pick<RevokedActionRow, 'revocationId' | 'actionId' | 'userId'>,
    cancel: string,
    atMs: number,
  ): Answer<void>
}

export interface EventDeliveries {
  insert(row: EventDeliveryRow): Answer<void>
  /** Waiting and due, the longest due first. */
  due(nowMs: number, limit: number): Answer<EventDeliveryRow[]>
  nextDueMs(): Answer<number | undefined>
  /** Takes one for a while, if it is still as it was seen. @returns it as it is then. */
  claim(
    row: Pick<EventDeliveryRow, 'id' | 'nextAtMs'>,
    leaseUntilMs: number,
  ): Answer<EventDeliveryRow | undefined>
  /** Keeps the outcome of an attempt. */
  settle(row: Pick<EventDeliveryRow, 'id' | 'status' | 'nextAtMs' | 'answeredAtMs' | 'fault'>): Answer<void>
  ofRevocation(revocationId: string, userId: string): Answer<EventDeliveryRow[]>
  /** Nobody is told of it, or shown it, any more. */
  removeExpired(nowMs: number): Answer<void>
}

export interface AgentCallbacks {
  find(agentId: string): Answer<AgentCallbackRow | undefined>
  save(row: AgentCallbackRow): Answer<void>
  remove(agentId: string, userId: string): Answer<void>
}

export interface Undos {
  find(actionId: string, userId: string): Answer<UndoRow | undefined>
  /** Begins the first attempt. @returns whether there was none. */
  begin(row: UndoRow): Answer<boolean>
  /** Begins another attempt after one that ended like this and at that time. @returns whether it still stood so. */
  beginAgain(row: UndoRow, before: Pick<UndoRow, 'status' | 'askedAtMs'>): Answer<boolean>
  /** Ends the attempt that was begun then. */
  end(row: Pick<UndoRow, 'actionId' | 'userId' | 'askedAtMs'>, status: string, atMs: number): Answer<boolean>

  insertJob(row: UndoJobRow): Answer<void>
  findJob(id: string): Answer<UndoJobRow | undefined>
  jobsOf(incidentId: string): Answer<UndoJobRow[]>
  running(): Answer<UndoJobRow[]>
  /** Ends a running job. @returns whether it ran. */
  endJob(id: string, status: string, atMs: number): Answer<boolean>
  insertItem(row: UndoItemRow): Answer<void>
  waitingItems(jobId: string, limit: number): Answer<UndoItemRow[]>
  setItem(row: UndoItemRow): Answer<void>
  /** Ends all that still waits in a job. */
  endItems(jobId: string, status: string, atMs: number): Answer<void>
  countItems(jobId: string): Answer<{ status: string; count: number }[]>
  items(jobId: string, limit: number): Answer<UndoItemRow[]>
}

/** What a unit of work sees of authority that was taken back. */
export interface RevocationTx {
  readonly statusEntries: StatusEntries
  readonly revocations: Revocations
  readonly eventDeliveries: EventDeliveries
  readonly agentCallbacks: AgentCallbacks
  readonly undos: Undos
}
