/** An embedded engine answers at once, a networked one later; use cases await both alike. */
type Answer<T> = T | PromiseLike<T>

export type EnforcementPointRow = {
  id: string
  name: string
  skills: string
  publisherId: string | null
  mayListUsers: boolean
  reportWithinMs: number
  status: string
  registeredBy: string
  createdAtMs: number
  changedAtMs: number
}

export type EnforcementCredentialRow = {
  id: string
  pointId: string
  digest: string
  publicJwk: string | null
  createdAtMs: number
  endsAtMs: number | null
}

export interface EnforcementPoints {
  find(id: string): Answer<EnforcementPointRow | undefined>
  /** As it is now, without locking it: decisions do not wait for one another here. */
  isActive(id: string): Answer<boolean>
  /** Every point there ever was, newest first. */
  list(): Answer<EnforcementPointRow[]>
  insert(row: EnforcementPointRow): Answer<void>
  setStatus(id: string, status: string, changedAtMs: number): Answer<void>
  credentialByDigest(digest: string): Answer<EnforcementCredentialRow | undefined>
  credentials(pointId: string): Answer<EnforcementCredentialRow[]>
  insertCredential(row: EnforcementCredentialRow): Answer<void>
  endCredential(id: string, endsAtMs: number): Answer<void>
}

export interface EnforcementTx {
  enforcementPoints: EnforcementPoints
}
