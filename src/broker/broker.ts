import type { IdKind } from '../core/ids.ts'
import type { MemoryLimits } from '../core/memory/memory-limits.ts'
import type { ForgottenSpan } from '../core/spending/forgotten.ts'
import type { Cells } from '../ports/cells.ts'
import type { LinkClients } from '../ports/link-clients.ts'
import type { ManifestVerifier } from '../ports/manifest-verifier.ts'
import type { Pseudonyms } from '../ports/pseudonyms.ts'
import type { SkillSecrets } from '../ports/secrets.ts'
import type { Signer } from '../ports/signer.ts'
import type { SkillCaller } from '../ports/skill-caller.ts'
import type { Store } from '../ports/store.ts'
import type { Admission } from './admission.ts'
import type { InFlight } from './in-flight.ts'
import type { ManifestCache } from './manifest-cache.ts'
import type { RecentRefusals } from './recent-refusals.ts'
import type { WakeUp } from './wake-up.ts'

/** Platform-wide choices, read once at start. */
export type Settings = {
  /** The broker's public URL; issuer of tokens and receipts. */
  issuer: string
  /** Schema-less URL prefix of the log, its name for ever. */
  logOrigin: string
  /** Digest of the rules that were in force, named by every leaf. */
  policyDigest: string
  /** Days each part of a leaf can be opened. */
  keepPartsDays: { core: number; subj: number; body: number }
  /** How long a promise of inclusion may take, in milliseconds. */
  mergeWithinMs: number
  /** How long a person has to answer a consent request or an approval, in milliseconds. */
  consentWithinMs: number
  approvalWithinMs: number
  /** How long a refusal by a person keeps the same question from being asked again, in milliseconds. */
  coolDownMs: number
  /** Open questions one agent may have for one skill. */
  openQuestionsMost: number
  /** Questions one agent, whatever it registers as, may put to its user about one skill in 24 hours. */
  questionsPerDayMost: number
  /** How long one key-encryption key wraps what is sealed, in milliseconds. */
  keyEpochMs: number
  /** A grant that was not used for so long ends by itself, in milliseconds. */
  unusedGrantMs: number
  /** What agents may remember at the most. */
  memory: MemoryLimits
  /** Whether a skill that does not delete what it is told to stands still for the user whose data it is. */
  suspendsOverdueDeletions: boolean
  /** Whether the platform's own app is told of every message. */
  platformWebhook: boolean
  /** What restores of the store have forgotten; left out where it was never restored. */
  forgotten?: readonly ForgottenSpan[]
  /** Exact origins on loopback that skills may have while they are built; empty in production. */
  developmentEndpoints: readonly string[]
}

/** Operational output, without personal data. */
export interface Logger {
  info(event: string, facts?: Record<string, unknown>): void
  warn(event: string, facts?: Record<string, unknown>): void
  error(event: string, facts?: Record<string, unknown>): void
}

/** Everything use cases are made from. */
export type Broker = {
  store: Store
  cells: Cells
  signer: Signer
  skills: SkillCaller
  secrets: SkillSecrets
  /** As whom the broker signs users in at skills, to link their accounts. */
  linkClients: LinkClients
  pseudonyms: Pseudonyms
  /** What publishers sign is verified with keys of the registry. */
  manifestVerifier: ManifestVerifier
  manifests: ManifestCache
  recentRefusals: RecentRefusals
  inFlight: InFlight
  /** Wakes what delivers messages, once one is durable. */
  deliveries: WakeUp
  /** Likewise what delivers deletion notices to skills. */
  notices: WakeUp
  newId: (kind: IdKind) => string
  /** Whether this process may decide now. */
  admission: Admission
  /** This process among those on the same database. */
  nodeId: string
  settings: Settings
  logger: Logger
}
