import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import { describeEnforcementTables } from './enforcement-tables.ts'
import { describeEpochTables } from './epoch-tables.ts'
import { describeErasureTables } from './erasure-tables.ts'
import { describeLinkTables } from './link-tables.ts'
import { describeMemoryTables } from './memory-tables.ts'
import { describeNodeTables } from './node-tables.ts'
import { describeNoticeTables } from './notice-tables.ts'
import { describeOauthTables } from './oauth-tables.ts'
import { describePeopleTables } from './people-tables.ts'
import { describeReachTables } from './reach-tables.ts'
import { describeRevocationTables } from './revocation-tables.ts'

/**
 * Every table, described once for all engines. Amounts are minor units, times Unix milliseconds. Texts that
 * are hashed or signed are stored as text, never as a JSON type that could re-order them.
 */
export function describeTables(c: Columns) {
  const users = c.table('users', {
    id: c.text('id').primaryKey(),
    timeZone: c.text('time_zone').notNull(),
    createdAtMs: c.integer('created_at_ms').notNull(),
  })

  const agents = c.table(
    'agents',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      /** The first agent in a line of re-registrations; counters belong to it, so a new registration starts no new window. */
      lineageId: c.text('lineage_id').notNull(),
      name: c.text('name').notNull(),
      /** Both empty for an agent without a key of its own, which an OAuth client is. */
      publicJwk: c.text('public_jwk').notNull(),
      keyThumbprint: c.text('key_thumbprint').notNull(),
      /** The OAuth client it connected as; its name is only claimed then. Null for one its user registered. */
      clientId: c.text('client_id'),
      /** Where the client's answers go, or the domain that publishes its metadata. */
      clientHost: c.text('client_host'),
      /** JSON array of { id, deployment }. */
      deployments: c.text('deployments').notNull(),
      status: c.text('status').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('agents_by_user').on(t.userId),
      c.index('agents_by_key').on(t.userId, t.keyThumbprint),
    ],
  )

  const publishers = c.table('publishers', {
    id: c.text('id').primaryKey(),
    createdAtMs: c.integer('created_at_ms').notNull(),
  })

  const publisherKeys = c.table(
    'publisher_keys',
    {
      publisherId: c.text('publisher_id').notNull(),
      kid: c.text('kid').notNull(),
      jwk: c.text('jwk').notNull(),
      state: c.text('state').notNull(),
      addedBy: c.text('added_by').notNull(),
      addedAtMs: c.integer('added_at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.publisherId, t.kid] })],
  )

  const skills = c.table('skills', {
    id: c.text('id').primaryKey(),
    publisherId: c.text('publisher_id').notNull(),
    /** Null until a version is approved, and again while the current one is suspended: no silent way back. */
    currentDigest: c.text('current_digest'),
    highestVersion: c.integer('highest_version').notNull(),
    createdAtMs: c.integer('created_at_ms').notNull(),
  })

  const manifests = c.table(
    'manifests',
    {
      digest: c.text('digest').primaryKey(),
      skillId: c.text('skill_id').notNull(),
      version: c.integer('version').notNull(),
      publisherId: c.text('publisher_id').notNull(),
      canonical: c.text('canonical').notNull(),
      signature: c.text('signature').notNull(),
      kid: c.text('kid').notNull(),
      status: c.text('status').notNull(),
      /** Why an operator last changed the status; null while submitted. */
      reason: c.text('reason'),
      submittedAtMs: c.integer('submitted_at_ms').notNull(),
      changedAtMs: c.integer('changed_at_ms').notNull(),
    },
    (t) => [
      c.uniqueIndex('manifests_one_digest_per_version').on(t.skillId, t.version),
      c.index('manifests_by_status').on(t.status, t.submittedAtMs),
      c.index('manifests_by_key').on(t.publisherId, t.kid),
    ],
  )

  const consentRequests = c.table(
    'consent_requests',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      manifestDigest: c.text('manifest_digest').notNull(),
      terms: c.text('terms').notNull(),
      purpose: c.text('purpose').notNull(),
      status: c.text('status').notNull(),
      grantId: c.text('grant_id'),
      /** The grant whose outdated actions this request renews; null for a new grant. */
      renewsGrantId: c.text('renews_grant_id'),
      createdAtMs: c.integer('created_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      decidedAtMs: c.integer('decided_at_ms'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('consent_requests_by_user').on(t.userId, t.createdAtMs),
      c.index('consent_requests_by_time').on(t.createdAtMs),
    ],
  )

  const grants = c.table(
    'grants',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      lineageId: c.text('lineage_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      terms: c.text('terms').notNull(),
      /** JSON: action name -> digest of the manifest the user consented to for it. */
      consented: c.text('consented').notNull(),
      revision: c.integer('revision').notNull(),
      status: c.text('status').notNull(),
      oneTime: c.boolean('one_time').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      changedAtMs: c.integer('changed_at_ms').notNull(),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('grants_by_pair').on(t.userId, t.agentId, t.skillId, t.status),
      c.index('grants_by_user').on(t.userId, t.createdAtMs),
      c.index('grants_by_skill').on(t.skillId, t.userId),
    ],
  )

  const userBudgets = c.table(
    'user_budgets',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      /** 'user', 'agent' or 'skill'. */
      scope: c.text('scope').notNull(),
      /** The agent's lineage or the skill; empty for the user as a whole. */
      scopeId: c.text('scope_id').notNull(),
      budget: c.text('budget').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.id), c.index('user_budgets_by_user').on(t.userId)],
  )

  const savedRecipients = c.table(
    'saved_recipients',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      label: c.text('label').notNull(),
      value: c.text('value').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.id), c.uniqueIndex('saved_recipients_by_value').on(t.userId, t.value)],
  )

  const counters = c.table(
    'counters',
    {
      userId: c.text('user_id').notNull(),
      /** Says all there is to know of what is counted; scope and currency stand beside it to be searched by. */
      counterId: c.text('counter_id').notNull(),
      /** A null part of the scope covers everything. */
      lineageId: c.text('lineage_id'),
      skillId: c.text('skill_id'),
      action: c.text('action'),
      currency: c.text('currency'),
      zone: c.text('zone').notNull(),
      tailMs: c.integer('tail_ms').notNull(),
      periodStartMs: c.integer('period_start_ms').notNull(),
      periodEndMs: c.integer('period_end_ms').notNull(),
      held: c.integer('held').notNull(),
      captured: c.integer('captured').notNull(),
      /** The highest the sum may stand at: the limit of the last permit, so the database itself refuses to overspend. */
      ceiling: c.integer('ceiling').notNull(),
    },
    (t) => [
      c.primaryKey({ columns: [t.userId, t.counterId] }),
      c.check('counters_held_not_negative', sql`held >= 0`),
      c.check('counters_captured_not_negative', sql`captured >= 0`),
      c.check('counters_within_ceiling', sql`held + captured <= ceiling`),
      c.check('counters_safe_integers', sql`ceiling <= 9007199254740991`),
    ],
  )

  const actions = c.table(
    'actions',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      lineageId: c.text('lineage_id').notNull(),
      idempotencyKey: c.text('idempotency_key').notNull(),
      requestDigest: c.text('request_digest').notNull(),
      skillId: c.text('skill_id').notNull(),
      action: c.text('action').notNull(),
      /** waiting, refused, dispatched, in_doubt, succeeded, refused_by_skill, failed, overtaken, outcome_unknown. */
      status: c.text('status').notNull(),
      reason: c.text('reason').notNull(),
      deploymentId: c.text('deployment_id').notNull(),
      manifestDigest: c.text('manifest_digest'),
      grantId: c.text('grant_id'),
      approvalId: c.text('approval_id'),
      /** The event id of the decision's leaf; null where an equal refusal was only counted. */
      eventId: c.text('event_id'),
      leafHash: c.bytes('leaf_hash'),
      brokerKey: c.text('broker_key'),
      /** Base64url SHA-256 of the bytes sent to the skill; what its receipts must speak of. */
      sentDigest: c.text('sent_digest'),
      sessionId: c.text('session_id').notNull(),
      currency: c.text('currency'),
      reservedMinor: c.integer('reserved_minor'),
      heldMinor: c.integer('held_minor').notNull(),
      capturedMinor: c.integer('captured_minor').notNull(),
      overrunMinor: c.integer('overrun_minor').notNull(),
      /** The time the reservation counts at; null until permitted. */
      reservedAtMs: c.integer('reserved_at_ms'),
      asked: c.boolean('asked').notNull(),
      counted: c.boolean('counted').notNull(),
      settleEventId: c.text('settle_event_id'),
      settledBy: c.text('settled_by'),
      createdAtMs: c.integer('created_at_ms').notNull(),
      decidedAtMs: c.integer('decided_at_ms').notNull(),
      settledAtMs: c.integer('settled_at_ms'),
      nextCheckAtMs: c.integer('next_check_at_ms'),
      /** The process that was permitted to send it, or the enforcement point that carries it out; null before a permit, and in rows of one process alone. */
      nodeId: c.text('node_id'),
      /** When it was first not known what became of it: no call may have been allowed to begin later. */
      doubtedAtMs: c.integer('doubted_at_ms'),
      settleLeafHash: c.bytes('settle_leaf_hash'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.uniqueIndex('actions_one_per_key').on(t.userId, t.agentId, t.idempotencyKey),
      /** Finds a user's legs too: what is permitted counts from the moment of its decision. */
      c.index('actions_by_user').on(t.userId, t.decidedAtMs),
      c.index('actions_by_time').on(t.decidedAtMs),
      /** Small whatever the history: a row leaves it when it is settled. */
      c
        .index('actions_unsettled')
        .on(t.userId, t.createdAtMs)
        .where(sql`status in ('dispatched', 'in_doubt')`),
      /** Asked every second, so what is merely on its way must not stand in it. */
      c.index('actions_in_doubt').on(t.nextCheckAtMs).where(sql`status = 'in_doubt'`),
      c.check('actions_count_when_decided', sql`reserved_at_ms is null or reserved_at_ms = decided_at_ms`),
      c.check('actions_held_not_negative', sql`held_minor >= 0`),
      c.check('actions_captured_not_negative', sql`captured_minor >= 0`),
      c.check('actions_overrun_not_negative', sql`overrun_minor >= 0`),
      c.check(
        'actions_take_at_most_the_reserved',
        sql`held_minor + captured_minor <= coalesce(reserved_minor, 0)`,
      ),
    ],
  )

  const approvals = c.table(
    'approvals',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      action: c.text('action').notNull(),
      actionId: c.text('action_id').notNull(),
      digest: c.text('digest').notNull(),
      /** JSON array of the ask-first rules that matched. */
      questions: c.text('questions').notNull(),
      /** The event whose body holds the preview that was shown; null where the manifest has none. */
      previewEventId: c.text('preview_event_id'),
      previewDigest: c.text('preview_digest'),
      status: c.text('status').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      decidedAtMs: c.integer('decided_at_ms'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('approvals_by_user').on(t.userId, t.status, t.createdAtMs),
      c.index('approvals_by_action').on(t.actionId),
      c.index('approvals_by_pair').on(t.userId, t.agentId, t.skillId, t.status),
      /** Who asks too much is looked for over all users. */
      c.index('approvals_by_time').on(t.createdAtMs),
    ],
  )

  const freezes = c.table('freezes', {
    /** kind:target, such as skill:coffee.order; platform:* covers everything. A row means frozen. */
    id: c.text('id').primaryKey(),
    kind: c.text('kind').notNull(),
    target: c.text('target').notNull(),
    includesCleanUp: c.boolean('includes_clean_up').notNull(),
    reason: c.text('reason').notNull(),
    operatorId: c.text('operator_id').notNull(),
    createdAtMs: c.integer('created_at_ms').notNull(),
  })

  const incidents = c.table(
    'incidents',
    {
      id: c.text('id').primaryKey(),
      kind: c.text('kind').notNull(),
      userId: c.text('user_id'),
      skillId: c.text('skill_id').notNull(),
      actionId: c.text('action_id'),
      detail: c.text('detail').notNull(),
      /** Whether this skill's spending for this user stands still until the incident is closed. */
      stopsSpending: c.boolean('stops_spending').notNull(),
      status: c.text('status').notNull(),
      openedAtMs: c.integer('opened_at_ms').notNull(),
      closedAtMs: c.integer('closed_at_ms'),
    },
    (t) => [
      c.index('incidents_by_status').on(t.status, t.openedAtMs),
      c.index('incidents_by_user').on(t.userId, t.skillId, t.status),
    ],
  )

  const debts = c.table(
    'debts',
    {
      /** The execution that made the debt. */
      actionId: c.id('action_id'),
      userId: c.text('user_id').notNull(),
      payee: c.text('payee').notNull(),
      amountMinor: c.integer('amount_minor').notNull(),
      currency: c.text('currency').notNull(),
      /** The payment that settles it; set by the permit, cleared when that payment is released. */
      paidByActionId: c.text('paid_by_action_id'),
    },
    (t) => [...c.ownedBy(t.userId, t.actionId), c.index('debts_by_payment').on(t.paidByActionId)],
  )

  const commitments = c.table(
    'commitments',
    {
      actionId: c.id('action_id'),
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      grantId: c.text('grant_id').notNull(),
      times: c.integer('times').notNull(),
      status: c.text('status').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.actionId), c.index('commitments_by_user').on(t.userId, t.status)],
  )

  const seenRecipients = c.table(
    'seen_recipients',
    {
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** HMAC of the recipient under the user's key: enough to know it again, not to read it. */
      recipient: c.text('recipient').notNull(),
      firstAtMs: c.integer('first_at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.userId, t.skillId, t.recipient] })],
  )

  const sessions = c.table(
    'sessions',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      startedAtMs: c.integer('started_at_ms').notNull(),
      lastSeenAtMs: c.integer('last_seen_at_ms').notNull(),
      readUntrusted: c.boolean('read_untrusted').notNull(),
      /** JSON array of the data categories the agent has read in this session. */
      categories: c.text('categories').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.id)],
  )

  const logLeaves = c.table('log_leaves', {
    leafIndex: c.integer('leaf_index').primaryKey(),
    eventId: c.text('event_id').notNull().unique(),
    leaf: c.bytes('leaf').notNull(),
    leafHash: c.bytes('leaf_hash').notNull(),
    atMs: c.integer('at_ms').notNull(),
  })

  const logNodes = c.table(
    'log_nodes',
    {
      level: c.integer('level').notNull(),
      nodeIndex: c.integer('node_index').notNull(),
      hash: c.bytes('hash').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.level, t.nodeIndex] })],
  )

  const logCheckpoints = c.table('log_checkpoints', {
    treeSize: c.integer('tree_size').primaryKey(),
    rootHash: c.bytes('root_hash').notNull(),
    note: c.text('note').notNull(),
    atMs: c.integer('at_ms').notNull(),
  })

  const leafParts = c.table(
    'leaf_parts',
    {
      eventId: c.text('event_id').notNull(),
      part: c.text('part').notNull(),
      cellId: c.text('cell_id').notNull(),
      commitment: c.bytes('commitment').notNull(),
      sealed: c.bytes('sealed').notNull(),
      /** Whom the event is about; empty where it is nobody. */
      userId: c.text('user_id').notNull().default(''),
    },
    (t) => [c.ownedKey(t.userId, [t.eventId, t.part])],
  )

  return {
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
    ...describeReachTables(c),
    ...describeRevocationTables(c),
    ...describeLinkTables(c),
    ...describeMemoryTables(c),
    ...describeEpochTables(c),
    ...describeErasureTables(c),
    ...describeNodeTables(c),
    ...describeEnforcementTables(c),
    ...describeNoticeTables(c),
    ...describePeopleTables(c),
    ...describeOauthTables(c),
  }
}
