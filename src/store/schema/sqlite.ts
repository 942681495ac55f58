import { sqliteColumns } from '../columns.ts'
import { describeTables } from './tables.ts'

export const sqliteTables = describeTables(sqliteColumns)
export type Tables = typeof sqliteTables

/** drizzle-kit reads one schema file per dialect and sees only named exports. */
export const {
  users,
  agents,
  publishers,
  publisherKeys,
  skills,
  manifests,
  consentRequests,
  grants,
  userBudgets,
  savedRecipients,
  counters,
  actions,
  approvals,
  freezes,
  incidents,
  debts,
  commitments,
  seenRecipients,
  sessions,
  logLeaves,
  logNodes,
  logCheckpoints,
  leafParts,
  channels,
  outbox,
  grantWatches,
  linkedAccounts,
  linkAttempts,
  people,
  personSessions,
  passkeys,
  personAccounts,
  recoveryCodes,
  enrolments,
  ceremonies,
  terminalLogins,
} = sqliteTables
