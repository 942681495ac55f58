import { describe, expect, it } from 'vitest'
import type { ActionRow } from '../../src/ports/rows.ts'
import type { LegFilter } from '../../src/ports/store.ts'
import { counterRow, counterState, emptyAction, filledAction, NOW_MS } from './sample-rows.ts'
import type { StoreBench } from './store-bench.ts'

/** How every engine keeps the counters and the legs they add up. */
export function describeCounters(bench: StoreBench): void {
  const { see, write } = bench

  describe('counters', () => {
    it('keeps any number of rows, and moves those that are there and no others', async () => {
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
        }),
      )
      await write(async (tx) => tx.counters.insert(rows))
      expect(await see((tx) => tx.counters.list('usr_1'))).toEqual(rows.map(counterState))
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
      await write(async (tx) => tx.counters.move('usr_1', moved.map(counterState)))
      expect(await see((tx) => tx.counters.list('usr_1'))).toEqual(
        [...moved, ...rows.slice(3)].map(counterState),
      )
      await write(async (tx) => tx.counters.insert([]))
      await write(async (tx) => tx.counters.move('usr_2', moved.map(counterState)))
      expect(await see((tx) => tx.counters.list('usr_2'))).toEqual([])
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
      await write(async (tx) => tx.counters.insert([counterRow(changes)]))
      const found = await see((tx) =>
        tx.counters.covering('usr_1', 'lin_1', 'coffee.order', 'place_order', 'EUR'),
      )
      expect(found).toEqual(covers ? [counterState(counterRow(changes))] : [])
    })

    it('covers an action without money by counters without a currency only', async () => {
      const count = counterRow({ counterId: 'cnt_2', currency: null })
      await write(async (tx) => tx.counters.insert([counterRow(), count]))
      const found = await see((tx) =>
        tx.counters.covering('usr_1', 'lin_1', 'coffee.order', 'place_order', null),
      )
      expect(found).toEqual([counterState(count)])
    })

    it.each([
      ['more held and captured than the ceiling', { held: 11, captured: 20, ceiling: 30 }],
      ['a negative hold', { held: -1 }],
      ['a negative capture', { captured: -1 }],
      ['a ceiling beyond the safe integers', { ceiling: 2 ** 53 }],
    ])('the database itself refuses %s, new or changed', async (_, changes) => {
      await expect(write(async (tx) => tx.counters.insert([counterRow(changes)]))).rejects.toThrow()
      await write(async (tx) => tx.counters.insert([counterRow()]))
      await expect(
        write(async (tx) => tx.counters.move('usr_1', [counterState(counterRow(changes))])),
      ).rejects.toThrow()
      expect(await see((tx) => tx.counters.list('usr_1'))).toEqual([counterState(counterRow())])
    })

    it('sums legs after the start of a span and up to its end', async () => {
      await write(async (tx) => {
        for (const [i, at] of [NOW_MS - 1, NOW_MS, NOW_MS + 1, NOW_MS + 2].entries()) {
          await tx.actions.insert(filledAction({ id: `act_${i}`, reservedAtMs: at }))
        }
        await tx.actions.insert(emptyAction({ id: 'act_refused' }))
      })
      const legs = await see((tx) => tx.counters.legs({ ...ALL_LEGS, fromMs: NOW_MS - 1, toMs: NOW_MS + 1 }))
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
}

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
