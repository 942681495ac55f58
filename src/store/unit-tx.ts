import type { Tx } from '../ports/store.ts'
import type { Queries } from './queries.ts'
import { ActionRepository } from './repositories/actions.ts'
import { AgentCallbackRepository } from './repositories/agent-callbacks.ts'
import { AgentRepository } from './repositories/agents.ts'
import { ApprovalRepository } from './repositories/approvals.ts'
import { AskedCountRepository } from './repositories/asked-counts.ts'
import { BudgetRepository } from './repositories/budgets.ts'
import { CeremonyRepository } from './repositories/ceremonies.ts'
import { ChannelRepository } from './repositories/channels.ts'
import { CommitmentRepository } from './repositories/commitments.ts'
import { ConsentRequestRepository } from './repositories/consent-requests.ts'
import { CounterRepository } from './repositories/counters.ts'
import { DebtRepository } from './repositories/debts.ts'
import { DecisionHeadRepository } from './repositories/decision-heads.ts'
import { DeploymentMarkRepository } from './repositories/deployment-marks.ts'
import { EnforcementPointRepository } from './repositories/enforcement-points.ts'
import { EnrolmentRepository } from './repositories/enrolments.ts'
import { ErasureRepository } from './repositories/erasures.ts'
import { EventDeliveryRepository } from './repositories/event-deliveries.ts'
import { FreezeRepository } from './repositories/freezes.ts'
import { GrantWatchRepository } from './repositories/grant-watches.ts'
import { GrantRepository } from './repositories/grants.ts'
import { IncidentRepository } from './repositories/incidents.ts'
import { KeyCheckRepository } from './repositories/key-checks.ts'
import { LeaseRepository } from './repositories/leases.ts'
import { LegalHoldRepository } from './repositories/legal-holds.ts'
import { LinkAttemptRepository } from './repositories/link-attempts.ts'
import { LinkedAccountRepository } from './repositories/linked-accounts.ts'
import { LogRepository, type Sequence } from './repositories/log.ts'
import { LogQueueRepository, type QueueAccess } from './repositories/log-queue.ts'
import { ManifestRepository } from './repositories/manifests.ts'
import { MemoryItemRepository } from './repositories/memory-items.ts'
import { OauthClientRepository } from './repositories/oauth-clients.ts'
import { OauthRecordRepository } from './repositories/oauth-records.ts'
import { OutboxRepository } from './repositories/outbox.ts'
import { PasskeyRepository } from './repositories/passkeys.ts'
import { PastLogRepository } from './repositories/past-logs.ts'
import { PeopleRepository } from './repositories/people.ts'
import { PersonAccountRepository } from './repositories/person-accounts.ts'
import { PersonSessionRepository } from './repositories/person-sessions.ts'
import { PersonalRowRepository } from './repositories/personal-rows.ts'
import { PublisherRepository } from './repositories/publishers.ts'
import { RecipientRepository } from './repositories/recipients.ts'
import { RecoveryCodeRepository } from './repositories/recovery-codes.ts'
import type { Run } from './repositories/repository.ts'
import { RestoreLiftRepository } from './repositories/restore-lifts.ts'
import { RevocationRepository } from './repositories/revocations.ts'
import { SessionRepository } from './repositories/sessions.ts'
import { SkillDutyRepository } from './repositories/skill-duties.ts'
import { SkillNoticeRepository } from './repositories/skill-notices.ts'
import { SkillRepository } from './repositories/skills.ts'
import { StatusEntryRepository } from './repositories/status-entries.ts'
import { TerminalLoginRepository } from './repositories/terminal-logins.ts'
import { TokenFamilyRepository } from './repositories/token-families.ts'
import { UndoRepository } from './repositories/undos.ts'
import { UserRepository } from './repositories/users.ts'

export type UnitOf = {
  run: Run
  queries: Queries
  sequence: Sequence
  /** Where leaves stand in line; left out where they never do. */
  queue?: QueueAccess
  nowMs: number
  clockTrusted: boolean
}

/** The repositories of one unit of work. Made when first asked for: a decision uses a handful of them. */
export class UnitTx implements Tx {
  readonly #unit: UnitOf

  constructor(unit: UnitOf) {
    this.#unit = unit
  }

  get nowMs() {
    return this.#unit.nowMs
  }

  get clockTrusted() {
    return this.#unit.clockTrusted
  }

  get users() {
    return new UserRepository(this.#unit.run, this.#unit.queries.users)
  }

  get agents() {
    return new AgentRepository(this.#unit.run, this.#unit.queries.agents)
  }

  get decisionHeads() {
    return new DecisionHeadRepository(this.#unit.run, this.#unit.queries.decisionHeads)
  }

  get publishers() {
    return new PublisherRepository(this.#unit.run, this.#unit.queries.publishers)
  }

  get skills() {
    return new SkillRepository(this.#unit.run, this.#unit.queries.skills)
  }

  get manifests() {
    return new ManifestRepository(this.#unit.run, this.#unit.queries.manifests)
  }

  get consentRequests() {
    return new ConsentRequestRepository(this.#unit.run, this.#unit.queries.consentRequests)
  }

  get grants() {
    return new GrantRepository(this.#unit.run, this.#unit.queries.grants)
  }

  get budgets() {
    return new BudgetRepository(this.#unit.run, this.#unit.queries.budgets)
  }

  get recipients() {
    return new RecipientRepository(this.#unit.run, this.#unit.queries.recipients)
  }

  get counters() {
    return new CounterRepository(this.#unit.run, this.#unit.queries.counters)
  }

  get actions() {
    return new ActionRepository(this.#unit.run, this.#unit.queries.actions)
  }

  get approvals() {
    return new ApprovalRepository(this.#unit.run, this.#unit.queries.approvals)
  }

  get freezes() {
    return new FreezeRepository(this.#unit.run, this.#unit.queries.freezes)
  }

  get incidents() {
    return new IncidentRepository(this.#unit.run, this.#unit.queries.incidents)
  }

  get debts() {
    return new DebtRepository(this.#unit.run, this.#unit.queries.debts)
  }

  get commitments() {
    return new CommitmentRepository(this.#unit.run, this.#unit.queries.commitments)
  }

  get sessions() {
    return new SessionRepository(this.#unit.run, this.#unit.queries.sessions)
  }

  get people() {
    return new PeopleRepository(this.#unit.run, this.#unit.queries.people)
  }

  get personSessions() {
    return new PersonSessionRepository(this.#unit.run, this.#unit.queries.personSessions)
  }

  get passkeys() {
    return new PasskeyRepository(this.#unit.run, this.#unit.queries.passkeys)
  }

  get personAccounts() {
    return new PersonAccountRepository(this.#unit.run, this.#unit.queries.personAccounts)
  }

  get recoveryCodes() {
    return new RecoveryCodeRepository(this.#unit.run, this.#unit.queries.recoveryCodes)
  }

  get enrolments() {
    return new EnrolmentRepository(this.#unit.run, this.#unit.queries.enrolments)
  }

  get ceremonies() {
    return new CeremonyRepository(this.#unit.run, this.#unit.queries.ceremonies)
  }

  get terminalLogins() {
    return new TerminalLoginRepository(this.#unit.run, this.#unit.queries.terminalLogins)
  }

  get enforcementPoints() {
    return new EnforcementPointRepository(this.#unit.run, this.#unit.queries.enforcementPoints)
  }

  get leases() {
    return new LeaseRepository(this.#unit.run, this.#unit.queries.leases)
  }

  get keyChecks() {
    return new KeyCheckRepository(this.#unit.run, this.#unit.queries.keyChecks)
  }

  get pastLogs() {
    return new PastLogRepository(this.#unit.run, this.#unit.queries.pastLogs)
  }

  get erasures() {
    return new ErasureRepository(this.#unit.run, this.#unit.queries.erasures)
  }

  get legalHolds() {
    return new LegalHoldRepository(this.#unit.run, this.#unit.queries.legalHolds)
  }

  get personalRows() {
    return new PersonalRowRepository(this.#unit.run, this.#unit.queries.personalRows)
  }

  get skillDuties() {
    return new SkillDutyRepository(this.#unit.run, this.#unit.queries.skillDuties)
  }

  get skillNotices() {
    return new SkillNoticeRepository(this.#unit.run, this.#unit.queries.skillNotices)
  }

  get restoreLifts() {
    return new RestoreLiftRepository(this.#unit.run, this.#unit.queries.restoreLifts)
  }

  get deploymentMarks() {
    return new DeploymentMarkRepository(this.#unit.run, this.#unit.queries.deploymentMarks)
  }

  get oauthRecords() {
    return new OauthRecordRepository(this.#unit.run, this.#unit.queries.oauthRecords)
  }

  get oauthClients() {
    return new OauthClientRepository(this.#unit.run, this.#unit.queries.oauthClients)
  }

  get tokenFamilies() {
    return new TokenFamilyRepository(this.#unit.run, this.#unit.queries.tokenFamilies)
  }

  get askedCounts() {
    return new AskedCountRepository(this.#unit.run, this.#unit.queries.askedCounts)
  }

  get channels() {
    return new ChannelRepository(this.#unit.run, this.#unit.queries.channels)
  }

  get grantWatches() {
    return new GrantWatchRepository(this.#unit.run, this.#unit.queries.grantWatches)
  }

  get linkAttempts() {
    return new LinkAttemptRepository(this.#unit.run, this.#unit.queries.linkAttempts)
  }

  get linkedAccounts() {
    return new LinkedAccountRepository(this.#unit.run, this.#unit.queries.linkedAccounts)
  }

  get memoryItems() {
    return new MemoryItemRepository(this.#unit.run, this.#unit.queries.memoryItems)
  }

  get statusEntries() {
    return new StatusEntryRepository(this.#unit.run, this.#unit.queries.statusEntries)
  }

  get revocations() {
    return new RevocationRepository(this.#unit.run, this.#unit.queries.revocations)
  }

  get eventDeliveries() {
    return new EventDeliveryRepository(this.#unit.run, this.#unit.queries.eventDeliveries)
  }

  get agentCallbacks() {
    return new AgentCallbackRepository(this.#unit.run, this.#unit.queries.agentCallbacks)
  }

  get undos() {
    return new UndoRepository(this.#unit.run, this.#unit.queries.undos)
  }

  get outbox() {
    return new OutboxRepository(this.#unit.run, this.#unit.queries.outbox)
  }

  get logQueue() {
    const { run, queries, queue } = this.#unit
    return new LogQueueRepository(run, queries.logQueue, queue)
  }

  get log() {
    return new LogRepository(this.#unit.run, this.#unit.queries.log, this.#unit.sequence)
  }
}
