import type { Manifest } from '../core/manifest/manifest.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { type AgentView, agentView } from './list-agents.ts'
import { findOwnConsentRequest, findOwnGrant } from './own-rows.ts'
import { userZone } from './user-zone.ts'

/** What the controls of a consent are made from, besides what is said in sentences. */
export type ConsentFacts = { readonly manifest: Manifest; readonly agent: AgentView; readonly zone: string }

/** The manifest and the agent behind an open question; undefined if it is not the user's. */
export function factsOfRequest(
  broker: Broker,
  input: { userId: string; requestId: string },
): Promise<ConsentFacts | undefined> {
  return broker.store.read(async (tx) => {
    const row = await findOwnConsentRequest(tx, input.userId, input.requestId)
    return row && factsOf(broker, tx, row, row.manifestDigest)
  })
}

/** The current manifest, or one that was agreed to while none is current, and the agent behind a grant. */
export function factsOfGrant(
  broker: Broker,
  input: { userId: string; grantId: string },
): Promise<ConsentFacts | undefined> {
  return broker.store.read(async (tx) => {
    const row = await findOwnGrant(tx, input.userId, input.grantId)
    if (!row) return undefined
    const current = (await tx.skills.find(row.skillId))?.currentDigest
    const digest = current ?? Object.values(termsOf(row).consented)[0]
    return digest === undefined ? undefined : factsOf(broker, tx, row, digest)
  })
}

async function factsOf(
  broker: Broker,
  tx: Tx,
  row: { agentId: string; userId: string },
  digest: string,
): Promise<ConsentFacts | undefined> {
  const agent = await tx.agents.find(row.agentId)
  if (!agent) return undefined
  const { manifest } = await broker.manifests.load(tx, digest)
  return { manifest, agent: agentView(agent), zone: await userZone(tx, row.userId) }
}
