/** What the store keeps of accounts that users linked. Times are Unix milliseconds. */

export type LinkedAccountRow = {
  id: string
  userId: string
  skillId: string
  link: string
  means: string
  manifestDigest: string
  tokens: string
  expiresAtMs: number | null
  revision: number
  status: string
  createdAtMs: number
  changedAtMs: number
}

export type LinkAttemptRow = {
  stateHash: string
  userId: string
  sessionId: string
  skillId: string
  link: string
  manifestDigest: string
  verifier: string
  createdAtMs: number
  expiresAtMs: number
}
