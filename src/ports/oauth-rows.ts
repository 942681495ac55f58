/** What the authorization server keeps. Times are Unix milliseconds. */

export type OauthRecordRow = {
  model: string
  recordKey: string
  userId: string
  familyId: string
  userCodeTag: string
  payload: string
  expiresAtMs: number
  consumedAtMs: number | null
}

export type OauthClientRow = { id: string; metadata: string; createdAtMs: number; connectedAtMs: number }

export type TokenFamilyRow = {
  id: string
  userId: string
  agentId: string
  sessionId: string
  clientId: string
  createdAtMs: number
  endedAtMs: number | null
}
