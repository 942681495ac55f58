/** What the store keeps of people who sign in. Times are Unix milliseconds; hashes are SHA-256 in base64url. */

export type PersonKind = 'user' | 'operator'

/** Names a person: a user's id or an operator's name, and which of the two it is. */
export type PersonRef = { readonly kind: PersonKind; readonly id: string }

export type PersonRow = {
  personId: string
  kind: string
  status: string
  stepUpAbove: string
  createdAtMs: number
  recoveredAtMs: number | null
}

export type PersonSessionRow = {
  id: string
  personId: string
  kind: string
  tokenHash: string
  channel: string
  device: string
  viaProvider: boolean
  signedInAtMs: number
  lastSeenAtMs: number
  steppedUpAtMs: number | null
}

export type PasskeyRow = {
  credentialId: string
  personId: string
  kind: string
  publicKey: Buffer
  counter: number
  transports: string
  name: string
  createdAtMs: number
  lastUsedAtMs: number | null
}

export type PersonAccountRow = { account: string; personId: string; kind: string; createdAtMs: number }

export type RecoveryCodeRow = { codeHash: string; personId: string; kind: string; createdAtMs: number }

export type EnrolmentRow = {
  tokenHash: string
  personId: string
  kind: string
  purpose: string
  createdAtMs: number
  expiresAtMs: number
}

export type CeremonyRow = {
  challengeHash: string
  purpose: string
  boundTo: string
  facts: string
  expiresAtMs: number
}

export type TerminalLoginRow = {
  deviceHash: string
  codeHash: string
  kind: string
  status: string
  personId: string
  steppedUpAtMs: number
  expiresAtMs: number
}
