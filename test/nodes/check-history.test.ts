import { describe, expect, it } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { EndingAction, History, Seen, Told } from './history.ts'

const PERMIT: Told = {
  effect: 'permit',
  actionId: 'act_1',
  status: 'succeeded',
  promise: { eventId: 'evt_1', leafHash: 'leaf-1' },
}
const ORDER: EndingAction = {
  actionId: 'act_1',
  user: 'usr_1',
  key: 'key-1',
  status: 'succeeded',
  heldMinor: 0,
  capturedMinor: 600,
}
type Unnumbered = Seen extends infer E ? (E extends Seen ? Omit<E, 'at'> : never) : never

const ASKED: Unnumbered = { kind: 'asked', call: 'c1', user: 'usr_1', key: 'key-1' }
const CALLED: Unnumbered = {
  kind: 'called',
  executionId: 'act_1',
  user: 'usr_1',
  amountMinor: 600,
  leafHash: 'leaf-1',
}
const TOLD: Unnumbered = { kind: 'told', call: 'c1', outcome: PERMIT }
const STOPPING: Unnumbered = { kind: 'stopping', stop: 's1', user: 'usr_1' }
const stopped = (...unsettled: string[]): Unnumbered => ({ kind: 'stopped', stop: 's1', unsettled })

function historyOf(events: readonly Unnumbered[], ending: Partial<History['ending']> = {}): History {
  return {
    seen: events.map((event, at) => ({ ...event, at }) as Seen),
    ending: {
      actions: [ORDER],
      leaves: new Map([['evt_1', 'leaf-1']]),
      limitsMinor: new Map([['usr_1', 1000]]),
      ...ending,
    },
  }
}

function codesOf(history: History): string[] {
  return checkHistory(history).map((violation) => violation.code)
}

describe('the checker of histories', () => {
  it('finds nothing in an honest history', () => {
    expect(codesOf(historyOf([ASKED, CALLED, TOLD, STOPPING, stopped()]))).toEqual([])
  })

  it('finds nothing in a call that came after the stop and was announced by it', () => {
    expect(codesOf(historyOf([ASKED, STOPPING, stopped('act_1'), CALLED, TOLD]))).toEqual([])
  })

  it('finds nothing in a story that is told again after the stop', () => {
    const again = { ...ASKED, call: 'c2' }
    const toldAgain = { ...TOLD, call: 'c2' }
    expect(codesOf(historyOf([ASKED, CALLED, TOLD, STOPPING, stopped(), again, toldAgain]))).toEqual([])
  })

  it('finds spending beyond the limit, held money included', () => {
    const held = { ...ORDER, actionId: 'act_2', key: 'key-2', capturedMinor: 0, heldMinor: 401 }
    expect(codesOf(historyOf([ASKED, CALLED, TOLD], { actions: [ORDER, held] }))).toEqual([
      'spent_beyond_limit',
    ])
  })

  it('finds calls that take more than the limit, whatever the books say', () => {
    const second = { ...CALLED, executionId: 'act_2' }
    const released = { ...ORDER, actionId: 'act_2', key: 'key-2', capturedMinor: 0 }
    expect(codesOf(historyOf([ASKED, CALLED, second, TOLD], { actions: [ORDER, released] }))).toEqual([
      'called_beyond_limit',
    ])
  })

  it('finds a permit asked for after a stop was acknowledged', () => {
    expect(codesOf(historyOf([STOPPING, stopped(), ASKED, TOLD]))).toEqual(['permit_after_stop'])
  })

  it('finds a call after the stop that the stop did not announce', () => {
    expect(codesOf(historyOf([ASKED, STOPPING, stopped(), CALLED, TOLD]))).toEqual([
      'call_after_stop_unannounced',
    ])
  })

  it('finds an execution that was called twice', () => {
    expect(codesOf(historyOf([ASKED, CALLED, CALLED, TOLD]))).toEqual(['executed_twice'])
  })

  it('finds two executions of one key', () => {
    const second = { ...CALLED, executionId: 'act_2', amountMinor: 1 }
    const actions = [ORDER, { ...ORDER, actionId: 'act_2', capturedMinor: 1 }]
    expect(codesOf(historyOf([ASKED, CALLED, second, TOLD], { actions }))).toEqual([
      'two_executions_of_one_key',
    ])
  })

  it('finds an acknowledged leaf that is gone or another one', () => {
    const other = new Map([
      ['evt_1', 'leaf-9'],
      ['evt_0', 'leaf-1'],
    ])
    expect(codesOf(historyOf([ASKED, CALLED, TOLD], { leaves: other }))).toEqual(['acknowledged_leaf_lost'])
  })

  it('finds an acknowledged action that is gone', () => {
    expect(codesOf(historyOf([ASKED, TOLD], { actions: [] }))).toEqual(['acknowledged_action_lost'])
  })

  it('finds a final outcome that changed', () => {
    const changed = [{ ...ORDER, status: 'failed' }]
    expect(codesOf(historyOf([ASKED, CALLED, TOLD], { actions: changed }))).toEqual([
      'acknowledged_outcome_changed',
    ])
  })

  it('finds a call no permit of which is in the log', () => {
    const unlogged = { ...CALLED, leafHash: 'leaf-9' }
    expect(codesOf(historyOf([ASKED, unlogged, TOLD]))).toEqual(['called_without_permit'])
  })
})
