import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { listenWhile, type Sent } from '../support/sent-statements.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker({ sequences: false })
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'), {
    budgets: [
      { measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 100_000 },
      { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'month' }, limit: 50_000 },
      { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 3_600_000 }, limit: 50_000 },
      { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 86_400_000 }, limit: 90_000 },
      { measure: 'count', window: { kind: 'rolling', ms: 3_600_000 }, limit: 50 },
      { measure: 'count', window: { kind: 'calendar', period: 'day' }, limit: 50 },
    ],
  })
  // The first one makes counters and fills caches.
  await authorizeAction(test.broker, alice.ask('order_and_pay', order(100)))
})
afterEach(() => test.close())

const permit = () => listenWhile(() => authorizeAction(test.broker, alice.ask('order_and_pay', order(100))))

describe('a plain permit that spends', () => {
  it('waits for the server seven times at most, however many windows slide', async () => {
    test.clock.advance(1_000)
    const sent = await permit()
    expect(sent.value.kind).toBe('permit')
    expect(sent.roundTrips).toBeLessThanOrEqual(7)
    expect(sent.statements.filter(({ name }) => name === 'counters_legs')).toHaveLength(3)
    expect(sent.statements.length).toBeLessThanOrEqual(22)
  })
})

/**
 * Rows that stand in every shard: what belongs to no user, incidents, which are few, and the places of grants in status
 * lists, which no two users may have alike.
 */
const IN_EVERY_SHARD = [
  'publishers',
  'publisher_keys',
  'skills',
  'manifests',
  'freezes',
  'incidents',
  'status_entries',
]

describe('the statements of an action', () => {
  it('touch one shard each: every table by the user, but for those that stand in every shard', async () => {
    const decided = await permit()
    test.skill.replyAlways(async () => answered({ order_id: 'O-1', charged_amount: 90, currency: 'CNY' }))
    const performed = await listenWhile(() =>
      performAction(test.broker, alice.ask('order_and_pay', order(100))),
    )
    expect(performed.value.kind).toBe('done')
    for (const sent of [decided, performed]) expect(acrossShards(sent)).toEqual([])
  })

  it('touch one shard each, also where it is asked about, answered, refused by the skill or read for its terms', async () => {
    const asking = await grantAll(
      test.broker,
      sampleManifest('coffee.order'),
      { askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 50 }], oneTime: true },
      { userId: alice.userId },
    )
    const asked = asking.ask('order_and_pay', order(100))
    const question = await listenWhile(() => authorizeAction(test.broker, asked))
    if (question.value.kind !== 'ask') throw new Error(`was ${question.value.kind}`)
    const { id: approvalId, userId } = question.value.approval
    await approveAction(test.broker, { userId, approvalId })
    test.skill.replyNext({ kind: 'not_sent', code: 'dns_failed' })
    const used = await listenWhile(() => performAction(test.broker, asked))
    expect(used.value.kind).toBe('done')
    const refused = await listenWhile(() =>
      authorizeAction(test.broker, alice.ask('order_and_pay', order(9_999_999))),
    )
    expect(refused.value.kind).toBe('denied')
    for (const sent of [question, used, refused]) expect(acrossShards(sent)).toEqual([])
  })

  it('name only tables that the README puts into shards', async () => {
    test.skill.replyAlways(async () => answered({ order_id: 'O-1', charged_amount: 90, currency: 'CNY' }))
    const { statements } = await listenWhile(() =>
      performAction(test.broker, alice.ask('order_and_pay', order(100))),
    )
    const named = statements.flatMap(({ text }) =>
      [...text.matchAll(/(?:from|update|join|into) "?(\w+)"?/gi)].map(([, table = '']) => table),
    )
    const { distributed, reference } = shardsInReadme()
    // Words that stand where a table can: of a function, and of "do update set".
    const inShards = new Set([...distributed, ...reference, 'clock_timestamp', 'set'])
    expect(named).toContain('counters')
    expect(named.filter((table) => !inShards.has(table))).toEqual([])
    expect(reference.sort()).toEqual([...IN_EVERY_SHARD].sort())
  })

  it('would be found out if they did not', () => {
    const sent = (text: string) => ({
      statements: [{ name: 'x', text, values: ['act_1', alice.userId] }],
      roundTrips: 1,
    })
    expect(acrossShards(sent('select "id" from "actions" where "id" = $1'))).toHaveLength(1)
    expect(acrossShards(sent('update "actions" set "user_id" = $2 where "id" = $1'))).toHaveLength(1)
    expect(acrossShards(sent('select "id" from "actions" where "user_id" = $1'))).toHaveLength(1)
    expect(acrossShards(sent('select "id" from "actions" where "user_id" = $2'))).toEqual([])
    expect(acrossShards(sent('select "id" from "skills" where "id" = $1'))).toEqual([])
  })
})

function shardsInReadme() {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const tablesOf = (name: string) =>
    [...readme.matchAll(new RegExp(`${name}\\('(\\w+)'`, 'g'))].map(([, table = '']) => table)
  return {
    distributed: tablesOf('create_distributed_table'),
    reference: tablesOf('create_reference_table'),
  }
}

/** Statements that name a table of users' rows without holding it to this user. */
function acrossShards({ statements }: Sent): string[] {
  return statements.filter(({ text, values }) => !isOnOneShard(text, values)).map(({ text }) => text)
}

function isOnOneShard(text: string, values: readonly unknown[]): boolean {
  const isThisUser = (place: string | undefined) =>
    place !== undefined && values[Number(place) - 1] === alice.userId
  // Each sub-select and each part of a `with` is looked at by itself.
  return partsOf(text).every((part) => {
    const into = /insert into "?(\w+)"? \(([^)]*)\) values \(([^)]*)\)/i.exec(part)
    if (into) {
      const columns = (into[2] ?? '').split(',').map((column) => column.trim().replaceAll('"', ''))
      const places = (into[3] ?? '').split(',').map((place) => place.trim().replace('$', ''))
      return IN_EVERY_SHARD.includes(into[1] ?? '') || isThisUser(places[columns.indexOf('user_id')])
    }
    const tables = [...part.matchAll(/(?:from|update|join) "?(\w+)"?/gi)].map(([, table = '']) => table)
    const users = tables.filter((table) => !IN_EVERY_SHARD.includes(table) && table !== 'clock_timestamp')
    if (users.length === 0) return true
    const where = part.slice(part.search(/where/i))
    const key = users.includes('users') ? 'id' : 'user_id'
    return [...where.matchAll(new RegExp(`"?${key}"? = \\$(\\d+)`, 'g'))].some(([, place]) =>
      isThisUser(place),
    )
  })
}

/** The statement with its sub-selects taken out, and each of those. */
function partsOf(text: string): string[] {
  const parts: string[] = []
  let rest = text
  for (;;) {
    const inner = /\(((?:with|select|insert|update|delete)\b[^()]*(?:\([^()]*\)[^()]*)*)\)/i.exec(rest)
    if (!inner) return [...parts, rest]
    parts.push(inner[1] ?? '')
    rest = rest.replace(inner[0], ' ')
  }
}
