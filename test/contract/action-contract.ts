import { describe, expect, it } from 'vitest'
import type { ActionRow } from '../../src/ports/rows.ts'
import { emptyAction, filledAction, incidentRow, NOW_MS } from './sample-rows.ts'
import { FIRST_PAGE, NO_SEARCH, type StoreBench } from './store-bench.ts'

/** How every engine keeps actions and what follows from them. */
export function describeActions(bench: StoreBench): void {
  const { see, write } = bench

  describe('rows of actions', () => {
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
        agentId: 'agt_9',
        lineageId: 'lin_9',
        idempotencyKey: 'key_9',
        requestDigest: 'sha256:9',
        skillId: 'other.skill',
        action: 'other',
        createdAtMs: 9,
      }
      await write(async (tx) => tx.actions.update({ ...changed, ...forged, userId: 'usr_9' }))
      expect(await see((tx) => tx.actions.find('act_1'))).toEqual(filledAction())
      await write(async (tx) => tx.actions.update({ ...changed, ...forged }))
      expect(await see((tx) => tx.actions.find('act_1'))).toEqual(changed)
      expect(await see((tx) => tx.actions.find('act_1', 'usr_1'))).toEqual(changed)
      expect(await see((tx) => tx.actions.find('act_1', 'usr_9'))).toBeUndefined()
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
        await tx.debts.setPayment('act_1', 'act_9', 'usr_1')
      })
      expect(await see((tx) => tx.debts.find('act_1', 'usr_1'))).toEqual({ ...debt, paidByActionId: 'act_9' })
      await write(async (tx) => tx.debts.clearPayment('act_9', 'usr_1'))
      expect(await see((tx) => tx.debts.find('act_1', 'usr_1'))).toEqual(debt)
      expect(await see((tx) => tx.debts.find('act_2', 'usr_1'))).toEqual(other)
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
      await write(async (tx) => tx.commitments.setStatus('act_1', 'cancelled', 'usr_1'))
      expect(await see((tx) => tx.commitments.list('usr_1', 'running'))).toEqual([])
      expect(await see((tx) => tx.commitments.list('usr_1', 'cancelled'))).toEqual([
        { ...row, status: 'cancelled' },
      ])
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
        await tx.actions.insert(filledAction({ id: 'act_6', decidedAtMs: NOW_MS + 10 }))
        await tx.actions.insert(filledAction({ id: 'act_7', decidedAtMs: NOW_MS + 20 }))
        await tx.actions.insert(filledAction({ id: 'act_8', decidedAtMs: NOW_MS + 21 }))
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
}
