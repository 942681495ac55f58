import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { narrowGrant, pauseGrant, resumeGrant } from '../../src/broker/change-grant.ts'
import { consentRequestShape } from '../../src/broker/consent-wish.ts'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { forgetByAgent, forgetByUser } from '../../src/broker/forget-memory.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { listMemory } from '../../src/broker/list-memory.ts'
import { moveConnection } from '../../src/broker/move-connection.ts'
import { recallMemory } from '../../src/broker/recall-memory.ts'
import { requestErasure } from '../../src/broker/request-erasure.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { sessionFacts } from '../../src/broker/session-facts.ts'
import { sweepExpiredMemory } from '../../src/broker/sweep-expired-memory.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { OPERATOR } from '../support/coffee-test.ts'
import { giveConsent, QWEN } from '../support/connected-agent.ts'
import { grantAll } from '../support/granted-agent.ts'
import { callerOf, DAY_MS, HISTORY, latte, type MemoryWorld, memoryWorld } from '../support/memory-world.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { insertAgent, registerSkill } from '../support/test-broker.ts'

let world: MemoryWorld
beforeEach(async () => {
  world = await memoryWorld()
})
afterEach(() => world.test.close())

const cancelNothing = async () => []
const contents = (items: readonly { content: string }[]) => items.map(({ content }) => content)
const everything = () => ({ userId: world.alice.userId, page: { limit: 50, before: null } })
async function keysLeft(): Promise<number> {
  const rows = await world.test.broker.store.read(async (tx) =>
    tx.memoryItems.headsOfUser(world.alice.userId),
  )
  return (await world.test.broker.cells.findAll(rows.map(({ cellId }) => cellId))).size
}

describe('remembering', () => {
  it('gives back what was kept, by key, by class and by words', async () => {
    const { itemId } = await world.kept()
    await world.kept(latte({ key: 'tea', content: 'Green tea on Sundays' }))
    for (const asked of [{ key: 'usual order' }, { words: 'LATTE' }, { words: '拿铁' }, { words: 'usual' }])
      expect((await world.recall(asked)).map((item) => item.itemId)).toEqual([itemId])
    const [tea, coffee] = await world.recall({ skill: 'coffee.order', class: 'order_history' })
    expect(tea).toMatchObject({ key: 'tea', content: 'Green tea on Sundays', category: 'order' })
    expect(coffee).toMatchObject({ itemId, purpose: 'to order the same again', untrusted: false })
    expect(await world.recall({ class: 'location' })).toEqual([])
    expect(await world.recall({ words: 'cocoa' })).toEqual([])
    expect(await world.recall({ words: '?!' })).toEqual([])
  })

  it('says who limited it, and never keeps longer than the shortest of all', async () => {
    const { nowMs } = world.test.broker.store.now()
    expect(await world.kept()).toMatchObject({ limitedBy: 'grant', expiresAtMs: nowMs + 30 * DAY_MS })
    const asked = await world.kept(latte({ key: 'b', expiresAtMs: nowMs + 1_000 }))
    expect(asked).toMatchObject({ limitedBy: 'asked', expiresAtMs: nowMs + 1_000 })
    const far = await world.kept(latte({ key: 'c', expiresAtMs: Number.MAX_SAFE_INTEGER }))
    expect(far).toMatchObject({ limitedBy: 'grant', expiresAtMs: nowMs + 30 * DAY_MS })
  })

  it.each([
    ['a class of no days', latte({ class: 'payment_token', category: 'payment' }), 'class_not_kept'],
    ['a class the manifest does not have', latte({ class: 'secrets' }), 'memory_class_unknown'],
    [
      'a class named like a property of every object',
      latte({ class: 'constructor' }),
      'memory_class_unknown',
    ],
    ['a category of another class', latte({ category: 'payment' }), 'category_not_in_class'],
    ['no category where there are several', { ...latte(), category: undefined }, 'category_not_in_class'],
    ['a time that has passed', latte({ expiresAtMs: 1 }), 'expiry_passed'],
    ['an action of nobody', latte({ originActionId: 'act_nobody' }), 'origin_unknown'],
    ['a text that is too large', latte({ content: 'x'.repeat(16_385) }), 'item_too_large'],
  ])('is refused for %s, and stores nothing', async (_, asked, code) => {
    const { category, ...rest } = asked
    const done = await world.remember(category === undefined ? rest : { ...rest, category })
    expect(done).toEqual({ kind: 'refused', code })
    const rows = await world.test.broker.store.read(async (tx) =>
      tx.memoryItems.headsOfUser(world.alice.userId),
    )
    expect(rows).toEqual([])
  })

  it('is refused for a category the user gives the agent nothing of', async () => {
    const { userId, grant } = world.alice
    const terms = JSON.parse(grant.terms) as GrantTerms
    await narrowGrant(world.test.broker, {
      userId,
      grantId: grant.id,
      terms: { ...terms, categories: ['price'] },
    })
    expect(await world.remember()).toEqual({ kind: 'refused', code: 'category_not_allowed' })
    expect(await world.kept(latte({ category: 'price' }))).toMatchObject({ isNew: true })
  })

  it('replaces what was kept under the same key, and destroys it', async () => {
    const first = await world.kept()
    const second = await world.kept(latte({ content: 'Flat white' }))
    expect(second.replaced).toBe(first.itemId)
    expect(contents(await world.recall({ key: 'usual order' }))).toEqual(['Flat white'])
    await sweepExpiredMemory(world.test.broker)
    expect(await keysLeft()).toBe(1)
  })

  it('keeps one item under a key, however many write it at once', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => world.kept(latte({ content: `version ${i}` }))))
    expect(await world.recall({ key: 'usual order' })).toHaveLength(1)
  })

  it('answers the same call with the same item, and refuses the key for another', async () => {
    const first = await world.remember(latte(), world.caller, 'the-same-key')
    const again = await world.remember(latte(), world.caller, 'the-same-key')
    expect(first).toMatchObject({ kind: 'remembered', isNew: true })
    expect(again).toMatchObject({ ...first, isNew: false })
    expect(await world.remember(latte({ content: 'x' }), world.caller, 'the-same-key')).toEqual({
      kind: 'conflict',
    })
    const many = await Promise.all(
      Array.from({ length: 6 }, () => world.remember(latte({ key: 'other' }), world.caller, 'another-key')),
    )
    expect(many.filter((done) => done.kind === 'remembered' && done.isNew)).toHaveLength(1)
    expect(await world.recall()).toHaveLength(2)
  })

  it('stops at the quota of the grant, and goes on when something is forgotten', async () => {
    await world.test.close()
    world = await memoryWorld(
      {},
      { settings: { memory: { mostDays: 400, itemBytesMost: 100, itemsMost: 4, bytesMost: 10_000 } } },
    )
    const { itemId } = await world.kept(latte({ key: 'a' }))
    await world.kept(latte({ key: 'b' }))
    expect(await world.remember(latte({ key: 'c' }))).toEqual({ kind: 'refused', code: 'grant_memory_full' })
    expect(await world.kept(latte({ key: 'b', content: 'in its place' }))).toMatchObject({ isNew: true })
    await forgetByAgent(world.test.broker, world.caller, { itemId })
    expect(await world.kept(latte({ key: 'c' }))).toMatchObject({ isNew: true })
  })

  it('is a leaf whose parts hold no word of it', async () => {
    const { itemId } = await world.kept()
    const leaf = await world.test.lastLeaf('memory')
    expect(leaf).toMatchObject({ outcome: 'remembered', reason: 'grant', parts: ['core', 'subj'] })
    const parts = JSON.stringify([
      await world.test.openPart(leaf.eventId, 'core'),
      await world.test.openPart(leaf.eventId, 'subj'),
    ])
    expect(parts).toContain(itemId)
    expect(parts).not.toMatch(/latte|usual order|again/i)
  })
})

describe('nobody else', () => {
  it('recalls, forgets or replaces it: neither another user, nor another agent, nor another grant', async () => {
    const { broker } = world.test
    const { itemId } = await world.kept()
    const bob = await grantAll(broker, sampleManifest('coffee.order'), HISTORY)
    const second = await insertAgent(broker, {
      userId: world.alice.userId,
      deployments: world.alice.agent.deployments,
    })
    const other = await grantAll(broker, sampleManifest('coffee.order'), HISTORY, {
      userId: world.alice.userId,
      agent: second,
    })
    const mixed = { ...callerOf(bob), agentId: world.alice.agent.id }
    for (const stranger of [callerOf(bob), callerOf(other)]) {
      expect(await world.recall({ key: 'usual order' }, stranger)).toEqual([])
      expect(await world.recall({ words: 'latte' }, stranger)).toEqual([])
      for (const asked of [
        { itemId },
        { skill: 'coffee.order', key: 'usual order' },
        { itemId: 'mem_nothing' },
      ])
        expect(await forgetByAgent(broker, stranger, asked)).toEqual({ kind: 'not_found' })
      expect(await world.kept(latte(), stranger)).toMatchObject({ replaced: null })
    }
    expect(await recallMemory(broker, mixed, {})).toEqual({ kind: 'refused', code: 'agent_not_connected' })
    expect(await forgetByUser(broker, { userId: bob.userId, itemId })).toEqual({ kind: 'not_found' })
    expect(contents(await world.recall())).toEqual([latte().content])
  })

  it('reads it for another model than the grant allows', async () => {
    await world.test.close()
    world = await memoryWorld({ deployments: { kind: 'only', ids: ['dep_test'] } })
    await world.kept()
    expect(await recallMemory(world.test.broker, { ...world.caller, deploymentId: 'dep_other' }, {})).toEqual(
      {
        kind: 'refused',
        code: 'deployment_not_allowed',
      },
    )
    expect(await recallMemory(world.test.broker, { ...world.caller, deploymentId: '' }, {})).toEqual({
      kind: 'refused',
      code: 'deployment_not_allowed',
    })
    expect(await world.recall()).toHaveLength(1)
  })

  it('reads what was kept for the session in another one, nor in the same after it idled out', async () => {
    const { test } = world
    const kept = await world.kept(latte({ class: 'location', category: 'coarse_location', key: 'where' }))
    expect(kept).toMatchObject({ sessionOnly: true, limitedBy: 'session' })
    expect(await world.recall({ key: 'where' }, callerOf(world.alice, 'ses_other'))).toEqual([])
    expect(await world.recall({ key: 'where' })).toHaveLength(1)
    test.clock.advance(29 * 60_000)
    expect(await world.recall({ key: 'where' })).toHaveLength(1)
    test.clock.advance(30 * 60_000)
    expect(await world.recall({ key: 'where' })).toEqual([])
    test.clock.advance(11.1 * 3_600_000)
    await sweepExpiredMemory(test.broker)
    expect(await keysLeft()).toBe(0)
  })
})

describe('when authority is taken back', () => {
  it('a revoked grant recalls nothing from that moment, and its memory is destroyed', async () => {
    await world.kept()
    const { userId, grant } = world.alice
    await revokeAuthority(
      world.test.broker,
      { userId, scope: { kind: 'grant', id: grant.id } },
      cancelNothing,
    )
    expect(await world.recall()).toEqual([])
    expect(await world.remember()).toEqual({ kind: 'refused', code: 'consent_required' })
    expect((await listMemory(world.test.broker, everything())).items).toEqual([])
    await sweepExpiredMemory(world.test.broker)
    expect(await keysLeft()).toBe(0)
    const leaf = await world.test.lastLeaf('memory')
    expect(leaf).toMatchObject({ outcome: 'destroyed', reason: 'retention' })
    expect(await world.test.openPart(leaf.eventId, 'core')).toEqual({ items: 1, why: { revoked: 1 } })
  })

  it('a disconnected agent gets nothing, also after it is granted the same again', async () => {
    await world.kept()
    const { userId, agent } = world.alice
    await disconnectAgent(world.test.broker, { userId, agentId: agent.id }, cancelNothing)
    expect(await recallMemory(world.test.broker, world.caller, {})).toEqual({
      kind: 'refused',
      code: 'agent_not_connected',
    })
    await world.test.broker.store.transaction(async (tx) => tx.agents.setStatus(agent.id, 'connected'))
    await grantAll(world.test.broker, sampleManifest('coffee.order'), HISTORY, { userId, agent })
    expect(await world.recall()).toEqual([])
  })

  it('a paused grant recalls nothing and loses nothing', async () => {
    await world.kept()
    const which = { userId: world.alice.userId, grantId: world.alice.grant.id }
    await pauseGrant(world.test.broker, which)
    expect(await world.recall()).toEqual([])
    expect((await listMemory(world.test.broker, everything())).items).toHaveLength(1)
    await resumeGrant(world.test.broker, which)
    expect(await world.recall()).toHaveLength(1)
  })

  it.each([
    ['user', (): string => world.alice.userId],
    ['agent', (): string => world.alice.agent.id],
    ['skill', (): string => 'coffee.order'],
    ['publisher', (): string => sampleManifest('coffee.order').publisher],
    ['deployment', (): string => 'dep_test'],
    ['platform', (): string => '*'],
  ] as const)(
    'a freeze of the %s lets nothing be recalled or kept, until it is lifted',
    async (kind, target) => {
      await world.kept()
      const about = { kind, target: target(), includesCleanUp: false, ...OPERATOR }
      const frozen = await freeze(world.test.broker, cancelNothing, about)
      expect(await recallMemory(world.test.broker, world.caller, {})).toEqual({
        kind: 'refused',
        code: 'frozen',
      })
      expect(await world.remember()).toEqual({ kind: 'refused', code: 'frozen' })
      const freezeId = frozen.kind === 'frozen' ? frozen.freezeId : ''
      await unfreeze(world.test.broker, { freezeId, ...OPERATOR })
      expect(await world.recall()).toHaveLength(1)
    },
  )

  it('a narrowed grant shortens what is kept, and ends what it no longer names', async () => {
    const { userId, grant } = world.alice
    const which = { userId, grantId: grant.id }
    const before = JSON.parse(grant.terms) as GrantTerms
    const { expiresAtMs } = await world.kept()
    await narrowGrant(world.test.broker, {
      ...which,
      terms: { ...before, retentionDays: { order_history: 2 } },
    })
    const [item] = await world.recall()
    expect(item?.expiresAtMs).toBe(expiresAtMs - 28 * DAY_MS)
    await narrowGrant(world.test.broker, { ...which, terms: { ...before, retentionDays: {} } })
    expect(await world.recall()).toEqual([])
    await sweepExpiredMemory(world.test.broker)
    expect(await keysLeft()).toBe(0)
  })

  it('a category the grant no longer gives is not recalled', async () => {
    const { userId, grant } = world.alice
    await world.kept()
    await world.kept(latte({ key: 'basket', category: 'basket', content: 'two croissants' }))
    const terms = JSON.parse(grant.terms) as GrantTerms
    const fewer = { ...terms, categories: terms.categories.filter((name) => name !== 'order') }
    await narrowGrant(world.test.broker, { userId, grantId: grant.id, terms: fewer })
    expect(contents(await world.recall())).toEqual(['two croissants'])
  })
})

describe('what a session has read', () => {
  it('goes along with what is kept in it, so that memory launders nothing', async () => {
    const { broker } = world.test
    await broker.store.transaction(async (tx) =>
      tx.sessions.save({
        id: 'ses_test',
        userId: world.alice.userId,
        agentId: world.alice.agent.id,
        startedAtMs: tx.nowMs,
        lastSeenAtMs: tx.nowMs,
        readUntrusted: true,
        categories: '["payment"]',
      }),
    )
    await world.kept()
    const later = callerOf(world.alice, 'ses_later')
    expect((await world.recall({}, later))[0]).toMatchObject({ untrusted: true })
    const session = await broker.store.read(async (tx) => tx.sessions.find(later.userId, 'ses_later'))
    expect(session && sessionFacts(session)).toEqual({
      readUntrusted: true,
      categories: ['order', 'payment'],
    })
  })
})

describe('when a grant goes on as another', () => {
  beforeEach(async () => {
    const deployments = JSON.stringify([{ id: 'dep_test', deployment: QWEN }])
    await world.test.broker.store.transaction(async (tx) =>
      tx.agents.setDeployments(world.alice.agent.id, deployments),
    )
  })

  const wish = (days: number) =>
    consentRequestShape.parse({
      skill: 'coffee.order',
      actions: [{ name: 'get_menu' }],
      categories: ['order', 'price'],
      retentionDays: { order_history: days },
      purpose: 'Your morning coffee',
    })

  it('memory moves to the grant that replaces it, shortened to what that one allows', async () => {
    const { expiresAtMs } = await world.kept()
    const { id: grantId } = await giveConsent(world.test.broker, world.alice.agent, wish(3))
    const [item] = await world.recall()
    expect(item?.expiresAtMs).toBe(expiresAtMs - 27 * DAY_MS)
    const { items } = await listMemory(world.test.broker, everything())
    expect(items.map((view) => view.grantId)).toEqual([grantId])
  })

  it('memory of a class the new grant does not name is destroyed', async () => {
    await world.kept()
    const { retentionDays: _, ...without } = wish(1)
    await giveConsent(world.test.broker, world.alice.agent, without)
    expect(await world.recall()).toEqual([])
    await sweepExpiredMemory(world.test.broker)
    expect(await keysLeft()).toBe(0)
  })

  it('memory follows its grant to the connection that goes on for an older one', async () => {
    const { broker } = world.test
    const { userId, agent } = world.alice
    await world.kept()
    const newer = await insertAgent(broker, { userId, deployments: agent.deployments })
    await moveConnection(broker, { userId, fromAgentId: agent.id, toAgentId: newer.id })
    expect(await recallMemory(broker, world.caller, {})).toEqual({
      kind: 'refused',
      code: 'agent_not_connected',
    })
    expect(await world.recall({}, { ...world.caller, agentId: newer.id })).toHaveLength(1)
  })

  it('a version of the skill that keeps less shortens what is read', async () => {
    const manifest = sampleManifest('coffee.order')
    const memory = manifest.memory.map((one) =>
      one.class === 'order_history' ? { ...one, maxDays: 1 } : one,
    )
    const { expiresAtMs } = await world.kept()
    await registerSkill(world.test.broker, { ...manifest, version: manifest.version + 1, memory })
    expect((await world.recall())[0]?.expiresAtMs).toBe(expiresAtMs - 29 * DAY_MS)
    world.test.clock.advance(DAY_MS)
    expect(await world.recall()).toEqual([])
  })
})

it('an account that is erased leaves neither rows nor keys of what was remembered', async () => {
  const { broker, clock } = world.test
  const { userId } = world.alice
  await world.kept()
  const [cellId = ''] = (await broker.store.read(async (tx) => tx.memoryItems.headsOfUser(userId))).map(
    (row) => row.cellId,
  )
  await requestErasure(broker, { userId })
  clock.advance(ERASURE_AFTER_MS)
  for (let i = 0; i < 12; i += 1) {
    await runErasures(broker, cancelNothing)
    clock.advance(60_000 * 60)
  }
  expect(await broker.cells.find(cellId)).toBeUndefined()
  expect(await broker.store.read(async (tx) => tx.memoryItems.headsOfUser(userId))).toEqual([])
  expect((await broker.store.read(async (tx) => tx.erasures.newestOf(userId)))?.status).toBe('done')
})
