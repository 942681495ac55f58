/** What the store keeps of how people are reached. Times are Unix milliseconds. */

export type ChannelRow = {
  id: string
  userId: string
  kind: string
  address: string
  addressTag: string
  locale: string
  status: string
  codeHash: string | null
  codeExpiresAtMs: number | null
  codeTriesLeft: number
  failures: number
  createdAtMs: number
  verifiedAtMs: number | null
}

export type OutboxRow = {
  id: string
  userId: string
  channelId: string
  kind: string
  subjects: string
  batch: string
  attempts: number
  nextAtMs: number
  expiresAtMs: number
  createdAtMs: number
  sentAtMs: number | null
}

export type GrantWatchRow = {
  grantId: string
  userId: string
  lastUsedAtMs: number | null
  toldAtMs: number | null
  checkAtMs: number
}
