import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PERSONAL_COLUMNS } from '../../src/core/personal-columns.ts'
import { openSqliteSource } from '../../src/store/backup/sqlite-source.ts'
import { TABLE_LAYOUTS, type TableLayout } from '../../src/store/backup/table-layout.ts'
import { createErasable } from '../support/erasable-person.ts'
import { createTestBroker } from '../support/test-broker.ts'

/** Sealed under a cell: destroying that destroys them wherever copies lie. */
const SEALED: Readonly<Record<string, string>> = {
  leaf_parts: 'sealed',
  channels: 'address',
  linked_accounts: 'tokens',
  link_attempts: 'verifier',
  memory_items: 'head content',
  passkeys: 'name',
}

/** Digests and keyed tags: enough to know something again, not to read it. */
const TAGS: Readonly<Record<string, string>> = {
  seen_recipients: 'recipient',
  channels: 'address_tag code_hash',
  person_accounts: 'account',
  oauth_records: 'record_key user_code_tag',
  person_sessions: 'token_hash',
  recovery_codes: 'code_hash',
  enrolments: 'token_hash',
  ceremonies: 'challenge_hash bound_to',
  terminal_logins: 'device_hash code_hash',
  link_attempts: 'state_hash',
  memory_items: 'request_hash',
}

/** Ids, codes, public texts and signatures. What a person wrote, or an agent said of them, is none of these. */
const OPEN: Readonly<Record<string, string>> = {
  log_checkpoints: 'root_hash note',
  past_logs: 'origin root_hash note published_root',
  users: 'id',
  agents: 'id user_id lineage_id public_jwk key_thumbprint client_id deployments status',
  publishers: 'id',
  publisher_keys: 'publisher_id kid jwk state added_by',
  skills: 'id publisher_id current_digest',
  manifests: 'digest skill_id publisher_id canonical signature kid status reason',
  consent_requests: 'id user_id agent_id skill_id manifest_digest status grant_id renews_grant_id',
  grants: 'id user_id agent_id lineage_id skill_id consented status',
  user_budgets: 'id user_id scope scope_id budget',
  saved_recipients: 'id user_id',
  counters: 'user_id counter_id lineage_id skill_id action currency zone',
  actions:
    'id user_id agent_id lineage_id request_digest skill_id action status reason deployment_id manifest_digest grant_id approval_id event_id leaf_hash broker_key sent_digest session_id currency settle_event_id settled_by node_id settle_leaf_hash',
  approvals:
    'id user_id agent_id skill_id action action_id digest questions preview_event_id preview_digest status',
  freezes: 'id kind target reason operator_id',
  incidents: 'id kind user_id skill_id action_id status',
  debts: 'action_id user_id currency paid_by_action_id',
  commitments: 'action_id user_id skill_id grant_id status',
  seen_recipients: 'user_id skill_id',
  sessions: 'id user_id agent_id categories',
  log_leaves: 'event_id leaf leaf_hash',
  log_nodes: 'hash',
  leaf_parts: 'event_id part cell_id commitment user_id',
  channels: 'id user_id kind locale status',
  outbox: 'id user_id channel_id kind subjects batch',
  grant_watches: 'grant_id user_id',
  status_entries: 'grant_id user_id agent_id skill_id',
  revocations: 'id user_id scope_kind scope_id event_id ended',
  revoked_actions: 'revocation_id action_id user_id skill_id status_then cancel',
  event_deliveries: 'id user_id revocation_id receiver_kind receiver_id payload status fault',
  agent_callbacks: 'agent_id user_id',
  undos: 'action_id user_id status asked_by',
  undo_jobs: 'id incident_id operator_id reason status',
  undo_items: 'job_id action_id user_id status',
  linked_accounts: 'id user_id skill_id link means manifest_digest status',
  link_attempts: 'user_id session_id skill_id link manifest_digest',
  memory_items: 'id user_id agent_id grant_id skill_id memory_class session_id cell_id ended',
  past_leaves: 'event_id leaf leaf_hash',
  past_nodes: 'hash',
  restore_lifts: 'user_id',
  deployment_marks: 'name value',
  erasures: 'id user_id scope scope_id status step waits_for paused cells',
  legal_holds: 'user_id operator_id',
  leases: 'name holder',
  key_checks: 'name value',
  enforcement_points: 'id name skills publisher_id status registered_by',
  enforcement_credentials: 'id point_id digest public_jwk',
  skill_duties:
    'action_id memory_class user_id skill_id pairwise_id agent_id grant_id manifest_digest notice_id',
  skill_notices:
    'id user_id skill_id publisher_id pairwise_id manifest_digest reason scope agent_id grant_id status fault answer_code queued_event_id sent_event_id answer_event_id incident_id',
  people: 'user_id kind status step_up_above',
  person_sessions: 'id user_id kind channel',
  passkeys: 'user_id kind',
  person_accounts: 'user_id kind',
  recovery_codes: 'user_id kind',
  enrolments: 'user_id kind purpose',
  ceremonies: 'purpose facts',
  terminal_logins: 'kind status user_id',
  oauth_records: 'model user_id family_id',
  oauth_clients: 'id metadata',
  token_families: 'id user_id agent_id session_id client_id',
  log_queue: 'event_id user_id leaf leaf_hash',
}

const listed = (classes: Readonly<Record<string, string>>, table: string) => (classes[table] ?? '').split(' ')
const isText = ({ kind }: { kind: string }) => kind === 'text' || kind === 'bytes'

/** The classes a column is in. Rows that are personal as a whole are so in every column. */
function classesOf(table: TableLayout, column: string): string[] {
  const personal = PERSONAL_COLUMNS[table.name]
  return [
    ...(listed(SEALED, table.name).includes(column) ? ['sealed'] : []),
    ...(listed(TAGS, table.name).includes(column) ? ['tag'] : []),
    ...(listed(OPEN, table.name).includes(column) ? ['open'] : []),
    ...(Object.hasOwn(personal?.columns ?? {}, column) ? ['epoch'] : []),
  ]
}

describe('every column that can hold words', () => {
  it('is sealed, a tag, open, or encrypted with its epoch in a backup: one of these', () => {
    const wrong = TABLE_LAYOUTS.flatMap((table) =>
      table.columns.filter(isText).flatMap(({ name }) => {
        const classes = classesOf(table, name)
        const isWhole = PERSONAL_COLUMNS[table.name]?.isWhole !== undefined
        return classes.length === 1 || (isWhole && classes.length === 0)
          ? []
          : [`${table.name}.${name}: ${classes}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('is named only where it is', () => {
    for (const classes of [SEALED, TAGS, OPEN])
      for (const [name, columns] of Object.entries(classes)) {
        const table = TABLE_LAYOUTS.find((one) => one.name === name)
        const known = table?.columns.filter(isText).map((column) => column.name) ?? []
        expect(
          columns.split(' ').filter((column) => column !== '' && !known.includes(column)),
          name,
        ).toEqual([])
      }
  })

  it('holds what its class says, for a person with something of everything', async () => {
    const test = await createTestBroker({ engine: 'sqlite' })
    const alice = await createErasable(test)
    const source = openSqliteSource(join(test.folder, 'broker.sqlite'))
    const found = new Set<string>()
    for (const table of TABLE_LAYOUTS)
      for await (const batch of source.rows(table))
        for (const row of batch)
          table.columns.forEach(({ name }, i) => {
            const value = row[i]
            const classes = classesOf(table, name)
            const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value ?? ''))
            for (const word of alice.planted)
              if (bytes.includes(word)) found.add(`${table.name}.${name} ${classes.join()}`)
            // Sealed texts name their cell; sealed bytes stand beside the name of theirs.
            if (classes[0] === 'sealed' && typeof value === 'string' && value !== '')
              expect(value, `${table.name}.${name}`).toMatch(/^cel_/)
          })
    await source.close()
    await test.close()
    expect([...found].sort()).toEqual(['saved_recipients.label epoch', 'saved_recipients.value epoch'])
  })
})
