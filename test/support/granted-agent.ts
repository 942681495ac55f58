import type { ActionRequest } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { giveStatusPlace } from '../../src/broker/status-place.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { AgentRow, GrantRow } from '../../src/ports/rows.ts'
import { insertAgent, registerSkill } from './test-broker.ts'

const DAY_MS = 86_400_000
export const DEPLOYMENT = 'dep_test'
export const SECRET = 'tok_of_the_platform'

/** A user with one connected agent, a registered skill and one grant over all that the skill can do. */
export type Granted = {
  userId: string
  agent: AgentRow
  grant: GrantRow
  digest: string
  /** A request of the agent's under a new key each time, unless one is given. */
  ask(action: string, args: JsonValue, key?: string): ActionRequest
}

let keys = 0

/** Puts a user, an agent, a skill and a grant in place; what the terms leave out is allowed without limit or question. */
export async function grantAll(
  broker: Broker,
  manifest: Manifest,
  terms: Partial<GrantTerms> = {},
  about: { userId?: string; agent?: AgentRow; zone?: string } = {},
): Promise<Granted> {
  const digest = await registerSkill(broker, manifest)
  const userId = about.userId ?? broker.newId('user')
  const agent =
    about.agent ??
    (await insertAgent(broker, { userId, deployments: JSON.stringify([{ id: DEPLOYMENT, deployment: {} }]) }))
  const { nowMs } = broker.store.now()
  const given: GrantTerms = {
    skill: manifest.skill,
    actions: manifest.actions.map(({ name }) => ({ name, constraints: [] })),
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 1_000_000 }],
    askFirst: [],
    unasked: [],
    categories: Object.keys(manifest.categories),
    recipients: manifest.recipients.map((recipient) => recipient.id),
    retentionDays: {},
    deployments: { kind: 'registered' },
    oneTime: false,
    expiresAtMs: nowMs + 30 * DAY_MS,
    sharesBudget: false,
    ...terms,
  }
  const grant: GrantRow = {
    id: broker.newId('grant'),
    userId,
    agentId: agent.id,
    lineageId: agent.lineageId,
    skillId: manifest.skill,
    terms: JSON.stringify(given),
    consented: JSON.stringify(Object.fromEntries(given.actions.map(({ name }) => [name, digest]))),
    revision: 1,
    status: 'active',
    oneTime: given.oneTime,
    expiresAtMs: given.expiresAtMs,
    createdAtMs: nowMs,
    changedAtMs: nowMs,
  }
  await broker.store.transaction(async (tx) => {
    await tx.users.save({ id: userId, timeZone: about.zone ?? 'UTC', createdAtMs: nowMs })
    await tx.grants.insert(grant)
    await giveStatusPlace(tx, grant)
  })
  return {
    userId,
    agent,
    grant,
    digest,
    ask(action, args, key) {
      keys += 1
      return {
        userId,
        agentId: agent.id,
        sessionId: 'ses_test',
        skill: manifest.skill,
        action,
        arguments: args,
        deploymentId: DEPLOYMENT,
        idempotencyKey: key ?? `key-${String(keys).padStart(6, '0')}`,
      }
    },
  }
}

/** Arguments of the coffee skill's `order_and_pay`. */
export function order(totalMinor: number, quoteId = 'Q-1'): JsonValue {
  return {
    quote_id: quoteId,
    store_id: 'LK-0571-022',
    total_amount: totalMinor,
    currency: 'CNY',
    pickup: 'store',
  }
}
