import { FORGOTTEN_PAYMENT } from './restore-marks.ts'

type Values = Readonly<Record<string, string | number | boolean | null>>

/** What becomes of a table's rows when they come out of a backup. */
export type RestoreRule =
  /** As it was: what was added or taken away after the backup is not known, and nothing is permitted by it alone. */
  | { readonly kind: 'kept' }
  /** Taken away: it may have been used, ended or replaced after the backup, and whoever needs it gets a new one. */
  | { readonly kind: 'dropped' }
  /** Goes into the tables of ended logs, or is made anew by the restore. */
  | { readonly kind: 'moved' }
  /** Kept only while the key store still holds the cell it is sealed under; where it leaves a mark, that it was there. */
  | { readonly kind: 'while_key_lives'; readonly column: string; readonly leavesMark?: true }
  /** Some values are replaced; null where the row stays as it is. */
  | {
      readonly kind: 'changed'
      readonly columns: readonly string[]
      change(row: Values): Values | null
    }

const KEPT: RestoreRule = { kind: 'kept' }
const DROPPED: RestoreRule = { kind: 'dropped' }
const MOVED: RestoreRule = { kind: 'moved' }

const WAITING_OR_YES: ReadonlySet<unknown> = new Set(['waiting', 'approved'])

/**
 * A restored store has forgotten what was revoked, used, paid and signed out of since its backup. So whatever permits
 * something by itself does not come back as it was. A table without a rule is not restored at all.
 */
export const RESTORE_RULES: Readonly<Record<string, RestoreRule>> = {
  users: KEPT,
  agents: KEPT,
  publishers: KEPT,
  publisher_keys: KEPT,
  skills: KEPT,
  manifests: KEPT,
  user_budgets: KEPT,
  saved_recipients: KEPT,
  counters: KEPT,
  actions: KEPT,
  freezes: KEPT,
  incidents: KEPT,
  commitments: KEPT,
  seen_recipients: KEPT,
  restore_lifts: KEPT,
  legal_holds: KEPT,
  // What may be kept still is, and a notice sent twice is one notice.
  skill_duties: KEPT,
  skill_notices: KEPT,
  // A grant may have been revoked since: its user says yes once more. A paused one waits for its user already.
  grants: {
    kind: 'changed',
    columns: ['status'],
    change: ({ status }) => (status === 'active' ? { status: 'suspended' } : null),
  },
  // A yes may have been used since, and a question answered.
  approvals: {
    kind: 'changed',
    columns: ['status'],
    change: ({ status }) => (WAITING_OR_YES.has(status) ? { status: 'withdrawn' } : null),
  },
  consent_requests: {
    kind: 'changed',
    columns: ['status'],
    change: ({ status }) => (status === 'pending' ? { status: 'withdrawn' } : null),
  },
  // One that waited may have been stopped since: its person asks again. Whoever was erased since is known by the key store.
  erasures: {
    kind: 'changed',
    columns: ['status', 'ended_at_ms'],
    change: ({ status, requested_at_ms }) =>
      status === 'waiting' ? { status: 'cancelled', ended_at_ms: requested_at_ms ?? 0 } : null,
  },
  // An order may have been paid since.
  debts: {
    kind: 'changed',
    columns: ['paid_by_action_id'],
    change: (row) => (row.paid_by_action_id === null ? { paid_by_action_id: FORGOTTEN_PAYMENT } : null),
  },
  // A session may have read a stranger's words since.
  sessions: { kind: 'changed', columns: ['read_untrusted'], change: () => ({ read_untrusted: true }) },

  // Its grant waits for one more yes. What was given after the backup stands in lists that give no place any more.
  status_entries: {
    kind: 'changed',
    columns: ['status'],
    change: ({ status }) => (status === 0 ? { status: 2 } : null),
  },
  revocations: KEPT,
  revoked_actions: KEPT,
  // An event that comes twice has the same id, and an undo asked twice the same key.
  event_deliveries: KEPT,
  agent_callbacks: KEPT,
  undos: KEPT,
  undo_items: KEPT,
  // It may have been cancelled since: an operator begins it again.
  undo_jobs: {
    kind: 'changed',
    columns: ['status', 'ended_at_ms'],
    change: ({ status, created_at_ms }) =>
      status === 'running' ? { status: 'cancelled', ended_at_ms: created_at_ms ?? 0 } : null,
  },

  leaf_parts: { kind: 'while_key_lives', column: 'cell_id', leavesMark: true },
  // What was forgotten or had expired since has no key any more; the rest waits for its grant's user.
  memory_items: { kind: 'while_key_lives', column: 'cell_id' },

  log_leaves: MOVED,
  log_nodes: MOVED,
  log_checkpoints: MOVED,
  log_queue: MOVED,
  past_logs: MOVED,
  past_leaves: KEPT,
  past_nodes: KEPT,
  deployment_marks: DROPPED,

  people: KEPT,
  passkeys: KEPT,
  person_accounts: KEPT,
  oauth_clients: KEPT,
  channels: KEPT,
  grant_watches: KEPT,
  linked_accounts: KEPT,
  // Whatever signs somebody in or goes on a session may have been used or ended since.
  person_sessions: DROPPED,
  recovery_codes: DROPPED,
  enrolments: DROPPED,
  ceremonies: DROPPED,
  terminal_logins: DROPPED,
  oauth_records: DROPPED,
  token_families: DROPPED,
  link_attempts: DROPPED,
  outbox: DROPPED,
  // One may have been revoked since, or its secret replaced: it is registered anew.
  enforcement_points: {
    kind: 'changed',
    columns: ['status'],
    change: ({ status }) => (status === 'active' ? { status: 'revoked' } : null),
  },
  enforcement_credentials: DROPPED,
  // Which process does what, and which keys it holds, is settled anew at the next start.
  leases: DROPPED,
  key_checks: DROPPED,
}
