import { digestOf, taggedDigest } from '../core/canonical-json.ts'
import type { ConsentSubject } from '../core/grant/consent-subject.ts'
import { type ConsentDescription, consentDigest, describeConsent } from '../core/grant/describe-consent.ts'
import { type DifferenceDescription, describeDifference } from '../core/grant/describe-difference.ts'
import type { GrantTerms } from '../core/grant/terms.ts'
import type { ManifestChange } from '../core/manifest/manifest-change.ts'
import type { AgentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { userZone } from './user-zone.ts'

/** What an update newly asks for, by action; an action that asks for nothing new is left out. */
export type ChangesPerAction = Readonly<Record<string, readonly ManifestChange[]>>

/** What a person is shown, in both languages, with the digest that the log keeps of all of it. */
export type ShownConsent = {
  en: ConsentDescription
  zh: ConsentDescription
  /** Null unless consent is asked for what a new version of the manifest changed. */
  difference: { en: DifferenceDescription; zh: DifferenceDescription } | null
  digest: string
}

export type ConsentToShow = {
  kind: ConsentSubject['kind']
  agent: AgentRow
  manifestDigest: string
  terms: GrantTerms
  purpose: string | null
  changes: ChangesPerAction | null
}

/** Describes a consent as it stands now; the same rows give the same digest. */
export async function showConsent(broker: Broker, tx: Tx, consent: ConsentToShow): Promise<ShownConsent> {
  const { manifest } = await broker.manifests.load(tx, consent.manifestDigest)
  const zone = await userZone(tx, consent.agent.userId)
  const saved = await tx.recipients.list(consent.agent.userId)
  const agent = { name: consent.agent.name }
  const subject: ConsentSubject = {
    kind: consent.kind,
    manifest,
    terms: consent.terms,
    agent,
    // No publisher has proven a domain to this broker yet, so none is shown as proven.
    publisher: { name: manifest.publisher },
    deployments: deploymentsOf(consent.agent),
    savedRecipients: saved.map(({ id, label }) => ({ id, label })),
    purpose: consent.purpose,
    // Runtime keys prove receipts, not that anybody looks at a call: only the manifest's own word counts.
    skillVerifiesCalls: manifest.verifiesCalls === true,
    zone,
    nowMs: tx.nowMs,
  }
  const [en, zh] = [describeConsent(subject, 'en'), describeConsent(subject, 'zh')]
  const update = consent.changes && { manifest, agent, perAction: consent.changes, zone }
  const difference = update && { en: describeDifference(update, 'en'), zh: describeDifference(update, 'zh') }
  return { en, zh, difference, digest: digestOfShown(en, zh, difference) }
}

function digestOfShown(
  en: ConsentDescription,
  zh: ConsentDescription,
  difference: ShownConsent['difference'],
): string {
  return taggedDigest('countersign/v1/consent-shown-in-both', {
    en: consentDigest(en),
    zh: consentDigest(zh),
    difference: difference && {
      en: digestOf(difference.en.digestInput),
      zh: digestOf(difference.zh.digestInput),
    },
  })
}

/** What a version of the manifest asks for beyond what a grant's user agreed to, action by action (P10). */
export async function changesFor(
  broker: Broker,
  tx: Tx,
  grant: { terms: GrantTerms; consented: Readonly<Record<string, string>> },
  manifestDigest: string,
): Promise<ChangesPerAction> {
  const changes: Record<string, readonly ManifestChange[]> = {}
  for (const { name } of grant.terms.actions) {
    const consented = grant.consented[name]
    if (consented === undefined) continue
    const asked = await broker.manifests.newlyAsked(tx, consented, manifestDigest, name)
    if (asked.length > 0) changes[name] = asked
  }
  return changes
}
