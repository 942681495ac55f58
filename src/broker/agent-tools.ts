import type { JsonObject } from '../core/json-value.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Effect } from '../core/manifest/manifest.ts'
import { toolNameOf } from '../core/manifest/tool-name.ts'
import { escapeProtocolMarkers } from '../core/protocol-markers.ts'
import { plainInputSchema } from '../core/schema/plain-schema.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { findOwnAgent } from './own-rows.ts'

/** An action as an agent's program gives it to a model. Every word of it comes from the signed manifest. */
export type AgentTool = {
  readonly tool: string
  readonly skill: string
  readonly action: string
  readonly title: string
  readonly description: string
  readonly effects: readonly Effect[]
  /** JSON Schema of the arguments, without `$ref` and without the fields that the broker fills. */
  readonly input: JsonObject
  readonly manifestDigest: string
  /** A grant that is active now names this action; whether a call is permitted is decided with each call. */
  readonly granted: boolean
}

/**
 * The tools of an agent: every action of the skills it has a grant for, and of one more skill where it is named.
 * Undefined for an agent that is not connected.
 */
export function agentTools(
  broker: Broker,
  { userId, agentId, skill }: { readonly userId: string; readonly agentId: string; readonly skill?: string },
): Promise<AgentTool[] | undefined> {
  return broker.store.read(async (tx) => {
    if ((await findOwnAgent(tx, userId, agentId))?.status !== 'connected') return undefined
    const granted = await grantedActions(tx, userId, agentId)
    const tools: AgentTool[] = []
    for (const skillId of [...new Set([...granted.keys(), ...(skill === undefined ? [] : [skill])])].sort()) {
      const digest = (await tx.skills.find(skillId))?.currentDigest
      if (!digest) continue
      tools.push(...toolsOf(await broker.manifests.load(tx, digest), granted.get(skillId) ?? new Set()))
    }
    return tools
  })
}

/** Skills with a grant that has not ended, with the actions an active one names. */
async function grantedActions(
  tx: Tx,
  userId: string,
  agentId: string,
): Promise<Map<string, ReadonlySet<string>>> {
  const granted = new Map<string, ReadonlySet<string>>()
  for (const grant of await tx.grants.live(userId)) {
    if (grant.agentId !== agentId || tx.nowMs >= grant.expiresAtMs) continue
    const names = grant.status === 'active' ? termsOf(grant).terms.actions.map(({ name }) => name) : []
    granted.set(grant.skillId, new Set([...(granted.get(grant.skillId) ?? []), ...names]))
  }
  return granted
}

function toolsOf({ manifest, digest, actions }: LoadedManifest, granted: ReadonlySet<string>): AgentTool[] {
  return [...actions.values()].map(({ declared, input }) => ({
    tool: toolNameOf(manifest.skill, declared.name),
    skill: manifest.skill,
    action: declared.name,
    title: escapeProtocolMarkers(declared.title.en),
    description: escapeProtocolMarkers(
      `${declared.description.en} (${manifest.title.en}, by ${manifest.publisher})`,
    ),
    effects: declared.effects,
    input: plainInputSchema(input.root),
    manifestDigest: digest,
    granted: granted.has(declared.name),
  }))
}
