/** What the store keeps, as use cases see it. Times are Unix milliseconds, amounts minor units. */

export type UserRow = { id: string; timeZone: string; createdAtMs: number }

export type AgentRow = {
  id: string
  userId: string
  lineageId: string
  name: string
  publicJwk: string
  keyThumbprint: string
  clientId: string | null
  clientHost: string | null
  deployments: string
  status: string
  createdAtMs: number
}

export type PublisherRow = { id: string; createdAtMs: number }

export type PublisherKeyRow = {
  publisherId: string
  kid: string
  jwk: string
  state: string
  addedBy: string
  addedAtMs: number
}

export type SkillRow = {
  id: string
  publisherId: string
  currentDigest: string | null
  highestVersion: number
  createdAtMs: number
}

export type ManifestRow = {
  digest: string
  skillId: string
  version: number
  publisherId: string
  canonical: string
  signature: string
  kid: string
  status: string
  reason: string | null
  submittedAtMs: number
  changedAtMs: number
}

export type ConsentRequestRow = {
  id: string
  userId: string
  agentId: string
  skillId: string
  manifestDigest: string
  terms: string
  purpose: string
  status: string
  grantId: string | null
  renewsGrantId: string | null
  createdAtMs: number
  expiresAtMs: number
  decidedAtMs: number | null
}

export type GrantRow = {
  id: string
  userId: string
  agentId: string
  lineageId: string
  skillId: string
  terms: string
  consented: string
  revision: number
  status: string
  oneTime: boolean
  expiresAtMs: number
  createdAtMs: number
  changedAtMs: number
}

export type UserBudgetRow = {
  id: string
  userId: string
  scope: string
  scopeId: string
  budget: string
  createdAtMs: number
}

export type SavedRecipientRow = {
  id: string
  userId: string
  label: string
  value: string
  createdAtMs: number
}

/** Where a counter stands. What it counts is said by its id. */
export type CounterRow = {
  counterId: string
  zone: string
  tailMs: number
  periodStartMs: number
  periodEndMs: number
  held: number
  captured: number
  ceiling: number
}

/** What a counter is found by; a null covers everything. */
export type CounterKeys = {
  userId: string
  lineageId: string | null
  skillId: string | null
  action: string | null
  currency: string | null
}

/** What a decision needs of a grant each time; its terms change with its revision only. */
export type CandidateRow = Pick<
  GrantRow,
  'id' | 'revision' | 'status' | 'oneTime' | 'expiresAtMs' | 'createdAtMs'
>

export const ACTION_STATUSES = [
  'waiting',
  'refused',
  'dispatched',
  'in_doubt',
  'succeeded',
  'refused_by_skill',
  'failed',
  'overtaken',
  'outcome_unknown',
] as const

export type ActionRow = {
  id: string
  userId: string
  agentId: string
  lineageId: string
  idempotencyKey: string
  requestDigest: string
  skillId: string
  action: string
  status: string
  reason: string
  deploymentId: string
  manifestDigest: string | null
  grantId: string | null
  approvalId: string | null
  eventId: string | null
  leafHash: Buffer | null
  brokerKey: string | null
  sentDigest: string | null
  sessionId: string
  currency: string | null
  reservedMinor: number | null
  heldMinor: number
  capturedMinor: number
  overrunMinor: number
  reservedAtMs: number | null
  asked: boolean
  counted: boolean
  settleEventId: string | null
  settledBy: string | null
  createdAtMs: number
  decidedAtMs: number
  settledAtMs: number | null
  nextCheckAtMs: number | null
  nodeId: string | null
  doubtedAtMs: number | null
  settleLeafHash: Buffer | null
}

export type ApprovalRow = {
  id: string
  userId: string
  agentId: string
  skillId: string
  action: string
  actionId: string
  digest: string
  questions: string
  previewEventId: string | null
  previewDigest: string | null
  status: string
  createdAtMs: number
  expiresAtMs: number
  decidedAtMs: number | null
}

export type FreezeRow = {
  id: string
  kind: string
  target: string
  includesCleanUp: boolean
  reason: string
  operatorId: string
  createdAtMs: number
}

export type IncidentRow = {
  id: string
  kind: string
  userId: string | null
  skillId: string
  actionId: string | null
  detail: string
  stopsSpending: boolean
  status: string
  openedAtMs: number
  closedAtMs: number | null
}

export type DebtRow = {
  actionId: string
  userId: string
  payee: string
  amountMinor: number
  currency: string
  paidByActionId: string | null
}

export type CommitmentRow = {
  actionId: string
  userId: string
  skillId: string
  grantId: string
  times: number
  status: string
  createdAtMs: number
}

export type SessionRow = {
  id: string
  userId: string
  agentId: string
  startedAtMs: number
  lastSeenAtMs: number
  readUntrusted: boolean
  categories: string
}

export type LeafRow = { leafIndex: number; eventId: string; leaf: Buffer; leafHash: Buffer; atMs: number }

export type LeafPartRow = {
  eventId: string
  part: string
  cellId: string
  commitment: Buffer
  sealed: Buffer
  /** Whom the event is about; empty where it is nobody. */
  userId: string
}

export type CheckpointRow = { treeSize: number; rootHash: Buffer; note: string; atMs: number }
