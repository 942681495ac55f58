import { describe, expect, it } from 'vitest'
import type { Answer, Page, Tx } from '../../src/ports/store.ts'
import { approvalRow, filledAction, grantRow, incidentRow, NOW_MS } from './sample-rows.ts'
import { NO_SEARCH, type StoreBench } from './store-bench.ts'

/** How every engine keeps lists that are read page by page. */
export function describePages(bench: StoreBench): void {
  const { see, write } = bench

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
      await each((tx, id, decidedAtMs) => tx.actions.insert(filledAction({ id, decidedAtMs })))
      for (const userId of ['usr_1', null]) {
        await expectEveryRowOnce(async (tx, page) =>
          (await tx.actions.list({ ...NO_SEARCH, userId }, page)).map(({ id, decidedAtMs }) => ({
            id,
            atMs: decidedAtMs,
          })),
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
      await expectEveryRowOnce(async (tx, page) => (await tx.consentRequests.list('usr_1', page)).map(dated))
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
}

function dated(row: { id: string; createdAtMs: number }) {
  return { id: row.id, atMs: row.createdAtMs }
}
