import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { undoAction } from '../../src/broker/undo-action.ts'
import { beginUndoJob, cancelUndoJob, findUndoJob, runUndoJobs } from '../../src/broker/undo-job.ts'
import { type CoffeeTest, coffeeTest, expectKind, heldBack, OPERATOR, paid } from '../support/coffee-test.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'
import { claimsOf } from '../support/skill-key.ts'

const UNDONE = answered({ state: 'cancelled' })
const WINDOW_MS = 300_000

let t: CoffeeTest

beforeEach(async () => {
  t = await coffeeTest()
})
afterEach(() => t.test.close())

async function ordered(): Promise<string> {
  t.test.skill.replyNext(paid(100))
  return expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done').view.row.id
}
const undo = (actionId: string, userId = t.alice.userId) => undoAction(t.test.broker, { userId, actionId })
const undoCalls = () => t.test.skill.calls.filter((call) => claimsOf(call).kin === 'undo')

describe('undoing', () => {
  it('asked for twice at once reaches the skill once', async () => {
    const actionId = await ordered()
    const gate = heldBack(UNDONE)
    t.test.skill.replyNext(gate.reply)
    const first = undo(actionId)
    await gate.called
    expect(await undo(actionId)).toEqual({ kind: 'undo_under_way' })
    gate.open()
    expect(await first).toMatchObject({ kind: 'asked', outcome: 'undone' })
    expect(undoCalls()).toHaveLength(1)
  })

  it('asked for by many at the same instant reaches the skill once', async () => {
    const actionId = await ordered()
    t.test.skill.replyAlways(UNDONE)
    const all = await Promise.all(Array.from({ length: 8 }, () => undo(actionId)))
    expect(all.filter(({ kind }) => kind === 'asked')).toHaveLength(1)
    expect(undoCalls()).toHaveLength(1)
  })

  it('is done once: a second time says so', async () => {
    const actionId = await ordered()
    t.test.skill.replyNext(UNDONE)
    await undo(actionId)
    expect(await undo(actionId)).toEqual({ kind: 'already_undone' })
    t.test.clock.advance(WINDOW_MS * 2)
    expect(await undo(actionId)).toEqual({ kind: 'already_undone' })
    expect(undoCalls()).toHaveLength(1)
  })

  it.each([
    ['refused', answered({ code: 'too_late' }, 409)],
    ['unclear', broken('timed_out')],
  ])('that was %s may be asked for again, under the same key', async (outcome, reply) => {
    const actionId = await ordered()
    t.test.skill.replyNext(reply, UNDONE)
    expect(await undo(actionId)).toMatchObject({ outcome })
    expect(await undo(actionId)).toMatchObject({ outcome: 'undone' })
    const keys = undoCalls().map((call) => call.headers['idempotency-key'])
    expect(keys).toHaveLength(2)
    expect(new Set(keys).size).toBe(1)
  })

  it('is not done to what is in doubt, nor to what is not settled', async () => {
    t.test.skill.replyNext(broken('timed_out'))
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    const [row] = await t.test.broker.store.read(async (tx) => tx.actions.unsettled(t.alice.userId))
    expect(await undo(row?.id ?? '')).toEqual({ kind: 'not_undoable' })
    expect(undoCalls()).toEqual([])
  })

  it("is nobody else's to ask for, and tells them nothing", async () => {
    const actionId = await ordered()
    expect(await undo(actionId, 'usr_mallory')).toEqual({ kind: 'not_found' })
    expect(await undo('act_unknown')).toEqual({ kind: 'not_found' })
  })

  it('that a freeze stopped may be asked for once it is lifted', async () => {
    const actionId = await ordered()
    await freeze(t.test.broker, async () => [], {
      ...OPERATOR,
      kind: 'platform',
      target: '*',
      includesCleanUp: true,
    })
    expect(await undo(actionId)).toEqual({ kind: 'frozen' })
    expect(undoCalls()).toEqual([])
    await unfreeze(t.test.broker, { ...OPERATOR, freezeId: 'platform:*' })
    t.test.skill.replyNext(UNDONE)
    expect(await undo(actionId)).toMatchObject({ outcome: 'undone' })
  })

  it('that a crash cut off may be asked for again after two minutes', async () => {
    const actionId = await ordered()
    await t.test.broker.store.transaction(async (tx) => {
      const { userId } = t.alice
      await tx.undos.begin({
        actionId,
        userId,
        status: 'asked',
        askedBy: 'user',
        attempts: 1,
        askedAtMs: tx.nowMs,
        answeredAtMs: null,
      })
    })
    expect(await undo(actionId)).toEqual({ kind: 'undo_under_way' })
    t.test.clock.advance(120_000)
    t.test.skill.replyNext(UNDONE)
    expect(await undo(actionId)).toMatchObject({ outcome: 'undone' })
  })

  it('is logged with who asked and what came of it, and restores no budget', async () => {
    const actionId = await ordered()
    t.test.skill.replyNext(UNDONE)
    const before = await t.used()
    await undo(actionId)
    expect(await t.used()).toEqual(before)
    const leaves = (await t.test.leaves()).filter(({ type }) => type === 'clean_up')
    expect(leaves.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
      'undo_asked by_user',
      'called undo',
      'undo_undone by_user',
    ])
  })
})

describe('undoing in bulk', () => {
  async function incident(userId: string | null = null): Promise<string> {
    const seal = await sealerFor(t.test.broker, { userId: userId ?? '', skillId: 'coffee.order' })
    return t.test.broker.store.transaction((tx) =>
      openIncident(t.test.broker, tx, seal, {
        kind: 'reported',
        userId,
        skillId: 'coffee.order',
        actionId: null,
        detail: 'orders nobody wanted',
        stopsSpending: false,
      }),
    )
  }
  const begin = (incidentId: string, more: object = {}) =>
    beginUndoJob(t.test.broker, {
      ...OPERATOR,
      incidentId,
      fromMs: 0,
      toMs: t.test.clock.nowMs() + 1,
      action: null,
      ...more,
    })
  async function begun(incidentId: string): Promise<string> {
    const done = await begin(incidentId)
    if (done.kind !== 'begun') throw new Error(done.kind)
    return done.job.jobId
  }
  const job = async (id: string) => findUndoJob(t.test.broker, id)

  it('asks for each by itself, in bounded batches, and says how far it got', async () => {
    for (let i = 0; i < 12; i++) await ordered()
    const jobId = await begun(await incident())
    t.test.skill.replyAlways(UNDONE)
    expect(await job(jobId)).toMatchObject({ status: 'running', total: 12, counts: { waiting: 12 } })
    expect(await runUndoJobs(t.test.broker)).toBe(10)
    expect(await job(jobId)).toMatchObject({ counts: { waiting: 2, undone: 10 } })
    await runUndoJobs(t.test.broker)
    await runUndoJobs(t.test.broker)
    expect(await job(jobId)).toMatchObject({ status: 'done', counts: { undone: 12 } })
    expect(undoCalls()).toHaveLength(12)
    const asked = (await t.test.leaves()).filter(({ outcome }) => outcome === 'undo_asked')
    expect(asked.map(({ reason }) => reason)).toEqual(Array.from({ length: 12 }, () => 'by_operator'))
    expect(await t.test.lastLeaf('incident')).toMatchObject({ outcome: 'undo_done' })
  })

  it('is cancelled between two actions, and what was asked for stays', async () => {
    for (let i = 0; i < 3; i++) await ordered()
    const jobId = await begun(await incident())
    t.test.skill.replyNext(async () => {
      await cancelUndoJob(t.test.broker, { ...OPERATOR, jobId })
      return UNDONE
    })
    await runUndoJobs(t.test.broker)
    expect(undoCalls()).toHaveLength(1)
    expect(await job(jobId)).toMatchObject({ status: 'cancelled' })
    expect((await job(jobId))?.counts).toEqual({ undone: 1, cancelled: 2 })
    expect(await cancelUndoJob(t.test.broker, { ...OPERATOR, jobId })).toEqual({ kind: 'undo_job_ended' })
  })

  it('goes on after a crash without asking any skill twice', async () => {
    const ids = [await ordered(), await ordered()]
    const jobId = await begun(await incident())
    t.test.skill.replyAlways(UNDONE)
    const by = OPERATOR
    // Asked for, and the process ended before the job noted it.
    await undoAction(t.test.broker, { userId: t.alice.userId, actionId: ids[0] ?? '', by })
    await runUndoJobs(t.test.broker)
    await runUndoJobs(t.test.broker)
    expect(undoCalls()).toHaveLength(2)
    expect(await job(jobId)).toMatchObject({ status: 'done', counts: { undone: 1, already_undone: 1 } })
  })

  it('takes only what can still be undone, of the incident’s skill and user', async () => {
    await ordered()
    t.test.clock.advance(WINDOW_MS + 1)
    expect((await begin(await incident())).kind).toBe('nothing_to_undo')
    await ordered()
    expect((await begin(await incident('usr_other'))).kind).toBe('nothing_to_undo')
    expect((await begin(await incident(t.alice.userId))).kind).toBe('begun')
    expect((await begin(await incident(), { action: 'place_order' })).kind).toBe('nothing_to_undo')
  })

  it.each([
    ['without a reason', { reason: 'no' }, 'reason_refused'],
    ['without a name', { operatorId: '' }, 'reason_refused'],
    ['from an incident nobody opened', { incidentId: 'inc_unknown' }, 'incident_unknown'],
  ])('is refused %s', async (_, more, kind) => {
    await ordered()
    expect((await begin(await incident(), more)).kind).toBe(kind)
  })

  it('notes what a skill refused, and what ran out of time on the way', async () => {
    await ordered()
    await ordered()
    const jobId = await begun(await incident())
    t.test.skill.replyNext(() => {
      t.test.clock.advance(WINDOW_MS + 1)
      return answered({ code: 'too_late' }, 409)
    })
    await runUndoJobs(t.test.broker)
    expect((await job(jobId))?.counts).toEqual({ refused: 1, not_undoable: 1 })
  })
})
