import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import { given } from '../dialect.ts'
import type { Preparation } from './repository.ts'

/** What an erasure of one skill's or one agent's data does to a user's rows. */
export function prepareRowsOfParts({ db, t, d }: Preparation) {
  const p = sql.placeholder
  const { actions, agents, approvals, consentRequests, debts, grants, leafParts } = t
  /** An action's key stays where its agent could still send it: it must not be done a second time. */
  const forgotten = { requestDigest: '', sentDigest: null, deploymentId: '', sessionId: '', approvalId: null }
  const user = p('userId')
  const part = and(
    eq(leafParts.eventId, p('eventId')),
    eq(leafParts.part, p('part')),
    eq(leafParts.userId, user),
  )
  return {
    ofSkill: [
      d.prepare(
        'personal_skill_consent_requests',
        db
          .delete(consentRequests)
          .where(
            and(
              eq(consentRequests.userId, user),
              eq(consentRequests.skillId, p('skillId')),
              sql`${consentRequests.status} <> 'pending'`,
            ),
          ),
      ),
      d.prepare(
        'personal_skill_approvals',
        db
          .delete(approvals)
          .where(
            and(
              eq(approvals.userId, user),
              eq(approvals.skillId, p('skillId')),
              sql`${approvals.status} not in ('waiting', 'approved')`,
            ),
          ),
      ),
      d.prepare(
        'personal_skill_grants',
        db
          .delete(grants)
          .where(
            and(
              eq(grants.userId, user),
              eq(grants.skillId, p('skillId')),
              sql`${grants.status} not in ('active', 'suspended', 'paused')`,
            ),
          ),
      ),
      d.prepare(
        'personal_skill_seen_recipients',
        db
          .delete(t.seenRecipients)
          .where(and(eq(t.seenRecipients.userId, user), eq(t.seenRecipients.skillId, p('skillId')))),
      ),
      d.prepare(
        'personal_skill_debts',
        db
          .update(debts)
          .set({ payee: '' })
          .where(
            and(
              eq(debts.userId, user),
              isNotNull(debts.paidByActionId),
              inArray(
                debts.actionId,
                db
                  .select({ id: actions.id })
                  .from(actions)
                  .where(and(eq(actions.userId, user), eq(actions.skillId, p('skillId')))),
              ),
            ),
          ),
      ),
      d.prepare(
        'personal_skill_actions',
        db
          .update(actions)
          .set(forgotten)
          .where(
            and(
              eq(actions.userId, user),
              eq(actions.skillId, p('skillId')),
              sql`${actions.status} in ('refused', 'succeeded', 'refused_by_skill', 'failed', 'overtaken')`,
            ),
          ),
      ),
    ],
    ofAgent: [
      d.prepare(
        'personal_agent_oauth_records',
        db.delete(t.oauthRecords).where(
          and(
            eq(t.oauthRecords.userId, user),
            inArray(
              t.oauthRecords.familyId,
              db
                .select({ id: t.tokenFamilies.id })
                .from(t.tokenFamilies)
                .where(and(eq(t.tokenFamilies.userId, user), eq(t.tokenFamilies.agentId, p('agentId')))),
            ),
          ),
        ),
      ),
      d.prepare(
        'personal_agent_sessions',
        db.delete(t.sessions).where(and(eq(t.sessions.userId, user), eq(t.sessions.agentId, p('agentId')))),
      ),
      // Thirty seconds and more after it was told that it is disconnected; what it did not hear by then it is refused by.
      d.prepare(
        'personal_agent_callbacks',
        db
          .delete(t.agentCallbacks)
          .where(and(eq(t.agentCallbacks.userId, user), eq(t.agentCallbacks.agentId, p('agentId')))),
      ),
      d.prepare(
        'personal_agent_consent_requests',
        db
          .delete(consentRequests)
          .where(and(eq(consentRequests.userId, user), eq(consentRequests.agentId, p('agentId')))),
      ),
      d.prepare(
        'personal_agent_approvals',
        db.delete(approvals).where(and(eq(approvals.userId, user), eq(approvals.agentId, p('agentId')))),
      ),
      d.prepare(
        'personal_agent_grant_watches',
        db.delete(t.grantWatches).where(
          and(
            eq(t.grantWatches.userId, user),
            inArray(
              t.grantWatches.grantId,
              db
                .select({ id: grants.id })
                .from(grants)
                .where(and(eq(grants.userId, user), eq(grants.agentId, p('agentId')))),
            ),
          ),
        ),
      ),
      d.prepare(
        'personal_agent_grants',
        db.delete(grants).where(and(eq(grants.userId, user), eq(grants.agentId, p('agentId')))),
      ),
      d.prepare(
        'personal_agent_actions',
        db
          .update(actions)
          .set({ ...forgotten, idempotencyKey: sql`'erased ' || ${actions.id}` })
          .where(and(eq(actions.userId, user), eq(actions.agentId, p('agentId')))),
      ),
      d.prepare(
        'personal_agent_scrub',
        db
          .update(agents)
          .set({ name: '', clientHost: null, deployments: '[]' })
          .where(and(eq(agents.userId, user), eq(agents.id, p('agentId')))),
      ),
    ],
    skillsOf: d.prepare(
      'personal_skills_of',
      db
        .selectDistinct({ skillId: actions.skillId })
        .from(actions)
        .where(eq(actions.userId, user))
        .orderBy(actions.skillId),
    ),
    markErased: d.prepare(
      'personal_part_erased',
      db
        .update(leafParts)
        .set({ cellId: given(leafParts.cellId, 'erasureId'), sealed: given(leafParts.sealed, 'nothing') })
        .where(part),
    ),
    keepResealed: d.prepare(
      'personal_part_resealed',
      db
        .update(leafParts)
        .set({ cellId: given(leafParts.cellId, 'cellId'), sealed: given(leafParts.sealed, 'sealed') })
        .where(and(part, eq(leafParts.cellId, p('fromCellId')))),
    ),
  }
}
