import { prepareActions } from './repositories/actions.ts'
import { prepareAgentCallbacks } from './repositories/agent-callbacks.ts'
import { prepareAgents } from './repositories/agents.ts'
import { prepareApprovals } from './repositories/approvals.ts'
import { prepareAskedCounts } from './repositories/asked-counts.ts'
import { prepareBudgets } from './repositories/budgets.ts'
import { prepareCeremonies } from './repositories/ceremonies.ts'
import { prepareChannels } from './repositories/channels.ts'
import { prepareCommitments } from './repositories/commitments.ts'
import { prepareConsentRequests } from './repositories/consent-requests.ts'
import { prepareCounters } from './repositories/counters.ts'
import { prepareDebts } from './repositories/debts.ts'
import { prepareDecisionHeads } from './repositories/decision-heads.ts'
import { prepareDeploymentMarks } from './repositories/deployment-marks.ts'
import { prepareEnforcementPoints } from './repositories/enforcement-points.ts'
import { prepareEnrolments } from './repositories/enrolments.ts'
import { prepareErasures } from './repositories/erasures.ts'
import { prepareEventDeliveries } from './repositories/event-deliveries.ts'
import { prepareFreezes } from './repositories/freezes.ts'
import { prepareGrantWatches } from './repositories/grant-watches.ts'
import { prepareGrants } from './repositories/grants.ts'
import { prepareIncidents } from './repositories/incidents.ts'
import { prepareKeyChecks } from './repositories/key-checks.ts'
import { prepareLeases } from './repositories/leases.ts'
import { prepareLegalHolds } from './repositories/legal-holds.ts'
import { prepareLinkAttempts } from './repositories/link-attempts.ts'
import { prepareLinkedAccounts } from './repositories/linked-accounts.ts'
import { prepareLog } from './repositories/log.ts'
import { prepareLogQueue } from './repositories/log-queue.ts'
import { prepareManifests } from './repositories/manifests.ts'
import { prepareMemoryItems } from './repositories/memory-items.ts'
import { prepareOauthClients } from './repositories/oauth-clients.ts'
import { prepareOauthRecords } from './repositories/oauth-records.ts'
import { prepareOutbox } from './repositories/outbox.ts'
import { preparePasskeys } from './repositories/passkeys.ts'
import { preparePastLogs } from './repositories/past-logs.ts'
import { preparePeople } from './repositories/people.ts'
import { preparePersonAccounts } from './repositories/person-accounts.ts'
import { preparePersonSessions } from './repositories/person-sessions.ts'
import { preparePersonalRows } from './repositories/personal-rows.ts'
import { preparePublishers } from './repositories/publishers.ts'
import { prepareRecipients } from './repositories/recipients.ts'
import { prepareRecoveryCodes } from './repositories/recovery-codes.ts'
import type { Preparation } from './repositories/repository.ts'
import { prepareRestoreLifts } from './repositories/restore-lifts.ts'
import { prepareRevocations } from './repositories/revocations.ts'
import { prepareSessions } from './repositories/sessions.ts'
import { prepareSkillDuties } from './repositories/skill-duties.ts'
import { prepareSkillNotices } from './repositories/skill-notices.ts'
import { prepareSkills } from './repositories/skills.ts'
import { prepareStatusEntries } from './repositories/status-entries.ts'
import { prepareTerminalLogins } from './repositories/terminal-logins.ts'
import { prepareTokenFamilies } from './repositories/token-families.ts'
import { prepareUndos } from './repositories/undos.ts'
import { prepareUsers } from './repositories/users.ts'

/** Prepares every statement once for one connection. */
export function prepareQueries(preparation: Preparation) {
  return {
    users: prepareUsers(preparation),
    agents: prepareAgents(preparation),
    publishers: preparePublishers(preparation),
    skills: prepareSkills(preparation),
    manifests: prepareManifests(preparation),
    consentRequests: prepareConsentRequests(preparation),
    grants: prepareGrants(preparation),
    budgets: prepareBudgets(preparation),
    recipients: prepareRecipients(preparation),
    counters: prepareCounters(preparation),
    actions: prepareActions(preparation),
    approvals: prepareApprovals(preparation),
    freezes: prepareFreezes(preparation),
    incidents: prepareIncidents(preparation),
    debts: prepareDebts(preparation),
    decisionHeads: prepareDecisionHeads(preparation),
    commitments: prepareCommitments(preparation),
    sessions: prepareSessions(preparation),
    people: preparePeople(preparation),
    personSessions: preparePersonSessions(preparation),
    passkeys: preparePasskeys(preparation),
    personAccounts: preparePersonAccounts(preparation),
    recoveryCodes: prepareRecoveryCodes(preparation),
    enrolments: prepareEnrolments(preparation),
    ceremonies: prepareCeremonies(preparation),
    terminalLogins: prepareTerminalLogins(preparation),
    oauthRecords: prepareOauthRecords(preparation),
    oauthClients: prepareOauthClients(preparation),
    tokenFamilies: prepareTokenFamilies(preparation),
    leases: prepareLeases(preparation),
    enforcementPoints: prepareEnforcementPoints(preparation),
    keyChecks: prepareKeyChecks(preparation),
    askedCounts: prepareAskedCounts(preparation),
    channels: prepareChannels(preparation),
    grantWatches: prepareGrantWatches(preparation),
    linkAttempts: prepareLinkAttempts(preparation),
    linkedAccounts: prepareLinkedAccounts(preparation),
    memoryItems: prepareMemoryItems(preparation),
    outbox: prepareOutbox(preparation),
    statusEntries: prepareStatusEntries(preparation),
    revocations: prepareRevocations(preparation),
    eventDeliveries: prepareEventDeliveries(preparation),
    agentCallbacks: prepareAgentCallbacks(preparation),
    undos: prepareUndos(preparation),
    logQueue: prepareLogQueue(preparation),
    log: prepareLog(preparation),
    pastLogs: preparePastLogs(preparation),
    erasures: prepareErasures(preparation),
    legalHolds: prepareLegalHolds(preparation),
    personalRows: preparePersonalRows(preparation),
    skillDuties: prepareSkillDuties(preparation),
    skillNotices: prepareSkillNotices(preparation),
    restoreLifts: prepareRestoreLifts(preparation),
    deploymentMarks: prepareDeploymentMarks(preparation),
  }
}

export type Queries = ReturnType<typeof prepareQueries>
