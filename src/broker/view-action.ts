import { readPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import { filterResult } from '../core/schema/filter-result.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { openEventPart } from './open-part.ts'
import { noteRead, readIn } from './session-facts.ts'

/** An action as its agent or its user may see it. */
export type ActionView = {
  row: ActionRow
  /** What the skill answered, without what the viewer may not see; undefined where there is none. */
  result: JsonValue | undefined
  /** Pointers of the fields that were cut out. */
  cut: readonly string[]
  /** Why there is no result although there was one. */
  withheld: 'grant_ended' | 'erased' | null
}

/**
 * What an agent learns of an outcome: the whole only while the grant still stands, and only the categories of
 * data that the grant gives to the agent and its model.
 */
export async function viewForAgent(broker: Broker, row: ActionRow): Promise<ActionView> {
  if (row.settleEventId === null || row.status !== 'succeeded') return bare(row, null)
  const categories = await broker.store.read((tx) => categoriesNow(tx, row))
  if (!categories) return bare(row, 'grant_ended')
  return viewWith(broker, row, categories)
}

/**
 * The same for an agent that comes back for it: what it reads again counts as read in the session it reads it in, or a
 * second session would know nothing of what a stranger wrote.
 */
export async function viewInSession(broker: Broker, row: ActionRow, sessionId: string): Promise<ActionView> {
  const view = await viewForAgent(broker, row)
  const digest = row.manifestDigest
  if (view.result === undefined || digest === null) return view
  await broker.store.transaction(async (tx) => {
    const action = (await broker.manifests.load(tx, digest)).actions.get(row.action)
    if (action) await noteRead(tx, { sessionId, userId: row.userId, agentId: row.agentId }, readIn(action))
  }, row)
  return view
}

/** Users see all that was answered for them. */
export async function viewForUser(broker: Broker, row: ActionRow): Promise<ActionView> {
  if (row.settleEventId === null || row.status !== 'succeeded') return bare(row, null)
  return viewWith(broker, row, null)
}

function bare(row: ActionRow, withheld: ActionView['withheld']): ActionView {
  return { row, result: undefined, cut: [], withheld }
}

/** The categories the grant gives now; undefined once it gives nothing any more. */
async function categoriesNow(tx: Tx, row: ActionRow): Promise<readonly string[] | undefined> {
  const grant = row.grantId === null ? undefined : await tx.grants.find(row.grantId, row.userId)
  if (!grant) return undefined
  const stands = grant.status === 'active' || (grant.status === 'used_up' && grant.oneTime)
  return stands && tx.nowMs < grant.expiresAtMs ? termsOf(grant).terms.categories : undefined
}

async function viewWith(
  broker: Broker,
  row: ActionRow,
  categories: readonly string[] | null,
): Promise<ActionView> {
  const body = await openEventPart(broker, row.settleEventId, 'body', row.userId)
  const result = body && readPointer(body, '/result')
  if (body === undefined) return bare(row, 'erased')
  if (result === undefined || result === null || row.manifestDigest === null) return bare(row, null)
  const digest = row.manifestDigest
  const loaded = await broker.store.read((tx) => broker.manifests.load(tx, digest))
  const compiled = loaded.actions.get(row.action)?.result
  if (!compiled) return bare(row, null)
  const allowed = new Set(categories ?? compiled.fields.map((field) => field.category))
  const filtered = filterResult(compiled, result, allowed)
  return { row, result: filtered.value, cut: filtered.cut, withheld: null }
}
