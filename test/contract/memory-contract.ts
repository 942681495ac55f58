import { describe, expect, it } from 'vitest'
import type { MemoryItemRow } from '../../src/ports/memory-store.ts'
import { NOW_MS } from './sample-rows.ts'
import { FIRST_PAGE, type StoreBench } from './store-bench.ts'

export function memoryRow(changed: Partial<MemoryItemRow> = {}): MemoryItemRow {
  return {
    id: 'mem_1',
    userId: 'usr_1',
    agentId: 'agt_1',
    grantId: 'grt_1',
    skillId: 'coffee.order',
    memoryClass: 'order_history',
    sessionId: null,
    requestHash: Buffer.alloc(32, 1),
    cellId: 'cel_1',
    sizeBytes: 40,
    head: Buffer.from([0, 1, 255]),
    content: Buffer.from([255, 0, 2]),
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 1_000,
    ended: null,
    ...changed,
  }
}

/** How every engine keeps items of memory. */
export function describeMemory(bench: StoreBench): void {
  const { see, write } = bench
  const put = (...rows: MemoryItemRow[]) =>
    write(async (tx) => {
      for (const row of rows) await tx.memoryItems.insert(row)
    })

  describe('memory', () => {
    it('gives back what was kept, to its user alone', async () => {
      const { content: _, ...head } = memoryRow()
      await put(memoryRow(), memoryRow({ userId: 'usr_2', id: 'mem_2', requestHash: Buffer.alloc(32, 2) }))
      expect(await see((tx) => tx.memoryItems.find('usr_1', 'mem_1'))).toEqual(memoryRow())
      expect(await see((tx) => tx.memoryItems.find('usr_2', 'mem_1'))).toBeUndefined()
      expect(await see((tx) => tx.memoryItems.findByRequest('usr_1', Buffer.alloc(32, 1)))).toEqual(head)
      expect(await see((tx) => tx.memoryItems.findByRequest('usr_2', Buffer.alloc(32, 1)))).toBeUndefined()
      expect(await see((tx) => tx.memoryItems.headsOfGrant('usr_1', 'grt_1'))).toEqual([head])
      expect(await see((tx) => tx.memoryItems.wholeOfGrant('usr_1', 'grt_1'))).toEqual([memoryRow()])
      expect(await see((tx) => tx.memoryItems.headsOfGrant('usr_1', 'grt_2'))).toEqual([])
      expect(await see((tx) => tx.memoryItems.list('usr_1', FIRST_PAGE))).toEqual([memoryRow()])
    })

    it('adds up what has not ended, by grant', async () => {
      await put(
        memoryRow(),
        memoryRow({ id: 'mem_2', sizeBytes: 2 }),
        memoryRow({ id: 'mem_3', grantId: 'grt_2', sizeBytes: 5 }),
        memoryRow({ id: 'mem_4', ended: 'forgotten' }),
      )
      const use = (await see((tx) => tx.memoryItems.use('usr_1'))).toSorted((a, b) =>
        a.grantId < b.grantId ? -1 : 1,
      )
      expect(use).toEqual([
        { grantId: 'grt_1', items: 2, bytes: 42 },
        { grantId: 'grt_2', items: 1, bytes: 5 },
      ])
      expect(await see((tx) => tx.memoryItems.use('usr_2'))).toEqual([])
    })

    it('ends an item once, brings its time forward, and shows it no more', async () => {
      await put(memoryRow(), memoryRow({ id: 'mem_2', expiresAtMs: NOW_MS - 5 }))
      await write(async (tx) => {
        await tx.memoryItems.end('usr_1', 'mem_1', 'forgotten', NOW_MS)
        await tx.memoryItems.end('usr_1', 'mem_1', 'revoked', NOW_MS - 9)
        await tx.memoryItems.endOfGrant('usr_1', 'grt_1', 'revoked', NOW_MS)
      })
      expect(await see((tx) => tx.memoryItems.find('usr_1', 'mem_1'))).toMatchObject({
        ended: 'forgotten',
        expiresAtMs: NOW_MS,
      })
      expect(await see((tx) => tx.memoryItems.find('usr_1', 'mem_2'))).toMatchObject({
        ended: 'revoked',
        expiresAtMs: NOW_MS - 5,
      })
      expect(await see((tx) => tx.memoryItems.list('usr_1', FIRST_PAGE))).toEqual([])
      expect(await see((tx) => tx.memoryItems.idsOfGrant('usr_1', 'grt_1'))).toEqual([])
      expect(await see((tx) => tx.memoryItems.headsOfUser('usr_1'))).toHaveLength(2)
      expect(await see((tx) => tx.memoryItems.findByRequest('usr_1', Buffer.alloc(32, 1)))).toBeUndefined()
    })

    it('marks what has expired, at its very millisecond, and lets nothing last longer', async () => {
      await put(memoryRow({ expiresAtMs: NOW_MS }), memoryRow({ id: 'mem_2', expiresAtMs: NOW_MS + 1 }))
      await write(async (tx) => {
        await tx.memoryItems.endExpired('usr_1', NOW_MS)
        await tx.memoryItems.setExpiry('usr_1', 'mem_2', NOW_MS + 9)
      })
      expect(await see((tx) => tx.memoryItems.idsOfGrant('usr_1', 'grt_1'))).toEqual(['mem_2'])
      expect(await see((tx) => tx.memoryItems.find('usr_1', 'mem_2'))).toMatchObject({
        expiresAtMs: NOW_MS + 1,
      })
    })

    it('finds what is due, the longest due first, and nothing of users whose data is held', async () => {
      await put(
        memoryRow({ id: 'mem_late', expiresAtMs: NOW_MS }),
        memoryRow({ id: 'mem_early', expiresAtMs: NOW_MS - 7 }),
        memoryRow({ id: 'mem_held', userId: 'usr_2', expiresAtMs: NOW_MS - 9 }),
        memoryRow({ id: 'mem_living' }),
      )
      await write(async (tx) =>
        tx.legalHolds.insert({ userId: 'usr_2', operatorId: 'op', reason: 'dispute', createdAtMs: NOW_MS }),
      )
      const due = async (nowMs: number, limit = 10) =>
        (await see((tx) => tx.memoryItems.due(nowMs, limit))).map(({ id }) => id)
      expect(await due(NOW_MS)).toEqual(['mem_early', 'mem_late'])
      expect(await due(NOW_MS, 1)).toEqual(['mem_early'])
      expect(await due(NOW_MS - 1)).toEqual(['mem_early'])
    })

    it('finds what belongs to sessions that were ended', async () => {
      const family = { userId: 'usr_1', agentId: 'agt_1', clientId: 'c', createdAtMs: NOW_MS }
      await put(
        memoryRow({ id: 'mem_ended', sessionId: 'ses_ended' }),
        memoryRow({ id: 'mem_living', sessionId: 'ses_living' }),
        memoryRow({ id: 'mem_without' }),
      )
      await write(async (tx) => {
        await tx.tokenFamilies.insert({ ...family, id: 'a', sessionId: 'ses_ended', endedAtMs: NOW_MS })
        await tx.tokenFamilies.insert({ ...family, id: 'b', sessionId: 'ses_living', endedAtMs: null })
      })
      expect(await see((tx) => tx.memoryItems.ofEndedSessions(10))).toEqual([
        { id: 'mem_ended', userId: 'usr_1' },
      ])
    })

    it('moves with a grant that is replaced, and is removed once', async () => {
      await put(memoryRow())
      await write(async (tx) => tx.memoryItems.moveGrant('usr_1', 'grt_1', 'grt_9'))
      expect(await see((tx) => tx.memoryItems.idsOfGrant('usr_1', 'grt_9'))).toEqual(['mem_1'])
      await write(async (tx) => {
        expect(await tx.memoryItems.remove('usr_2', 'mem_1')).toBe(false)
        expect(await tx.memoryItems.remove('usr_1', 'mem_1')).toBe(true)
        expect(await tx.memoryItems.remove('usr_1', 'mem_1')).toBe(false)
      })
    })
  })
}
