import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import type { AnySQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { PartPlace, ResealedPart } from '../../ports/erasure-rows.ts'
import type { PersonalRows } from '../../ports/erasure-store.ts'
import { done, mapped, type Preparation, Repository } from './repository.ts'
import { prepareRowsOfParts } from './rows-of-parts.ts'

export function preparePersonalRows(preparation: Preparation) {
  const { db, t, d } = preparation
  const p = sql.placeholder
  const removal = (name: string, table: SQLiteTable, userId: AnySQLiteColumn, kind?: AnySQLiteColumn) =>
    d.prepare(
      `personal_${name}_remove`,
      // An operator may be called like a user.
      db
        .delete(table)
        .where(kind ? and(eq(userId, p('userId')), eq(kind, sql.raw("'user'"))) : eq(userId, p('userId'))),
    )
  return {
    signIn: [
      removal('person_sessions', t.personSessions, t.personSessions.personId, t.personSessions.kind),
      removal('passkeys', t.passkeys, t.passkeys.personId, t.passkeys.kind),
      removal('person_accounts', t.personAccounts, t.personAccounts.personId, t.personAccounts.kind),
      removal('recovery_codes', t.recoveryCodes, t.recoveryCodes.personId, t.recoveryCodes.kind),
      removal('enrolments', t.enrolments, t.enrolments.personId, t.enrolments.kind),
      removal('terminal_logins', t.terminalLogins, t.terminalLogins.personId, t.terminalLogins.kind),
      removal('oauth_records', t.oauthRecords, t.oauthRecords.userId),
      removal('link_attempts', t.linkAttempts, t.linkAttempts.userId),
    ],
    authority: [
      removal('agents', t.agents, t.agents.userId),
      removal('grants', t.grants, t.grants.userId),
      removal('grant_watches', t.grantWatches, t.grantWatches.userId),
      removal('consent_requests', t.consentRequests, t.consentRequests.userId),
      removal('approvals', t.approvals, t.approvals.userId),
      removal('sessions', t.sessions, t.sessions.userId),
      removal('token_families', t.tokenFamilies, t.tokenFamilies.userId),
      removal('user_budgets', t.userBudgets, t.userBudgets.userId),
      removal('saved_recipients', t.savedRecipients, t.savedRecipients.userId),
      removal('seen_recipients', t.seenRecipients, t.seenRecipients.userId),
      removal('linked_accounts', t.linkedAccounts, t.linkedAccounts.userId),
      removal('revocations', t.revocations, t.revocations.userId),
      removal('revoked_actions', t.revokedActions, t.revokedActions.userId),
      removal('agent_callbacks', t.agentCallbacks, t.agentCallbacks.userId),
      removal('undos', t.undos, t.undos.userId),
      // What was told is forgotten; what is still to be told goes out, and knows a skill's pairwise id alone.
      d.prepare(
        'personal_event_deliveries_told',
        db
          .delete(t.eventDeliveries)
          .where(
            and(eq(t.eventDeliveries.userId, p('userId')), sql`${t.eventDeliveries.status} <> 'waiting'`),
          ),
      ),
      d.prepare(
        'personal_event_deliveries_scrub',
        db
          .update(t.eventDeliveries)
          .set({ userId: '', revocationId: '' })
          .where(eq(t.eventDeliveries.userId, p('userId'))),
      ),
      // The place stays taken for ever, and says that whatever it was is over.
      d.prepare(
        'personal_status_entries_scrub',
        db
          .update(t.statusEntries)
          .set({ grantId: '', userId: '', agentId: '', skillId: '', status: 1 })
          .where(eq(t.statusEntries.userId, p('userId'))),
      ),
      removal('memory_items', t.memoryItems, t.memoryItems.userId),
      removal('skill_duties', t.skillDuties, t.skillDuties.userId),
      removal('skill_notices', t.skillNotices, t.skillNotices.userId),
    ],
    reach: [removal('channels', t.channels, t.channels.userId), removal('outbox', t.outbox, t.outbox.userId)],
    messages: removal('messages', t.outbox, t.outbox.userId),
    ledger: [
      d.prepare(
        'personal_actions_scrub',
        db
          .update(t.actions)
          .set({
            // One of its own for each, so that the key is still unique; no caller can send it.
            idempotencyKey: sql`'erased ' || ${t.actions.id}`,
            requestDigest: '',
            sentDigest: null,
            deploymentId: '',
            sessionId: '',
            approvalId: null,
          })
          .where(eq(t.actions.userId, p('userId'))),
      ),
      d.prepare(
        'personal_debts_scrub',
        db
          .update(t.debts)
          .set({ payee: '' })
          .where(eq(t.debts.userId, p('userId'))),
      ),
      d.prepare(
        'personal_users_scrub',
        db
          .update(t.users)
          .set({ timeZone: 'UTC' })
          .where(eq(t.users.id, p('userId'))),
      ),
    ],
    ...prepareRowsOfParts(preparation),
    unsent: d.prepare(
      'personal_outbox_unsent',
      db
        .select({ count: sql<number>`cast(count(*) as integer)`.as('count') })
        .from(t.outbox)
        .where(and(eq(t.outbox.userId, p('userId')), isNull(t.outbox.sentAtMs))),
    ),
    partsAfter: d.prepare(
      'personal_parts_after',
      db
        .select({
          eventId: t.leafParts.eventId,
          part: t.leafParts.part,
          userId: t.leafParts.userId,
          cellId: t.leafParts.cellId,
        })
        .from(t.leafParts)
        .where(gt(t.leafParts.eventId, p('eventId')))
        .orderBy(asc(t.leafParts.eventId), asc(t.leafParts.part))
        .limit(p('limit')),
    ),
    actionEvents: d.prepare(
      'personal_action_events',
      db
        .select({
          agentId: t.actions.agentId,
          eventId: t.actions.eventId,
          settleEventId: t.actions.settleEventId,
        })
        .from(t.actions)
        .where(eq(t.actions.userId, p('userId'))),
    ),
  }
}

type Queries = ReturnType<typeof preparePersonalRows>

export class PersonalRowRepository extends Repository<Queries> implements PersonalRows {
  removeSignIn(userId: string) {
    return this.#all(this.q.signIn, userId)
  }

  removeAuthority(userId: string) {
    return this.#all(this.q.authority, userId)
  }

  scrubLedger(userId: string) {
    return this.#all(this.q.ledger, userId)
  }

  skillsOf(userId: string) {
    return mapped(this.run(this.q.skillsOf, { userId }), ({ skillId }) => skillId)
  }

  removeOfSkill(userId: string, skillId: string) {
    return this.#all(this.q.ofSkill, userId, { skillId })
  }

  removeOfAgent(userId: string, agentId: string) {
    return this.#all(this.q.ofAgent, userId, { agentId })
  }

  markErased({ eventId, part, userId }: PartPlace, erasureId: string) {
    return done(this.run(this.q.markErased, { eventId, part, userId, erasureId, nothing: Buffer.alloc(0) }))
  }

  keepResealed({ eventId, part, userId, cellId, sealed }: ResealedPart, fromCellId: string) {
    return done(this.run(this.q.keepResealed, { eventId, part, userId, cellId, sealed, fromCellId }))
  }

  removeReach(userId: string) {
    return this.#all(this.q.reach, userId)
  }

  removeMessages(userId: string) {
    return done(this.run(this.q.messages, { userId }))
  }

  async unsentMessages(userId: string) {
    return (await mapped(this.run(this.q.unsent, { userId }), ({ count }) => Number(count)))[0] ?? 0
  }

  partsAfter(eventId: string, limit: number) {
    return this.run(this.q.partsAfter, { eventId, limit })
  }

  actionEvents(userId: string) {
    return this.run(this.q.actionEvents, { userId })
  }

  async #all(queries: Queries['signIn'], userId: string, of: Readonly<Record<string, string>> = {}) {
    for (const query of queries) await this.run(query, { userId, ...of })
  }
}
