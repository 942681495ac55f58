import { describe, expect, it } from 'vitest'
import { NOW_MS } from './sample-rows.ts'
import type { StoreBench } from './store-bench.ts'

/** How every engine keeps users, agents, publishers, skills and manifests. */
export function describeRegistry(bench: StoreBench): void {
  const { see, write } = bench

  describe('who and what is registered', () => {
    it('keeps users, and a second save changes the time zone only', async () => {
      const user = { id: 'usr_1', timeZone: 'Asia/Shanghai', createdAtMs: NOW_MS }
      await write(async (tx) => tx.users.save(user))
      expect(await see((tx) => tx.users.find('usr_1'))).toEqual(user)
      await write(async (tx) => tx.users.save({ id: 'usr_1', timeZone: 'UTC', createdAtMs: 1 }))
      expect(await see((tx) => tx.users.find('usr_1'))).toEqual({ ...user, timeZone: 'UTC' })
      expect(await see((tx) => tx.users.find('usr_2'))).toBeUndefined()
    })

    it('keeps agents', async () => {
      const agent = {
        id: 'agt_1',
        userId: 'usr_1',
        lineageId: 'lin_1',
        name: 'Qwen Code 代理',
        publicJwk: '{"kty":"OKP"}',
        keyThumbprint: 'thumb',
        clientId: null,
        clientHost: null,
        deployments: '[]',
        status: 'active',
        createdAtMs: NOW_MS,
      }
      const again = { ...agent, id: 'agt_2', createdAtMs: NOW_MS + 1 }
      await write(async (tx) => {
        await tx.agents.insert(again)
        await tx.agents.insert(agent)
        await tx.agents.insert({ ...agent, id: 'agt_3', userId: 'usr_2' })
      })
      expect(await see((tx) => tx.agents.find('agt_1'))).toEqual(agent)
      expect(await see((tx) => tx.agents.findByKey('usr_1', 'thumb'))).toEqual(agent)
      expect(await see((tx) => tx.agents.findByKey('usr_1', 'other'))).toBeUndefined()
      expect(await see((tx) => tx.agents.list('usr_1'))).toEqual([agent, again])
      await write(async (tx) => {
        await tx.agents.setStatus('agt_1', 'revoked')
        await tx.agents.setDeployments('agt_1', '[1]')
      })
      expect(await see((tx) => tx.agents.list('usr_1'))).toEqual([
        { ...agent, status: 'revoked', deployments: '[1]' },
        again,
      ])
    })

    it('keeps publishers and their keys', async () => {
      const key = {
        publisherId: 'pub_1',
        kid: 'k1',
        jwk: '{}',
        state: 'living',
        addedBy: 'operator:opr_1',
        addedAtMs: NOW_MS,
      }
      const later = { ...key, kid: 'k0', addedAtMs: NOW_MS + 1 }
      await write(async (tx) => {
        await tx.publishers.insert({ id: 'pub_1', createdAtMs: NOW_MS })
        await tx.publishers.insertKey(later)
        await tx.publishers.insertKey(key)
      })
      expect(await see((tx) => tx.publishers.find('pub_1'))).toEqual({ id: 'pub_1', createdAtMs: NOW_MS })
      expect(await see((tx) => tx.publishers.list())).toEqual([{ id: 'pub_1', createdAtMs: NOW_MS }])
      expect(await see((tx) => tx.publishers.keys('pub_1'))).toEqual([key, later])
      await write(async (tx) => tx.publishers.setKeyState('pub_1', 'k1', 'revoked'))
      expect(await see((tx) => tx.publishers.keys('pub_1'))).toEqual([{ ...key, state: 'revoked' }, later])
      expect(await see((tx) => tx.publishers.keys('pub_2'))).toEqual([])
    })

    it('keeps skills', async () => {
      const skill = {
        id: 'coffee.order',
        publisherId: 'pub_1',
        currentDigest: null,
        highestVersion: 0,
        createdAtMs: 1,
      }
      await write(async (tx) => tx.skills.insert(skill))
      expect(await see((tx) => tx.skills.find('coffee.order'))).toEqual(skill)
      await write(async (tx) => {
        await tx.skills.setCurrent('coffee.order', 'sha256:m')
        await tx.skills.setHighestVersion('coffee.order', 3)
      })
      expect(await see((tx) => tx.skills.list())).toEqual([
        { ...skill, currentDigest: 'sha256:m', highestVersion: 3 },
      ])
      await write(async (tx) => tx.skills.setCurrent('coffee.order', null))
      expect((await see((tx) => tx.skills.find('coffee.order')))?.currentDigest).toBeNull()
    })

    it('keeps manifests, one digest per version', async () => {
      const manifest = {
        digest: 'sha256:m1',
        skillId: 'coffee.order',
        version: 1,
        publisherId: 'pub_1',
        canonical: '{"a":"é"}',
        signature: 'sig',
        kid: 'k1',
        status: 'submitted',
        reason: null,
        submittedAtMs: NOW_MS,
        changedAtMs: NOW_MS,
      }
      const second = { ...manifest, digest: 'sha256:m2', version: 2 }
      await write(async (tx) => {
        await tx.manifests.insert(manifest)
        await tx.manifests.insert(second)
      })
      expect(await see((tx) => tx.manifests.find('sha256:m1'))).toEqual(manifest)
      expect(await see((tx) => tx.manifests.findVersion('coffee.order', 2))).toEqual(second)
      expect(await see((tx) => tx.manifests.listBySkill('coffee.order'))).toEqual([second, manifest])
      expect(await see((tx) => tx.manifests.listByStatus('submitted'))).toEqual([manifest, second])
      expect(await see((tx) => tx.manifests.listByKey('pub_1', 'k1'))).toEqual([manifest, second])
      await write(async (tx) => tx.manifests.setStatus('sha256:m1', 'approved', 'fine', NOW_MS + 5))
      expect(await see((tx) => tx.manifests.find('sha256:m1'))).toEqual({
        ...manifest,
        status: 'approved',
        reason: 'fine',
        changedAtMs: NOW_MS + 5,
      })
      await expect(
        write(async (tx) => tx.manifests.insert({ ...manifest, digest: 'sha256:m3' })),
      ).rejects.toThrow()
    })

    it('keeps sessions; a second save changes what is its own, and nothing of another user', async () => {
      const session = {
        id: 'ses_1',
        userId: 'usr_1',
        agentId: 'agt_1',
        startedAtMs: 1,
        lastSeenAtMs: 2,
        readUntrusted: false,
        categories: '[]',
      }
      await write(async (tx) => tx.sessions.save(session))
      const find = () => see((tx) => tx.sessions.find('usr_1', 'ses_1'))
      expect(await find()).toEqual(session)
      const later = {
        ...session,
        startedAtMs: 3,
        lastSeenAtMs: 4,
        readUntrusted: true,
        categories: '["location"]',
      }
      await write(async (tx) => tx.sessions.save({ ...later, userId: 'usr_9', agentId: 'agt_9' }))
      expect(await find()).toEqual(session)
      await write(async (tx) => tx.sessions.save({ ...later, agentId: 'agt_9' }))
      expect(await find()).toEqual(later)
    })
  })
}
