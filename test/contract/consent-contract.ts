import { describe, expect, it } from 'vitest'
import { agentRow, approvalRow, grantRow, NOW_MS } from './sample-rows.ts'
import { FIRST_PAGE, type StoreBench } from './store-bench.ts'

/** How every engine keeps what users agreed to, and what stands against it. */
export function describeConsent(bench: StoreBench): void {
  const { see, write } = bench

  describe('what a user agreed to', () => {
    it('keeps consent requests', async () => {
      const request = {
        id: 'crq_1',
        userId: 'usr_1',
        agentId: 'agt_1',
        skillId: 'coffee.order',
        manifestDigest: 'sha256:m1',
        terms: '{}',
        purpose: 'coffee',
        status: 'waiting',
        grantId: null,
        renewsGrantId: 'grt_0',
        createdAtMs: NOW_MS,
        expiresAtMs: NOW_MS + 1,
        decidedAtMs: null,
      }
      const older = { ...request, id: 'crq_0', renewsGrantId: null, createdAtMs: NOW_MS - 1 }
      await write(async (tx) => {
        await tx.consentRequests.insert(request)
        await tx.consentRequests.insert(older)
      })
      expect(await see((tx) => tx.consentRequests.find('crq_1'))).toEqual(request)
      expect(await see((tx) => tx.consentRequests.list('usr_1', FIRST_PAGE))).toEqual([request, older])
      const recent = (sinceMs: number, skillId = 'coffee.order') =>
        see((tx) => tx.consentRequests.recent('usr_1', 'agt_1', skillId, sinceMs))
      expect(await recent(NOW_MS - 1)).toEqual([request])
      expect(await recent(NOW_MS - 2)).toEqual([request, older])
      expect(await recent(0, 'other.skill')).toEqual([])
      await write(async (tx) => tx.consentRequests.decide('crq_1', 'approved', 'grt_1', NOW_MS + 9))
      expect(await see((tx) => tx.consentRequests.find('crq_1'))).toEqual({
        ...request,
        status: 'approved',
        grantId: 'grt_1',
        decidedAtMs: NOW_MS + 9,
      })
    })

    it('keeps grants, and offers a decision the live ones', async () => {
      const active = grantRow()
      const paused = grantRow({ id: 'grt_2', status: 'paused', createdAtMs: NOW_MS + 1 })
      const once = grantRow({ id: 'grt_3', oneTime: true, createdAtMs: NOW_MS + 2 })
      const revoked = grantRow({ id: 'grt_4', status: 'revoked' })
      const other = grantRow({ id: 'grt_5', agentId: 'agt_2' })
      await write(async (tx) => {
        for (const row of [active, paused, once, revoked, other]) await tx.grants.insert(row)
      })
      expect(await see((tx) => tx.grants.find('grt_3'))).toEqual(once)
      const candidates = await see(async (tx) => {
        const found = await tx.grants.candidates('usr_1', 'agt_1', 'coffee.order')
        return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
      })
      expect(candidates).toEqual(
        [active, paused, once].map(({ id, revision, status, oneTime, expiresAtMs, createdAtMs }) => ({
          id,
          revision,
          status,
          oneTime,
          expiresAtMs,
          createdAtMs,
        })),
      )
      expect(await see((tx) => tx.grants.live('usr_1'))).toEqual([active, paused, once, other])
      const changed = grantRow({
        terms: '{}',
        consented: '{}',
        revision: 2,
        status: 'revoked',
        oneTime: true,
        expiresAtMs: 5,
        changedAtMs: 6,
      })
      await write(async (tx) => tx.grants.update(changed))
      expect(await see((tx) => tx.grants.find('grt_1'))).toEqual(changed)
      expect((await see((tx) => tx.grants.list('usr_1', FIRST_PAGE))).length).toBe(5)
    })

    it('keeps budgets', async () => {
      const budget = {
        id: 'bud_1',
        userId: 'usr_1',
        scope: 'user',
        scopeId: '',
        budget: '{}',
        createdAtMs: NOW_MS,
      }
      await write(async (tx) => tx.budgets.insert(budget))
      expect(await see((tx) => tx.budgets.list('usr_1'))).toEqual([budget])
      await write(async (tx) => tx.budgets.remove('bud_1'))
      expect(await see((tx) => tx.budgets.list('usr_1'))).toEqual([])
    })

    it('keeps saved and seen recipients, each user their own', async () => {
      const saved = {
        id: 'rcp_1',
        userId: 'usr_1',
        label: 'Mum',
        value: 'mum@example.com',
        createdAtMs: NOW_MS,
      }
      await write(async (tx) => {
        await tx.recipients.insert(saved)
        await tx.recipients.remember('usr_1', 'pay.send', 'tag', NOW_MS)
        await tx.recipients.remember('usr_1', 'pay.send', 'tag', NOW_MS + 1)
      })
      expect(await see((tx) => tx.recipients.list('usr_1'))).toEqual([saved])
      expect(await see((tx) => tx.recipients.seen('usr_1', 'pay.send', 'tag'))).toBe(true)
      expect(await see((tx) => tx.recipients.seen('usr_2', 'pay.send', 'tag'))).toBe(false)
      expect(await see((tx) => tx.recipients.seen('usr_1', 'coffee.order', 'tag'))).toBe(false)
      await expect(
        write(async (tx) => tx.recipients.insert({ ...saved, id: 'rcp_2' })),
        'the same value twice',
      ).rejects.toThrow()
      await write(async (tx) => tx.recipients.remove('usr_2', 'rcp_1'))
      expect(await see((tx) => tx.recipients.list('usr_1'))).toEqual([saved])
      await write(async (tx) => tx.recipients.remove('usr_1', 'rcp_1'))
      expect(await see((tx) => tx.recipients.list('usr_1'))).toEqual([])
    })

    it('keeps approvals', async () => {
      const waiting = approvalRow()
      const newer = approvalRow({
        id: 'apr_2',
        status: 'approved',
        createdAtMs: NOW_MS + 1,
        decidedAtMs: 4,
      })
      const other = approvalRow({ id: 'apr_3', agentId: 'agt_2', actionId: 'act_2' })
      await write(async (tx) => {
        for (const row of [waiting, newer, other]) await tx.approvals.insert(row)
      })
      expect(await see((tx) => tx.approvals.find('apr_2'))).toEqual(newer)
      expect(await see((tx) => tx.approvals.newestFor('act_1', 'usr_1'))).toEqual(newer)
      expect(await see((tx) => tx.approvals.newestFor('act_9', 'usr_1'))).toBeUndefined()
      await write(async (tx) => {
        await tx.agents.insert(agentRow())
        await tx.agents.insert(agentRow({ id: 'agt_2', lineageId: 'agt_2' }))
      })
      const recent = (sinceMs: number) =>
        see((tx) => tx.approvals.recentOfLine('usr_1', agentRow().lineageId, 'coffee.order', sinceMs))
      expect(await recent(NOW_MS)).toEqual([newer])
      expect(await recent(NOW_MS - 1)).toEqual([newer, waiting])
      expect(await see((tx) => tx.approvals.list('usr_1', 'waiting', FIRST_PAGE))).toEqual([other, waiting])
      expect(await see((tx) => tx.approvals.list('usr_1', null, FIRST_PAGE))).toEqual([newer, other, waiting])
      await write(async (tx) => {
        await tx.approvals.setStatus('apr_1', 'refused', NOW_MS + 7, 'usr_1')
        await tx.approvals.setPreview('apr_1', 'evt_7', 'sha256:preview', 'sha256:both')
      })
      expect(await see((tx) => tx.approvals.find('apr_1'))).toEqual({
        ...waiting,
        previewEventId: 'evt_7',
        previewDigest: 'sha256:preview',
        digest: 'sha256:both',
        status: 'refused',
        decidedAtMs: NOW_MS + 7,
      })
    })

    it('finds exactly the freezes that are named, up to the seven that can cover one action', async () => {
      const freeze = {
        id: 'skill:coffee.order',
        kind: 'skill',
        target: 'coffee.order',
        includesCleanUp: true,
        reason: 'investigation',
        operatorId: 'opr_1',
        createdAtMs: NOW_MS,
      }
      const other = { ...freeze, id: 'platform:*', kind: 'platform', target: '*', includesCleanUp: false }
      await write(async (tx) => {
        await tx.freezes.insert(freeze)
        await tx.freezes.insert(other)
        await tx.freezes.insert({ ...freeze, reason: 'again' })
      })
      expect(await see((tx) => tx.freezes.list())).toEqual([other, freeze])
      expect(await see((tx) => tx.freezes.matching(['user:usr_1', freeze.id]))).toEqual([freeze])
      expect(await see((tx) => tx.freezes.matching([]))).toEqual([])
      const seven = ['a', 'b', 'c', 'd', 'e', freeze.id, other.id]
      expect(await see((tx) => tx.freezes.matching(seven))).toEqual([other, freeze])
      await expect(write(async (tx) => tx.freezes.matching([...seven, 'f']))).rejects.toThrow(RangeError)
      await write(async (tx) => tx.freezes.remove(freeze.id))
      expect(await see((tx) => tx.freezes.matching(seven))).toEqual([other])
    })
  })
}
