import type { EnforcementTx } from './enforcement-store.ts'
import type { EpochTx } from './epoch-store.ts'
import type { ErasureTx } from './erasure-store.ts'
import type { LinkTx } from './link-store.ts'
import type { MemoryTx } from './memory-store.ts'
import type { NodeTx } from './node-store.ts'
import type { NoticeTx } from './notice-store.ts'
import type { OauthTx } from './oauth-store.ts'
import type { PeopleTx } from './people-store.ts'
import type { ReachTx } from './reach-store.ts'
import type { RevocationTx } from './revocation-store.ts'
import type {
  ActionRow,
  AgentRow,
  ApprovalRow,
  CandidateRow,
  CheckpointRow,
  CommitmentRow,
  ConsentRequestRow,
  CounterKeys,
  CounterRow,
  DebtRow,
  FreezeRow,
  GrantRow,
  IncidentRow,
  LeafPartRow,
  LeafRow,
  ManifestRow,
  PublisherKeyRow,
  PublisherRow,
  SavedRecipientRow,
  SessionRow,
  SkillRow,
  UserBudgetRow,
  UserRow,
} from './rows.ts'

/** An embedded engine answers at once, a networked one later; use cases await both alike. */
export type Answer<T> = T | PromiseLike<T>

/** Newest first; `before` is the creation time and id of the last row of the page before. */
export type Page = { limit: number; before: { atMs: number; id: string } | null }

export interface Users {
  find(id: string): Answer<UserRow | undefined>
  save(row: UserRow): Answer<void>
}

export interface Agents {
  find(id: string, userId?: string): Answer<AgentRow | undefined>
  findByKey(userId: string, keyThumbprint: string): Answer<AgentRow | undefined>
  list(userId: string): Answer<AgentRow[]>
  insert(row: AgentRow): Answer<void>
  setStatus(id: string, status: string): Answer<void>
  setDeployments(id: string, deployments: string): Answer<void>
  /** Puts an agent into the line of another, whose counters it goes on with. */
  setLineage(id: string, lineageId: string): Answer<void>
}

export type HeadOf = { userId: string; agentId: string; skillId: string; sessionId: string }

/** What every decision begins with, in one answer: one round trip where the engine is across a network. */
export type DecisionHead = {
  lineageId: string
  agentStatus: string
  deployments: string
  /** Null for a skill nobody knows. */
  publisherId: string | null
  currentDigest: string | null
  timeZone: string | null
  /** The agent's own session of that id, dead or alive. */
  session: Pick<SessionRow, 'startedAtMs' | 'lastSeenAtMs' | 'readUntrusted' | 'categories'> | null
  /** Open incidents that stop this skill's spending for this user. */
  openIncidents: number
  /** Notices that stop this skill's actions for this user. */
  overdueDeletions: number
  /** Whether anything at all is frozen; mostly nothing is, and nobody needs to look further. */
  anyFreeze: boolean
  /** How many ended token families had this session: a token of theirs decides nothing more. */
  endedFamilies: number
  /** How many budgets of their own the user has set. */
  userBudgets: number
}

export interface DecisionHeads {
  /** Undefined for an agent that is not this user's: a token that names one is worth nothing. */
  find(of: HeadOf): Answer<DecisionHead | undefined>
}

export interface Publishers {
  find(id: string): Answer<PublisherRow | undefined>
  list(): Answer<PublisherRow[]>
  insert(row: PublisherRow): Answer<void>
  keys(publisherId: string): Answer<PublisherKeyRow[]>
  insertKey(row: PublisherKeyRow): Answer<void>
  setKeyState(publisherId: string, kid: string, state: string): Answer<void>
}

export interface Skills {
  find(id: string): Answer<SkillRow | undefined>
  list(): Answer<SkillRow[]>
  insert(row: SkillRow): Answer<void>
  setCurrent(id: string, digest: string | null): Answer<void>
  setHighestVersion(id: string, version: number): Answer<void>
}

export interface Manifests {
  find(digest: string): Answer<ManifestRow | undefined>
  findVersion(skillId: string, version: number): Answer<ManifestRow | undefined>
  listBySkill(skillId: string): Answer<ManifestRow[]>
  listByStatus(status: string): Answer<ManifestRow[]>
  listByKey(publisherId: string, kid: string): Answer<ManifestRow[]>
  insert(row: ManifestRow): Answer<void>
  setStatus(digest: string, status: string, reason: string, atMs: number): Answer<void>
}

export interface ConsentRequests {
  find(id: string): Answer<ConsentRequestRow | undefined>
  list(userId: string, page: Page): Answer<ConsentRequestRow[]>
  /** Requests of one agent for one skill created after the time, whatever became of them. */
  recent(userId: string, agentId: string, skillId: string, sinceMs: number): Answer<ConsentRequestRow[]>
  /** The same of a whole line of agents. */
  recentOfLine(
    userId: string,
    lineageId: string,
    skillId: string,
    sinceMs: number,
  ): Answer<ConsentRequestRow[]>
  insert(row: ConsentRequestRow): Answer<void>
  decide(id: string, status: string, grantId: string | null, atMs: number): Answer<void>
}

export interface Grants {
  /** The live (active, suspended or paused) grants a decision may draw on, in no order; locked until the end. */
  candidates(userId: string, agentId: string, skillId: string): Answer<CandidateRow[]>
  find(id: string, userId?: string): Answer<GrantRow | undefined>
  list(userId: string, page: Page): Answer<GrantRow[]>
  live(userId: string): Answer<GrantRow[]>
  /** Users with a live grant for a skill, by id, those after one of them. */
  usersOfSkill(skillId: string, afterUserId: string, limit: number): Answer<string[]>
  insert(row: GrantRow): Answer<void>
  update(row: GrantRow): Answer<void>
}

export interface Budgets {
  list(userId: string): Answer<UserBudgetRow[]>
  insert(row: UserBudgetRow): Answer<void>
  remove(id: string): Answer<void>
}

export interface Recipients {
  list(userId: string): Answer<SavedRecipientRow[]>
  insert(row: SavedRecipientRow): Answer<void>
  remove(userId: string, id: string): Answer<void>
  /** Whether this skill was ever permitted to use this recipient for this user. */
  seen(userId: string, skillId: string, recipient: string): Answer<boolean>
  remember(userId: string, skillId: string, recipient: string, atMs: number): Answer<void>
}

/** Which legs a sum is over. A null narrows nothing. */
export type LegFilter = {
  userId: string
  lineageId: string | null
  skillId: string | null
  action: string | null
  currency: string | null
  /** Reserved after this time (exclusive) … */
  fromMs: number
  /** … and up to this one (inclusive). */
  toMs: number
}
/** One permitted action as the ledger sees it. */
export type LegRow = Pick<
  ActionRow,
  | 'id'
  | 'lineageId'
  | 'skillId'
  | 'action'
  | 'currency'
  | 'heldMinor'
  | 'capturedMinor'
  | 'reservedAtMs'
  | 'asked'
  | 'counted'
  | 'status'
>

export interface Counters {
  /** Every counter of the user that covers such an action, locked, in one fixed order. */
  covering(
    userId: string,
    lineageId: string,
    skillId: string,
    action: string,
    currency: string | null,
  ): Answer<CounterRow[]>
  list(userId: string): Answer<CounterRow[]>
  insert(rows: (CounterRow & CounterKeys)[]): Answer<void>
  /** Writes where counters that are there stand now. */
  move(userId: string, rows: readonly CounterRow[]): Answer<void>
  legs(filter: LegFilter): Answer<LegRow[]>
  users(): Answer<string[]>
}

export type ActionSearch = {
  userId: string | null
  agentId: string | null
  skillId: string | null
  status: string | null
  fromMs: number | null
  toMs: number | null
}

export interface Actions {
  findByKey(userId: string, agentId: string, key: string): Answer<ActionRow | undefined>
  /** @param userId looks among this user's alone, which are in one place where users are spread over several. */
  find(id: string, userId?: string): Answer<ActionRow | undefined>
  insert(row: ActionRow): Answer<void>
  /** Writes every field of a row decided before; its key and its request never change. */
  update(row: ActionRow): Answer<void>
  /** By the time of their decision, newest first. */
  list(search: ActionSearch, page: Page): Answer<ActionRow[]>
  /** Permitted and not settled, of one user (null: of all), oldest first. */
  unsettled(userId: string | null): Answer<ActionRow[]>
  dueForCheck(nowMs: number, limit: number): Answer<ActionRow[]>
  /** Permitted at one node and neither settled nor in doubt, oldest first. */
  dispatchedBy(nodeId: string): Answer<ActionRow[]>
  /** Handed to enforcement points that have not reported in time, oldest first. */
  overdue(nowMs: number, limit: number): Answer<ActionRow[]>
  /** Handed to one enforcement point and not settled, oldest first. */
  handedOver(pointId: string): Answer<ActionRow[]>
}

export interface Approvals {
  find(id: string): Answer<ApprovalRow | undefined>
  newestFor(actionId: string, userId: string): Answer<ApprovalRow | undefined>
  /** Approvals of a whole line of agents and one skill created after the time, newest first. */
  recentOfLine(userId: string, lineageId: string, skillId: string, sinceMs: number): Answer<ApprovalRow[]>
  list(userId: string, status: string | null, page: Page): Answer<ApprovalRow[]>
  insert(row: ApprovalRow): Answer<void>
  setStatus(id: string, status: string, atMs: number, userId: string): Answer<void>
  /** Binds the preview that will be shown, and the digest that now covers it too. */
  setPreview(id: string, previewEventId: string, previewDigest: string, digest: string): Answer<void>
}

export interface Freezes {
  /** Those of the named freezes that stand. */
  matching(ids: string[]): Answer<FreezeRow[]>
  list(): Answer<FreezeRow[]>
  insert(row: FreezeRow): Answer<void>
  remove(id: string): Answer<void>
}

export interface Incidents {
  find(id: string): Answer<IncidentRow | undefined>
  list(status: string | null, page: Page): Answer<IncidentRow[]>
  /** Whether an open incident stops this skill's spending for this user. */
  stopsSpending(userId: string, skillId: string): Answer<boolean>
  /** The open incident of this kind about one action of the user's. */
  openFor(userId: string, skillId: string, actionId: string, kind: string): Answer<IncidentRow | undefined>
  /** The open incident of this kind about a skill and no user in particular. */
  openOfSkill(skillId: string, kind: string): Answer<IncidentRow | undefined>
  /** The open incidents about this user, the oldest first. */
  openOf(userId: string): Answer<IncidentRow[]>
  insert(row: IncidentRow): Answer<void>
  close(id: string, atMs: number): Answer<void>
}

export interface Debts {
  find(actionId: string, userId: string): Answer<DebtRow | undefined>
  insert(row: DebtRow): Answer<void>
  setPayment(actionId: string, paidByActionId: string | null, userId: string): Answer<void>
  /** Opens the user's debts again that stand as paid by this; returns the executions that made them. */
  reopen(userId: string, paidByActionId: string): Answer<string[]>
  /** Frees whatever debt the payment had claimed. */
  clearPayment(paidByActionId: string, userId: string): Answer<void>
}

export interface Commitments {
  insert(row: CommitmentRow): Answer<void>
  list(userId: string, status: string): Answer<CommitmentRow[]>
  setStatus(actionId: string, status: string, userId: string): Answer<void>
}

export interface Sessions {
  find(userId: string, id: string): Answer<SessionRow | undefined>
  save(row: SessionRow): Answer<void>
}

export interface Log {
  /** Adds a leaf with its sealed parts. Its index is the engine's business. */
  append(leaf: NewLeaf, atMs: number): Answer<void>
  leafByEvent(eventId: string): Answer<LeafRow | undefined>
  leafAt(leafIndex: number): Answer<LeafRow | undefined>
  /** Leaves from an index on, in order. */
  leaves(fromIndex: number, limit: number): Answer<LeafRow[]>
  nodes(level: number, fromIndex: number, limit: number): Answer<Buffer[]>
  leafHashes(fromIndex: number, limit: number): Answer<Buffer[]>
  /** @param userId looks among this user's alone, which are in one place where users are spread over several. */
  part(eventId: string, part: string, userId?: string): Answer<LeafPartRow | undefined>
  parts(eventId: string): Answer<LeafPartRow[]>
  newestCheckpoint(): Answer<CheckpointRow | undefined>
  saveCheckpoint(row: CheckpointRow): Answer<void>
}
export type NewLeaf = {
  eventId: string
  /** Whom the event is about; empty where it is nobody. */
  userId: string
  leaf: Buffer
  leafHash: Buffer
  parts: { part: string; cellId: string; commitment: Buffer; sealed: Buffer }[]
}

/** One unit of work: it is all kept or not at all. Inside it nothing is awaited but the store. */
export interface Tx
  extends PeopleTx,
    NodeTx,
    OauthTx,
    LinkTx,
    MemoryTx,
    ReachTx,
    RevocationTx,
    EnforcementTx,
    EpochTx,
    ErasureTx,
    NoticeTx {
  /** The one clock of the platform: never runs back, and does not follow a jump ahead. Unix milliseconds. */
  readonly nowMs: number
  /** Whether the clock may be trusted with money; false after it ran ahead, until an operator confirms it. */
  readonly clockTrusted: boolean
  readonly users: Users
  readonly agents: Agents
  readonly decisionHeads: DecisionHeads
  readonly publishers: Publishers
  readonly skills: Skills
  readonly manifests: Manifests
  readonly consentRequests: ConsentRequests
  readonly grants: Grants
  readonly budgets: Budgets
  readonly recipients: Recipients
  readonly counters: Counters
  readonly actions: Actions
  readonly approvals: Approvals
  readonly freezes: Freezes
  readonly incidents: Incidents
  readonly debts: Debts
  readonly commitments: Commitments
  readonly sessions: Sessions
  readonly log: Log
}

/** The head of the log that is durable now. */
export type TreeHead = { treeSize: number; rootHash: Buffer }

/** Whose rows a unit of work is about. */
export type UnitOwner = {
  /**
   * The one user it looks at and changes. Units of one user run one after another on every node; those that name
   * nobody are the platform's, and run one after another likewise.
   */
  readonly userId?: string
}

export interface Store {
  /**
   * Runs the work durably, alone among those of its owner; resolves only after the commit. Rejects, and keeps nothing,
   * if the work throws. The work may be run again from the start when others were in its way: it changes nothing but
   * through `tx`.
   *
   * @throws (rejects) StoreUnavailable when nothing can be kept now; only for `unknown_commit` it may have been.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, owner?: UnitOwner): Promise<T>
  /**
   * Resolves when every unit of work has ended that may have read what was there before now: what was committed by
   * then is seen by all that is decided later. For what stands in the way of many users' decisions, such as a freeze.
   *
   * @throws (rejects) StoreUnavailable with `not_drained` if that takes too long.
   */
  drained(): Promise<void>
  /** Runs reads outside the writer's queue; sees what is committed. Writing here is refused by the engine. */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  treeHead(): Promise<TreeHead>
  /** The clock as a transaction would see it now. */
  now(): { nowMs: number; clockTrusted: boolean }
  /** Accepts the clock as it is now, after an operator looked at it. */
  confirmClock(): void
  /**
   * Overwrites what deleted rows left in files, where the engine can; left out where it cannot.
   *
   * @returns false while somebody who looks at an older moment is in the way.
   */
  overwriteRemnants?(): Promise<boolean>
  close(): Promise<void>
}
