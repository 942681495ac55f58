import { DAY_MS } from '../core/grant/grant-state.ts'
import { unusedEndMs } from '../core/grant/unused.ts'
import type { Bilingual } from '../core/manifest/manifest.ts'
import type { ForgottenSpan } from '../core/spending/forgotten.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Page, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type BudgetUsage, budgetUsage } from './budget-usage.ts'
import { forgottenOf } from './forgotten-of.ts'
import { type AgentView, agentView } from './list-agents.ts'
import { type GrantSummary, grantSummary } from './list-grants.ts'
import { userZone } from './user-zone.ts'

export type HeldGrant = GrantSummary & {
  readonly title: Bilingual
  /** Titles of its actions, as far as the current version has them. */
  readonly actionTitles: ReadonlyMap<string, Bilingual>
  readonly usage: readonly BudgetUsage[]
  /** Null for one that no permit was given under within the last 400 days. */
  readonly lastUsedAtMs: number | null
  /** When it ends for not being used; null for one that has ended. */
  readonly unusedExpiresAtMs: number | null
}

/** All that a user has allowed, by who it was given to. */
export type Authority = {
  readonly zone: string
  readonly nowMs: number
  readonly agents: readonly (AgentView & { readonly grants: readonly HeldGrant[] })[]
}

const GRANTS_MOST = 500
const LOOK_BACK_MS = 400 * DAY_MS
const ENDED = ['revoked', 'used_up', 'replaced', 'expired']

/** Everything a user has allowed, with how much of each limit is used and when it was used last. */
export function showAuthority(broker: Broker, input: { userId: string }): Promise<Authority> {
  const { userId } = input
  return broker.store.read(async (tx) => {
    const rows = await everyGrant(tx, userId)
    const lastUses = await tx.grantWatches.lastUses(userId, Math.max(0, tx.nowMs - LOOK_BACK_MS))
    const usedAt = new Map(lastUses.map(({ grantId, atMs }) => [grantId, atMs]))
    const held: HeldGrant[] = []
    const forgotten = await forgottenOf(broker, tx, userId)
    for (const row of rows) held.push(await heldGrant(broker, tx, row, usedAt.get(row.id) ?? null, forgotten))
    const agents = (await tx.agents.list(userId)).map((agent) => ({
      ...agentView(agent),
      grants: held.filter(({ agentId }) => agentId === agent.id),
    }))
    return { zone: await userZone(tx, userId), nowMs: tx.nowMs, agents }
  })
}

async function everyGrant(tx: Tx, userId: string): Promise<GrantRow[]> {
  const rows: GrantRow[] = []
  for (let before: Page['before'] = null; rows.length < GRANTS_MOST; ) {
    const page = await tx.grants.list(userId, { limit: 100, before })
    rows.push(...page)
    const last = page.at(-1)
    if (!last || page.length < 100) break
    before = { atMs: last.createdAtMs, id: last.id }
  }
  return rows
}

async function heldGrant(
  broker: Broker,
  tx: Tx,
  row: GrantRow,
  lastUsedAtMs: number | null,
  forgotten: readonly ForgottenSpan[],
): Promise<HeldGrant> {
  const summary = grantSummary(row, tx.nowMs)
  const hasEnded = ENDED.includes(summary.state)
  const digest = (await tx.skills.find(row.skillId))?.currentDigest
  const manifest = digest ? (await broker.manifests.load(tx, digest)).manifest : undefined
  const budgets = summary.terms.budgets.map((budget) => ({
    owner: 'grant' as const,
    budget,
    lineageId: row.lineageId,
    skillId: row.skillId,
  }))
  return {
    ...summary,
    title: manifest?.title ?? { en: row.skillId, zh: row.skillId },
    actionTitles: new Map(manifest?.actions.map(({ name, title }) => [name, title])),
    usage: hasEnded ? [] : await budgetUsage(tx, row.userId, budgets, forgotten),
    lastUsedAtMs,
    unusedExpiresAtMs: hasEnded
      ? null
      : unusedEndMs({ changedAtMs: row.changedAtMs, lastUsedAtMs }, broker.settings.unusedGrantMs),
  }
}
