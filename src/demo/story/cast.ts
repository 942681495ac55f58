import { z } from 'zod'
import type { JsonObject } from '../../core/json-value.ts'
import { formatMoney } from '../../core/money.ts'
import { type ApiAnswer, type ApiCaller, readAs } from '../api-client.ts'
import type { Narrator } from '../narrator.ts'
import type { SkillProcess } from '../skills/start-skill-process.ts'

/** Everybody who plays a part. Each caller has a credential of its own kind, and none can speak for another. */
export interface Cast {
  readonly narrator: Narrator
  readonly brokerUrl: string
  readonly operator: ApiCaller
  readonly user: ApiCaller
  readonly agent: ApiCaller
  /** The agent signs in again, in a session in which it has read nothing yet; the user moves its grants to it. */
  connectAnew(): Promise<void>
  readonly deployment: string
  /** A token that may read the log's entries. */
  auditorToken(): Promise<string>
  /** How many calls have reached the coffee chain. */
  coffeeCalls(): number
  /** The payment skill, in a process that can be killed and started again. */
  readonly pay: { current(): SkillProcess; restart(): Promise<void> }
}

export interface AskedOf {
  readonly skill: string
  readonly action: string
  readonly args: JsonObject
  /** The agent's idempotency key; the same key asks for the same thing again. */
  readonly key?: string
}

let requests = 0

/** Asks the broker for an action as the agent does. */
export function ask(cast: Cast, asked: AskedOf, by: ApiCaller = cast.agent): Promise<ApiAnswer> {
  requests += 1
  const { skill, action, args, key = `demo-request-${requests}` } = asked
  const body = { skill, action, arguments: args, deployment: cast.deployment }
  return by.post('/v1/actions', body, { 'idempotency-key': key })
}

const amount = z.object({
  currency: z.string(),
  heldMinor: z.int(),
  capturedMinor: z.int(),
})

export const outcome = z.object({
  actionId: z.string(),
  status: z.string(),
  amount: amount.nullable(),
  result: z.record(z.string(), z.unknown()).optional(),
})

export const pending = z.object({
  actionId: z.string(),
  status: z.string(),
  approvalId: z.string().optional(),
})

/** What the user's actions at one skill hold and have spent, in fen, as the broker's own list has it. */
export async function moneyAt(cast: Cast, skill: string): Promise<{ heldMinor: number; spentMinor: number }> {
  const answer = await cast.user.get(`/v1/actions?skill=${skill}&limit=100`)
  const { items } = readAs(answer, 200, z.object({ items: z.array(z.object({ amount: amount.nullable() })) }))
  const amounts = items.flatMap((item) => (item.amount ? [item.amount] : []))
  return {
    heldMinor: amounts.reduce((sum, { heldMinor }) => sum + heldMinor, 0),
    spentMinor: amounts.reduce((sum, { capturedMinor }) => sum + capturedMinor, 0),
  }
}

/** Tells what is held and spent at one skill, and returns it. */
export async function tellMoney(cast: Cast, skill: string): ReturnType<typeof moneyAt> {
  const money = await moneyAt(cast, skill)
  cast.narrator.money(`held ${yuan(money.heldMinor)} · spent ${yuan(money.spentMinor)}`)
  return money
}

export function yuan(amountMinor: number): string {
  return formatMoney(amountMinor, 'CNY', 'en')
}
