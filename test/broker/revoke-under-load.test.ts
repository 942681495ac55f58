import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { freeze } from '../../src/broker/freeze.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { listRevocations, showRevocation } from '../../src/broker/show-revocation.ts'
import { statusReferenceOf } from '../../src/broker/status-place.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import { checkHistory } from '../nodes/check-history.ts'
import { type EndingAction, Recorder, type Told } from '../nodes/history.ts'
import { COFFEE, OPERATOR, paid } from '../support/coffee-test.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createRandom } from '../support/random.ts'
import { claimsOf } from '../support/skill-key.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const WORKERS = 4
const BEFORE_STOP = 12
const LIMIT = 1_000_000

let test: TestBroker
let recorder: Recorder
let users: Granted[]

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  recorder = new Recorder()
  users = [await grantAll(test.broker, COFFEE), await grantAll(test.broker, COFFEE)]
  const random = createRandom(20_261_123)
  test.skill.replyAlways(async (call) => {
    const { kin, exe, lfh, amt } = claimsOf(call)
    if (kin !== 'action') return answered({ state: 'cancelled' })
    recorder.note({ kind: 'called', executionId: exe, user: '', amountMinor: amt ?? 0, leafHash: lfh })
    // Some are on their way for a while, so that a stop always meets some of them.
    for (let turns = random.between(0, 30); turns > 0; turns--) await new Promise(setImmediate)
    return random.chance(0.2) ? broken('timed_out') : paid(amt ?? 0)
  })
})
afterEach(() => test.close())

const cancel = (ids: readonly string[]) => cancelInFlight(test.broker, ids)

function toldOf(performed: Awaited<ReturnType<typeof performAction>>): Told | undefined {
  if (performed.kind !== 'done') return undefined
  const { id, status } = performed.view.row
  return { effect: 'permit', actionId: id, status, promise: null }
}

/** Orders without end, each worker one after another; `answeredOnce` resolves when so many were answered. */
function startLoad() {
  let isOver = false
  let answers = 0
  let waiting: { until: number; resolve(): void }[] = []
  async function worker(user: Granted, name: string): Promise<void> {
    for (let n = 0; !isOver; n++) {
      const call = `${name}-${n}`
      recorder.note({ kind: 'asked', call, user: user.userId, key: call })
      const performed = await performAction(test.broker, user.ask('order_and_pay', order(10), `load-${call}`))
      const outcome = toldOf(performed)
      if (outcome) recorder.note({ kind: 'told', call, outcome })
      answers += 1
      for (const { resolve } of waiting.filter(({ until }) => until <= answers)) resolve()
      waiting = waiting.filter(({ until }) => until > answers)
    }
  }
  const all = users.flatMap((user, u) => Array.from({ length: WORKERS }, (_, w) => worker(user, `${u}-${w}`)))
  return {
    answered: (count: number) =>
      new Promise<void>((resolve) => waiting.push({ until: answers + count, resolve })),
    async end() {
      isOver = true
      await Promise.all(all)
    },
  }
}

async function actionsOf(userId: string): Promise<ActionRow[]> {
  const search = { userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  return test.broker.store.read(async (tx) => tx.actions.list(search, { limit: 1_000, before: null }))
}

async function endingOf() {
  const actions: EndingAction[] = []
  for (const { userId } of users) {
    for (const row of await actionsOf(userId)) {
      if (row.reservedAtMs === null) continue
      const { id: actionId, idempotencyKey: key, status, heldMinor, capturedMinor } = row
      actions.push({ actionId, user: userId, key, status, heldMinor, capturedMinor })
    }
  }
  return { actions, leaves: new Map(), limitsMinor: new Map(users.map(({ userId }) => [userId, LIMIT])) }
}

async function violations() {
  const ending = await endingOf()
  const owners = new Map(ending.actions.map(({ actionId, user }) => [actionId, user]))
  const seen = recorder.seen.map((event) =>
    event.kind === 'called' ? { ...event, user: owners.get(event.executionId) ?? '' } : event,
  )
  return checkHistory({ seen, ending }).filter(({ promise }) => promise === 'P2' || promise === 'P3')
}

describe('a stop under load', () => {
  it.each(['revoke', 'freeze'] as const)(
    'permits nothing after a %s was acknowledged, and accounts for all that was under way',
    async (how) => {
      const [stopped, undisturbed] = users as [Granted, Granted]
      const load = startLoad()
      await load.answered(BEFORE_STOP)
      recorder.note({ kind: 'stopping', stop: 's', user: stopped.userId })
      const announced = await stop(how, stopped)
      recorder.note({ kind: 'stopped', stop: 's', unsettled: announced })
      await load.answered(BEFORE_STOP)
      await load.end()
      await test.broker.inFlight.idle()

      expect(await violations()).toEqual([])
      // The stop was put to the test: something was under way, and others went on.
      expect(announced.length).toBeGreaterThan(0)
      const stoppedAt = recorder.seen.findIndex(({ kind }) => kind === 'stopped')
      const later = recorder.seen.slice(stoppedAt).filter(({ kind }) => kind === 'told')
      expect(later.length).toBeGreaterThan(0)
      expect((await actionsOf(undisturbed.userId)).length).toBeGreaterThan(0)

      const [kept] = await listRevocations(test.broker, {
        userId: stopped.userId,
        page: { limit: 1, before: null },
      })
      const shown = await accounted(stopped.userId, kept?.id ?? '')
      expect(shown.map(({ actionId }) => actionId).sort()).toEqual([...announced].sort())
      for (const one of shown) {
        const row = await test.broker.store.read(async (tx) => tx.actions.find(one.actionId))
        const isSettled = row?.status !== 'in_doubt' && row?.status !== 'dispatched'
        expect(isSettled || one.isOpen).toBe(true)
        expect(one.cancel).not.toBeNull()
        if (!isSettled) {
          const outcome = { kind: 'released' } as const
          await settleByOperator(test.broker, { ...OPERATOR, actionId: one.actionId, outcome })
        }
      }
      // Whatever was open is known in the end, and says so.
      expect((await accounted(stopped.userId, kept?.id ?? '')).filter(({ isOpen }) => isOpen)).toEqual([])
      const [reference, other] = [
        await statusReferenceOf(test.broker, stopped.grant.id),
        await statusReferenceOf(test.broker, undisturbed.grant.id),
      ]
      expect(reference).not.toEqual(other)
    },
    60_000,
  )
})

async function stop(how: 'revoke' | 'freeze', { userId }: Granted): Promise<string[]> {
  if (how === 'revoke') {
    const done = await revokeAuthority(test.broker, { userId, scope: { kind: 'everything' } }, cancel)
    if (done.kind !== 'revoked') throw new Error(done.kind)
    return done.revocation.unsettled.map(({ actionId }) => actionId)
  }
  const what = { ...OPERATOR, kind: 'user', target: userId, includesCleanUp: false } as const
  const done = await freeze(test.broker, cancel, what)
  if (done.kind !== 'frozen') throw new Error(done.kind)
  return done.unsettled.map(({ actionId }) => actionId)
}

async function accounted(userId: string, revocationId: string) {
  const found = await showRevocation(test.broker, { userId, revocationId })
  if (found.kind !== 'revocation') throw new Error(found.kind)
  return found.revocation.actions
}
