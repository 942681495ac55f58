/** What the store keeps of authority that was taken back. Times are Unix milliseconds. */

export type StatusPlace = { epoch: number; listNo: number; idx: number }

export type StatusEntryRow = StatusPlace & {
  grantId: string
  userId: string
  agentId: string
  skillId: string
  status: number
  changedAtMs: number
}

export type RevocationRow = {
  id: string
  userId: string
  scopeKind: string
  scopeId: string
  atMs: number
  eventId: string
  ended: string
}

export type RevokedActionRow = {
  revocationId: string
  actionId: string
  userId: string
  skillId: string
  statusThen: string
  cancel: string | null
  cancelAtMs: number | null
  atMs: number
}

export type EventDeliveryRow = {
  id: string
  userId: string
  revocationId: string
  receiverKind: string
  receiverId: string
  payload: string
  status: string
  attempts: number
  nextAtMs: number
  expiresAtMs: number
  createdAtMs: number
  answeredAtMs: number | null
  fault: string | null
}

export type AgentCallbackRow = { agentId: string; userId: string; url: string; setAtMs: number }

export type UndoRow = {
  actionId: string
  userId: string
  status: string
  askedBy: string
  attempts: number
  askedAtMs: number
  answeredAtMs: number | null
}

export type UndoJobRow = {
  id: string
  incidentId: string
  operatorId: string
  reason: string
  status: string
  createdAtMs: number
  endedAtMs: number | null
}

export type UndoItemRow = { jobId: string; actionId: string; userId: string; status: string; atMs: number }
