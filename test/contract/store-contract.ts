import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appendLeafHash, EMPTY_EDGE, hashLeaf, hashNode, rootOf } from '../../src/core/merkle/tree.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import type { Answer, LegFilter, Page, Store, Tx } from '../../src/ports/store.ts'
import {
  approvalRow,
  counterRow,
  emptyAction,
  filledAction,
  grantRow,
  incidentRow,
  leafOf,
  NOW_MS,
} from './sample-rows.ts'

/** Opens an empty store whose clock stands at `NOW_MS`; `remove` closes it and deletes what it kept. */
export type OpenStore = () => Promise<{ store: Store; remove(): Promise<void> }>

/** What every engine behind the store's port must do. */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: Store
    let remove: () => Promise<void>
    beforeEach(async () => {
      const opened = await open()
      store = opened.store
      remove = opened.remove
    })
    afterEach(() => remove())

    const write = (work: (tx: Tx) => Promise<unknown>) => store.transaction(work)

    /** Reads inside a transaction and beside it; both must see the same. */
    async function see<T>(read: (tx: Tx) => Answer<T>): Promise<T> {
      const inside = await store.transaction(async (tx) => read(tx))
      expect(await store.read(async (tx) => read(tx))).toEqual(inside)
      return inside
    }

    describe('rows', () => {
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

      it('keeps grants, and offers the live ones: standing before one-time, newest first', async () => {
        const active = grantRow()
        const paused = grantRow({ id: 'grt_2', status: 'paused', createdAtMs: NOW_MS + 1 })
        const once = grantRow({ id: 'grt_3', oneTime: true, createdAtMs: NOW_MS + 2 })
        const revoked = grantRow({ id: 'grt_4', status: 'revoked' })
        const other = grantRow({ id: 'grt_5', agentId: 'agt_2' })
        await write(async (tx) => {
          for (const row of [active, paused, once, revoked, other]) await tx.grants.insert(row)
        })
        expect(await see((tx) => tx.grants.find('grt_3'))).toEqual(once)
        expect(await see((tx) => tx.grants.candidates('usr_1', 'agt_1', 'coffee.order'))).toEqual([
          paused,
          active,
          once,
        ])
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

      it('keeps actions with everything filled and with all that may be absent', async () => {
        const filled = filledAction()
        const empty = emptyAction({ id: 'act_2' })
        await write(async (tx) => {
          await tx.actions.insert(filled)
          await tx.actions.insert(empty)
        })
        expect(await see((tx) => tx.actions.find('act_1'))).toEqual(filled)
        expect(await see((tx) => tx.actions.find('act_2'))).toEqual(empty)
        expect(await see((tx) => tx.actions.findByKey('usr_1', 'agt_1', 'act_2'))).toEqual(empty)
        expect(await see((tx) => tx.actions.findByKey('usr_1', 'agt_2', 'act_2'))).toBeUndefined()
      })

      it('updates all of an action but its key and its request', async () => {
        await write(async (tx) => tx.actions.insert(filledAction()))
        const changed = emptyAction({ status: 'failed', reason: 'dns', sessionId: 'ses_2', decidedAtMs: 3 })
        const forged = {
          userId: 'usr_9',
          agentId: 'agt_9',
          lineageId: 'lin_9',
          idempotencyKey: 'key_9',
          requestDigest: 'sha256:9',
          skillId: 'other.skill',
          action: 'other',
          createdAtMs: 9,
        }
        await write(async (tx) => tx.actions.update({ ...changed, ...forged }))
        expect(await see((tx) => tx.actions.find('act_1'))).toEqual(changed)
      })

      it('keeps one action per user, agent and idempotency key', async () => {
        await write(async (tx) => tx.actions.insert(filledAction()))
        const same = { idempotencyKey: 'act_1' }
        await expect(
          write(async (tx) => tx.actions.insert(filledAction({ id: 'act_2', ...same }))),
        ).rejects.toThrow()
        await write(async (tx) => tx.actions.insert(filledAction({ id: 'act_3', agentId: 'agt_2', ...same })))
        await write(async (tx) => tx.actions.insert(filledAction({ id: 'act_4', userId: 'usr_2', ...same })))
        expect(await see((tx) => tx.actions.find('act_2'))).toBeUndefined()
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
        expect(await see((tx) => tx.approvals.newestFor('act_1'))).toEqual(newer)
        expect(await see((tx) => tx.approvals.newestFor('act_9'))).toBeUndefined()
        const recent = (sinceMs: number) =>
          see((tx) => tx.approvals.recent('usr_1', 'agt_1', 'coffee.order', sinceMs))
        expect(await recent(NOW_MS)).toEqual([newer])
        expect(await recent(NOW_MS - 1)).toEqual([newer, waiting])
        expect(await see((tx) => tx.approvals.list('usr_1', 'waiting', FIRST_PAGE))).toEqual([other, waiting])
        expect(await see((tx) => tx.approvals.list('usr_1', null, FIRST_PAGE))).toEqual([
          newer,
          other,
          waiting,
        ])
        await write(async (tx) => {
          await tx.approvals.setStatus('apr_1', 'refused', NOW_MS + 7)
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

      it('keeps incidents, and says whether one stops a skill for a user', async () => {
        const stopping = incidentRow()
        const drift = incidentRow({
          id: 'inc_2',
          kind: 'drift',
          userId: null,
          actionId: null,
          skillId: 'other.skill',
          stopsSpending: false,
        })
        await write(async (tx) => {
          await tx.incidents.insert(stopping)
          await tx.incidents.insert(drift)
          await tx.incidents.insert({ ...drift, id: 'inc_3', userId: 'usr_1' })
        })
        expect(await see((tx) => tx.incidents.find('inc_2'))).toEqual(drift)
        const stops = (userId: string, skillId: string) =>
          see((tx) => tx.incidents.stopsSpending(userId, skillId))
        expect(await stops('usr_1', 'coffee.order')).toBe(true)
        expect(await stops('usr_2', 'coffee.order')).toBe(false)
        expect(await stops('usr_1', 'other.skill')).toBe(false)
        await write(async (tx) => tx.incidents.close('inc_1', NOW_MS + 8))
        expect(await see((tx) => tx.incidents.find('inc_1'))).toEqual({
          ...stopping,
          status: 'closed',
          closedAtMs: NOW_MS + 8,
        })
        expect(await stops('usr_1', 'coffee.order')).toBe(false)
        const ids = async (status: string | null) =>
          (await see((tx) => tx.incidents.list(status, FIRST_PAGE))).map((row) => row.id)
        expect(await ids('open')).toEqual(['inc_3', 'inc_2'])
        expect(await ids(null)).toEqual(['inc_3', 'inc_2', 'inc_1'])
      })

      it('keeps debts, and frees those a payment had claimed', async () => {
        const debt = {
          actionId: 'act_1',
          userId: 'usr_1',
          payee: 'coffee.order',
          amountMinor: 5,
          currency: 'EUR',
          paidByActionId: null,
        }
        const other = { ...debt, actionId: 'act_2', paidByActionId: 'act_8' }
        await write(async (tx) => {
          await tx.debts.insert(debt)
          await tx.debts.insert(other)
          await tx.debts.setPayment('act_1', 'act_9')
        })
        expect(await see((tx) => tx.debts.find('act_1'))).toEqual({ ...debt, paidByActionId: 'act_9' })
        await write(async (tx) => tx.debts.clearPayment('act_9'))
        expect(await see((tx) => tx.debts.find('act_1'))).toEqual(debt)
        expect(await see((tx) => tx.debts.find('act_2'))).toEqual(other)
      })

      it('keeps commitments', async () => {
        const row = {
          actionId: 'act_1',
          userId: 'usr_1',
          skillId: 'coffee.order',
          grantId: 'grt_1',
          times: 12,
          status: 'running',
          createdAtMs: NOW_MS,
        }
        await write(async (tx) => tx.commitments.insert(row))
        expect(await see((tx) => tx.commitments.list('usr_1', 'running'))).toEqual([row])
        await write(async (tx) => tx.commitments.setStatus('act_1', 'cancelled'))
        expect(await see((tx) => tx.commitments.list('usr_1', 'running'))).toEqual([])
        expect(await see((tx) => tx.commitments.list('usr_1', 'cancelled'))).toEqual([
          { ...row, status: 'cancelled' },
        ])
      })

      it('keeps sessions, and a second save changes all but whose it is', async () => {
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
        expect(await see((tx) => tx.sessions.find('ses_1'))).toEqual(session)
        const later = {
          ...session,
          startedAtMs: 3,
          lastSeenAtMs: 4,
          readUntrusted: true,
          categories: '["location"]',
        }
        await write(async (tx) => tx.sessions.save({ ...later, userId: 'usr_9', agentId: 'agt_9' }))
        expect(await see((tx) => tx.sessions.find('ses_1'))).toEqual(later)
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

    describe('counters', () => {
      it('saves any number of rows at once, and a second save changes what moves', async () => {
        const rows = Array.from({ length: 41 }, (_, i) =>
          counterRow({ counterId: `cnt_${String(i).padStart(2, '0')}`, held: i, captured: 0, ceiling: 41 }),
        )
        rows.push(
          counterRow({
            counterId: 'cnt_x',
            lineageId: null,
            skillId: null,
            action: null,
            currency: null,
            windowMs: null,
            period: null,
          }),
        )
        await write(async (tx) => tx.counters.save(rows))
        expect(await see((tx) => tx.counters.list('usr_1'))).toEqual(rows)
        const moved = rows.slice(0, 3).map((row) => ({
          ...row,
          zone: 'UTC',
          tailMs: 1,
          periodStartMs: 2,
          periodEndMs: 3,
          held: 4,
          captured: 5,
          ceiling: 9,
        }))
        await write(async (tx) => tx.counters.save(moved))
        expect(await see((tx) => tx.counters.list('usr_1'))).toEqual([...moved, ...rows.slice(3)])
        await write(async (tx) => tx.counters.save([]))
      })

      it.each([
        ['its exact scope', {}, true],
        ['every agent', { lineageId: null }, true],
        ['every skill', { skillId: null }, true],
        ['every action', { action: null }, true],
        ['every currency', { currency: null }, true],
        ['everything', { lineageId: null, skillId: null, action: null, currency: null }, true],
        ['another agent', { lineageId: 'lin_2' }, false],
        ['another skill', { skillId: 'other.skill' }, false],
        ['another action', { action: 'other' }, false],
        ['another currency', { currency: 'USD' }, false],
        ['another user', { userId: 'usr_2' }, false],
      ] as const)('a counter of %s covers an action: %o %s', async (_, changes, covers) => {
        await write(async (tx) => tx.counters.save([counterRow(changes)]))
        const found = await see((tx) =>
          tx.counters.covering('usr_1', 'lin_1', 'coffee.order', 'place_order', 'EUR'),
        )
        expect(found).toEqual(covers ? [counterRow(changes)] : [])
      })

      it('covers an action without money by counters without a currency only', async () => {
        const count = counterRow({ counterId: 'cnt_2', measure: 'count', currency: null })
        await write(async (tx) => tx.counters.save([counterRow(), count]))
        const found = await see((tx) =>
          tx.counters.covering('usr_1', 'lin_1', 'coffee.order', 'place_order', null),
        )
        expect(found).toEqual([count])
      })

      it.each([
        ['more held and captured than the ceiling', { held: 11, captured: 20, ceiling: 30 }],
        ['a negative hold', { held: -1 }],
        ['a negative capture', { captured: -1 }],
        ['a ceiling beyond the safe integers', { ceiling: 2 ** 53 }],
      ])('the database itself refuses %s, new or changed', async (_, changes) => {
        await expect(write(async (tx) => tx.counters.save([counterRow(changes)]))).rejects.toThrow()
        await write(async (tx) => tx.counters.save([counterRow()]))
        await expect(write(async (tx) => tx.counters.save([counterRow(changes)]))).rejects.toThrow()
        expect(await see((tx) => tx.counters.list('usr_1'))).toEqual([counterRow()])
      })

      it('sums legs after the start of a span and up to its end', async () => {
        await write(async (tx) => {
          for (const [i, at] of [NOW_MS - 1, NOW_MS, NOW_MS + 1, NOW_MS + 2].entries()) {
            await tx.actions.insert(filledAction({ id: `act_${i}`, reservedAtMs: at }))
          }
          await tx.actions.insert(emptyAction({ id: 'act_refused' }))
        })
        const legs = await see((tx) =>
          tx.counters.legs({ ...ALL_LEGS, fromMs: NOW_MS - 1, toMs: NOW_MS + 1 }),
        )
        expect(legs).toEqual([
          legOf(filledAction({ id: 'act_1', reservedAtMs: NOW_MS })),
          legOf(filledAction({ id: 'act_2', reservedAtMs: NOW_MS + 1 })),
        ])
        const none = await see((tx) => tx.counters.legs({ ...ALL_LEGS, fromMs: NOW_MS, toMs: NOW_MS }))
        expect(none).toEqual([])
      })

      it.each([
        ['an agent', { lineageId: 'lin_2' }, ['act_2']],
        ['a skill', { skillId: 'other.skill' }, ['act_3']],
        ['an action', { action: 'other' }, ['act_4']],
        ['a currency', { currency: 'USD' }, ['act_5']],
        ['nothing', {}, ['act_1', 'act_2', 'act_3', 'act_4', 'act_5']],
        ['what nobody did', { currency: 'USD', action: 'other' }, []],
      ])('narrows legs to %s', async (_, filter, ids) => {
        await write(async (tx) => {
          await tx.actions.insert(filledAction({ id: 'act_1' }))
          await tx.actions.insert(filledAction({ id: 'act_2', lineageId: 'lin_2' }))
          await tx.actions.insert(filledAction({ id: 'act_3', skillId: 'other.skill' }))
          await tx.actions.insert(filledAction({ id: 'act_4', action: 'other' }))
          await tx.actions.insert(filledAction({ id: 'act_5', currency: 'USD' }))
          await tx.actions.insert(filledAction({ id: 'act_6', userId: 'usr_2' }))
        })
        const legs = await see((tx) => tx.counters.legs({ ...ALL_LEGS, ...filter }))
        expect(legs.map((leg) => leg.id)).toEqual(ids)
      })

      it('names every user who ever reserved something, once', async () => {
        await write(async (tx) => {
          await tx.actions.insert(filledAction({ id: 'act_1', userId: 'usr_2' }))
          await tx.actions.insert(filledAction({ id: 'act_2', userId: 'usr_1' }))
          await tx.actions.insert(filledAction({ id: 'act_3', userId: 'usr_1' }))
          await tx.actions.insert(emptyAction({ id: 'act_4', userId: 'usr_3' }))
        })
        expect(await see((tx) => tx.counters.users())).toEqual(['usr_1', 'usr_2'])
      })
    })

    describe('actions', () => {
      it.each([
        ['more held and captured than reserved', { heldMinor: 400, capturedMinor: 101 }],
        ['a hold where nothing was reserved', { reservedMinor: null, heldMinor: 1 }],
        ['a negative hold', { heldMinor: -1 }],
        ['a negative capture', { heldMinor: 0, capturedMinor: -1 }],
        ['a negative overrun', { overrunMinor: -1 }],
      ])('the database itself refuses %s, new or changed', async (_, changes) => {
        await expect(write(async (tx) => tx.actions.insert(filledAction(changes)))).rejects.toThrow()
        await write(async (tx) => tx.actions.insert(filledAction()))
        await expect(write(async (tx) => tx.actions.update(filledAction(changes)))).rejects.toThrow()
        expect(await see((tx) => tx.actions.find('act_1'))).toEqual(filledAction())
      })

      it.each([
        ['user', { userId: 'usr_2' }, ['act_2']],
        ['agent', { agentId: 'agt_2' }, ['act_3']],
        ['skill', { skillId: 'other.skill' }, ['act_4']],
        ['status', { status: 'refused' }, ['act_5']],
        ['time, both ends included', { fromMs: NOW_MS + 10, toMs: NOW_MS + 20 }, ['act_7', 'act_6']],
        ['user and status', { userId: 'usr_1', status: 'refused' }, ['act_5']],
        ['user and agent', { userId: 'usr_1', agentId: 'agt_2' }, ['act_3']],
        ['user and skill', { userId: 'usr_1', skillId: 'other.skill' }, ['act_4']],
        ['user and time', { userId: 'usr_1', fromMs: NOW_MS + 20 }, ['act_8', 'act_7']],
        ['nothing', {}, ['act_8', 'act_7', 'act_6', 'act_5', 'act_4', 'act_3', 'act_2', 'act_1']],
      ])('searches by %s', async (_, search, ids) => {
        await write(async (tx) => {
          await tx.actions.insert(filledAction({ id: 'act_1' }))
          await tx.actions.insert(filledAction({ id: 'act_2', userId: 'usr_2' }))
          await tx.actions.insert(filledAction({ id: 'act_3', agentId: 'agt_2' }))
          await tx.actions.insert(filledAction({ id: 'act_4', skillId: 'other.skill' }))
          await tx.actions.insert(emptyAction({ id: 'act_5' }))
          await tx.actions.insert(filledAction({ id: 'act_6', createdAtMs: NOW_MS + 10 }))
          await tx.actions.insert(filledAction({ id: 'act_7', createdAtMs: NOW_MS + 20 }))
          await tx.actions.insert(filledAction({ id: 'act_8', createdAtMs: NOW_MS + 21 }))
        })
        const found = await see((tx) => tx.actions.list({ ...NO_SEARCH, ...search }, FIRST_PAGE))
        expect(found.map((row) => row.id)).toEqual(ids)
      })

      it('finds what is permitted and not settled, oldest first, and what is due for a check', async () => {
        const rows = [
          filledAction({ id: 'act_1', createdAtMs: NOW_MS + 1, nextCheckAtMs: NOW_MS }),
          filledAction({ id: 'act_2', status: 'in_doubt', nextCheckAtMs: NOW_MS }),
          filledAction({ id: 'act_3', status: 'in_doubt', nextCheckAtMs: NOW_MS - 1, userId: 'usr_2' }),
          filledAction({ id: 'act_4', status: 'in_doubt', nextCheckAtMs: NOW_MS + 1 }),
          filledAction({ id: 'act_5', status: 'in_doubt', nextCheckAtMs: null }),
          filledAction({ id: 'act_6', status: 'succeeded', nextCheckAtMs: NOW_MS }),
          emptyAction({ id: 'act_7', nextCheckAtMs: NOW_MS }),
        ]
        await write(async (tx) => {
          for (const row of rows) await tx.actions.insert(row)
        })
        const ids = (found: ActionRow[]) => found.map((row) => row.id)
        expect(ids(await see((tx) => tx.actions.unsettled(null)))).toEqual([
          'act_2',
          'act_3',
          'act_4',
          'act_5',
          'act_1',
        ])
        expect(ids(await see((tx) => tx.actions.unsettled('usr_2')))).toEqual(['act_3'])
        expect(ids(await see((tx) => tx.actions.dueForCheck(NOW_MS, 10)))).toEqual(['act_3', 'act_2'])
        expect(ids(await see((tx) => tx.actions.dueForCheck(NOW_MS, 1)))).toEqual(['act_3'])
      })
    })

    describe('pages', () => {
      // Three share a time, so that a page ends in the middle of them whatever its size.
      const times = [3, 2, 2, 2, 1]
      type Dated = { id: string; atMs: number }

      /** Reads page after page and expects every row once, newest first, then by id. */
      async function expectEveryRowOnce(read: (tx: Tx, page: Page) => Answer<Dated[]>) {
        for (const limit of [1, 2, 3, 5, 6]) {
          const seen: Dated[] = []
          let before: Page['before'] = null
          for (let rows = [{ id: '', atMs: 0 }]; rows.length > 0; ) {
            rows = await see((tx) => read(tx, { limit, before }))
            expect(rows.length).toBeLessThanOrEqual(limit)
            seen.push(...rows)
            before = rows.at(-1) ?? null
          }
          expect(seen.map(({ id, atMs }) => `${atMs - NOW_MS} ${id}`)).toEqual([
            '3 row_0',
            '2 row_3',
            '2 row_2',
            '2 row_1',
            '1 row_4',
          ])
        }
      }

      const each = (insert: (tx: Tx, id: string, atMs: number) => Answer<void>) =>
        write(async (tx) => {
          for (const [i, time] of times.entries()) await insert(tx, `row_${i}`, NOW_MS + time)
        })

      it('of actions, of one user and of all, neither repeat nor skip rows of the same time', async () => {
        await each((tx, id, createdAtMs) => tx.actions.insert(filledAction({ id, createdAtMs })))
        for (const userId of ['usr_1', null]) {
          await expectEveryRowOnce(async (tx, page) =>
            (await tx.actions.list({ ...NO_SEARCH, userId }, page)).map(dated),
          )
        }
      })

      it('of grants neither repeat nor skip rows of the same time', async () => {
        await each((tx, id, createdAtMs) => tx.grants.insert(grantRow({ id, createdAtMs })))
        await expectEveryRowOnce(async (tx, page) => (await tx.grants.list('usr_1', page)).map(dated))
      })

      it('of approvals neither repeat nor skip rows of the same time', async () => {
        await each((tx, id, createdAtMs) => tx.approvals.insert(approvalRow({ id, createdAtMs })))
        for (const status of ['waiting', null]) {
          await expectEveryRowOnce(async (tx, page) =>
            (await tx.approvals.list('usr_1', status, page)).map(dated),
          )
        }
      })

      it('of consent requests neither repeat nor skip rows of the same time', async () => {
        const { id: _, ...rest } = { ...approvalRow(), manifestDigest: '', terms: '', purpose: '' }
        await each((tx, id, createdAtMs) =>
          tx.consentRequests.insert({ ...rest, id, createdAtMs, grantId: null, renewsGrantId: null }),
        )
        await expectEveryRowOnce(async (tx, page) =>
          (await tx.consentRequests.list('usr_1', page)).map(dated),
        )
      })

      it('of incidents neither repeat nor skip rows of the same time', async () => {
        await each((tx, id, openedAtMs) => tx.incidents.insert(incidentRow({ id, openedAtMs })))
        for (const status of ['open', null]) {
          await expectEveryRowOnce(async (tx, page) =>
            (await tx.incidents.list(status, page)).map(({ id, openedAtMs }) => ({ id, atMs: openedAtMs })),
          )
        }
      })
    })

    describe('the log', () => {
      it('keeps leaves with none to three parts, in the order they were appended', async () => {
        const leaves = [
          leafOf(0),
          leafOf(1, ['core']),
          leafOf(2, ['core', 'subj']),
          leafOf(3, ['core', 'subj', 'body']),
        ]
        await write(async (tx) => {
          for (const leaf of leaves) await tx.log.append(leaf, NOW_MS + 5)
        })
        const rows = leaves.map(({ parts: _, ...leaf }, leafIndex) => ({
          leafIndex,
          ...leaf,
          atMs: NOW_MS + 5,
        }))
        expect(await see((tx) => tx.log.leaves(0, 10))).toEqual(rows)
        expect(await see((tx) => tx.log.leaves(1, 2))).toEqual(rows.slice(1, 3))
        expect(await see((tx) => tx.log.leafHashes(2, 10))).toEqual(rows.slice(2).map((row) => row.leafHash))
        expect(await see((tx) => tx.log.leafAt(3))).toEqual(rows[3])
        expect(await see((tx) => tx.log.leafAt(4))).toBeUndefined()
        expect(await see((tx) => tx.log.leafByEvent('evt_2'))).toEqual(rows[2])
        expect(await see((tx) => tx.log.leafByEvent('evt_9'))).toBeUndefined()
        for (const leaf of leaves) {
          const parts = leaf.parts
            .map((part) => ({ eventId: leaf.eventId, ...part }))
            .sort((a, b) => (a.part < b.part ? -1 : 1))
          expect(await see((tx) => tx.log.parts(leaf.eventId))).toEqual(parts)
          for (const part of parts) {
            expect(await see((tx) => tx.log.part(leaf.eventId, part.part))).toEqual(part)
          }
        }
        expect(await see((tx) => tx.log.part('evt_1', 'body'))).toBeUndefined()
      })

      it('has the head and the tile rows that RFC 9162 says', async () => {
        expect((await store.treeHead()).treeSize).toBe(0)
        const count = 515
        await write(async (tx) => {
          for (let i = 0; i < count; i++) await tx.log.append(leafOf(i), NOW_MS)
        })
        const hashes = Array.from({ length: count }, (_, i) => leafOf(i).leafHash)
        let edge = EMPTY_EDGE
        for (const hash of hashes) edge = appendLeafHash(edge, hash).edge
        expect(await store.treeHead()).toEqual({ treeSize: count, rootHash: rootOf(edge) })
        const tiles = [perfectRoot(hashes.slice(0, 256)), perfectRoot(hashes.slice(256, 512))]
        expect(await see((tx) => tx.log.nodes(8, 0, 10))).toEqual(tiles)
        expect(await see((tx) => tx.log.nodes(8, 1, 10))).toEqual(tiles.slice(1))
        expect(await see((tx) => tx.log.nodes(16, 0, 10))).toEqual([])
      })

      it('refuses a second leaf of the same event', async () => {
        await write(async (tx) => tx.log.append(leafOf(0), NOW_MS))
        await expect(write(async (tx) => tx.log.append(leafOf(0), NOW_MS))).rejects.toThrow()
        expect((await store.treeHead()).treeSize).toBe(1)
      })

      it('keeps checkpoints that grow; the same head again changes nothing', async () => {
        const first = { treeSize: 3, rootHash: Buffer.alloc(32, 3), note: 'note 3', atMs: NOW_MS }
        const second = { treeSize: 9, rootHash: Buffer.alloc(32, 9), note: 'note 9', atMs: NOW_MS + 1 }
        const newest = () => see((tx) => tx.log.newestCheckpoint())
        expect(await newest()).toBeUndefined()
        await write(async (tx) => tx.log.saveCheckpoint(first))
        expect(await newest()).toEqual(first)
        await write(async (tx) => tx.log.saveCheckpoint(second))
        await write(async (tx) => tx.log.saveCheckpoint({ ...second, note: 'signed again' }))
        expect(await newest()).toEqual(second)
        for (const bad of [first, { ...second, rootHash: Buffer.alloc(32, 1) }]) {
          await expect(write(async (tx) => tx.log.saveCheckpoint(bad))).rejects.toThrow()
        }
        expect(await newest()).toEqual(second)
      })
    })

    describe('transactions', () => {
      it('keep all of a unit of work or nothing, the leaf included', async () => {
        const failing = write(async (tx) => {
          await tx.actions.insert(filledAction())
          await tx.log.append(leafOf(0, ['core']), NOW_MS)
          throw new Error('changed my mind')
        })
        await expect(failing).rejects.toThrow('changed my mind')
        expect(await see((tx) => tx.actions.find('act_1'))).toBeUndefined()
        expect(await see((tx) => tx.log.leaves(0, 10))).toEqual([])
        expect(await see((tx) => tx.log.parts('evt_0'))).toEqual([])
        expect((await store.treeHead()).treeSize).toBe(0)
      })

      it('see what they wrote themselves, and the one clock', async () => {
        await write(async (tx) => {
          await tx.actions.insert(filledAction())
          expect(await tx.actions.find('act_1')).toEqual(filledAction())
          expect([tx.nowMs, tx.clockTrusted]).toEqual([NOW_MS, true])
        })
      })

      it('are not for readers: a write through read is refused', async () => {
        await expect(store.read(async (tx) => tx.actions.insert(filledAction()))).rejects.toThrow()
        await expect(store.read(async (tx) => tx.log.append(leafOf(0), NOW_MS))).rejects.toThrow()
        expect(await see((tx) => tx.actions.find('act_1'))).toBeUndefined()
      })

      it('are refused after the store closed, and closing twice is harmless', async () => {
        await store.close()
        await store.close()
        await expect(write(async () => undefined)).rejects.toThrow('closed')
      })
    })
  })
}

const FIRST_PAGE: Page = { limit: 100, before: null }
const NO_SEARCH = { userId: null, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
const ALL_LEGS: LegFilter = {
  userId: 'usr_1',
  lineageId: null,
  skillId: null,
  action: null,
  currency: null,
  fromMs: 0,
  toMs: Number.MAX_SAFE_INTEGER,
}

function legOf(row: ActionRow) {
  const { id, lineageId, skillId, action, currency, heldMinor, capturedMinor, reservedAtMs, asked, counted } =
    row
  return {
    id,
    lineageId,
    skillId,
    action,
    currency,
    heldMinor,
    capturedMinor,
    reservedAtMs,
    asked,
    counted,
    status: row.status,
  }
}

function dated(row: { id: string; createdAtMs: number }) {
  return { id: row.id, atMs: row.createdAtMs }
}

/** The root over a power of two of hashes, by the definition. */
function perfectRoot(hashes: readonly Buffer[]): Buffer {
  const half = hashes.length / 2
  const [only = hashLeaf(Buffer.alloc(0))] = hashes
  return half < 1 ? only : hashNode(perfectRoot(hashes.slice(0, half)), perfectRoot(hashes.slice(half)))
}
