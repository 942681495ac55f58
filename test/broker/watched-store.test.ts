import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuthorityChange, AuthorityChanges } from '../../src/broker/authority-changes.ts'
import { watchStore } from '../../src/broker/watched-store.ts'
import type { Store } from '../../src/ports/store.ts'
import { type CoffeeTest, coffeeTest } from '../support/coffee-test.ts'

describe('a store that is watched', () => {
  let coffee: CoffeeTest
  let store: Store
  let told: AuthorityChange[]

  beforeEach(async () => {
    coffee = await coffeeTest()
    const changes = new AuthorityChanges()
    told = []
    changes.subscribe((change) => told.push(change))
    store = watchStore(coffee.test.broker.store, changes)
  })
  afterEach(() => coffee.test.close())

  it('tells of a grant after its commit, and not before', async () => {
    const { grant, agent } = coffee.alice
    await store.transaction(async (tx) => {
      await tx.grants.update({ ...grant, status: 'revoked' })
      expect(told).toEqual([])
    })
    expect(told).toEqual([{ kind: 'grants', agentId: agent.id }])
  })

  it('tells nothing of what was rolled back', async () => {
    const work = store.transaction(async (tx) => {
      await tx.grants.update({ ...coffee.alice.grant, status: 'revoked' })
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(told).toEqual([])
  })

  it('tells nothing of what only reads, and hands on everything else', async () => {
    const found = await store.transaction(async (tx) => {
      await tx.users.save({ id: coffee.alice.userId, timeZone: 'UTC', createdAtMs: tx.nowMs })
      return tx.grants.find(coffee.alice.grant.id)
    })
    expect(found?.id).toBe(coffee.alice.grant.id)
    expect(await store.read(async (tx) => (await tx.agents.find(coffee.alice.agent.id))?.status)).toBe(
      'connected',
    )
    expect(store.now().clockTrusted).toBe(true)
    expect(told).toEqual([])
  })

  it('tells of agents, skills and answers', async () => {
    await store.transaction(async (tx) => {
      await tx.agents.setStatus(coffee.alice.agent.id, 'disconnected')
      await tx.skills.setCurrent('coffee.order', null)
      await tx.approvals.setStatus('apr_x', 'refused', tx.nowMs, 'usr_x')
      await tx.consentRequests.decide('crq_x', 'refused', null, tx.nowMs)
    })
    expect(told).toEqual([
      { kind: 'agent', agentId: coffee.alice.agent.id },
      { kind: 'skills' },
      { kind: 'answered', id: 'apr_x' },
      { kind: 'answered', id: 'crq_x' },
    ])
  })
})
