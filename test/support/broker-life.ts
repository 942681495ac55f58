import { approveAction, refuseAction } from '../../src/broker/answer-approval.ts'
import type { ActionRequest } from '../../src/broker/authorize-action.ts'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { closeIncident } from '../../src/broker/close-incident.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { type Performed, performAction } from '../../src/broker/perform-action.ts'
import { resolveInDoubt } from '../../src/broker/resolve-in-doubt.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { setBudget } from '../../src/broker/set-budget.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { takeUpUnsettled } from '../../src/broker/take-up-unsettled.ts'
import type { FreezeKind } from '../../src/core/decision/freeze-ids.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import type { SkillCall } from '../../src/ports/skill-caller.ts'
import { answered } from './fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from './granted-agent.ts'
import { createRandom } from './random.ts'
import { actionReply, statusReply } from './random-skill.ts'
import { sampleManifest } from './sample-manifest.ts'
import { claimsOf, createSkillKey } from './skill-key.ts'
import { createTestBroker, type TestBroker } from './test-broker.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const OPERATOR = { operatorId: 'opr_test', reason: 'what the test wants' }
const EVERYTHING = { limit: 200, before: null }

const TERMS: Partial<GrantTerms> = {
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'per_action' }, limit: 900 },
    { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: HOUR_MS }, limit: 2500 },
    { measure: 'count', window: { kind: 'rolling', ms: 2 * HOUR_MS }, limit: 14 },
  ],
  askFirst: [
    { kind: 'above_amount', currency: 'CNY', amountMinor: 600 },
    { kind: 'above_unasked', currency: 'CNY', amountMinor: 1400, windowMs: 3 * HOUR_MS },
  ],
}

/**
 * One random life of a broker: agents ask, the skill answers as it likes, people and operators do what they may, the
 * clock is set, the process dies. The same seed lives the same life, as far as the event loop lets it.
 */
export async function liveBrokerLife(seed: number, steps: number) {
  const random = createRandom(seed)
  const key = createSkillKey()
  const manifest = key.inManifest(sampleManifest('coffee.order'))
  let test = await createTestBroker({
    settings: { coolDownMs: 2 * MINUTE_MS, openQuestionsMost: 8, questionsPerDayMost: 1_000 },
  })
  const terms = new Map<string, GrantTerms>()
  const asked: ActionRequest[] = []
  const sent = new Map<string, SkillCall>()
  const running = new Set<Promise<unknown>>()
  const broke: unknown[] = []
  const results: Performed[] = []
  let gates: (() => void)[] = []
  let trusted = true

  function skillAnswers(at: TestBroker) {
    at.secrets.set('coffee.order /payment_token', SECRET)
    at.skill.replyAlways(async (call) => {
      const claims = claimsOf(call)
      if (claims.kin === 'cancel') return answered({ state: 'cancelled' })
      if (claims.kin === 'status')
        return statusReply(random, key, call, [...sent.values()], at.broker.store.now().nowMs)
      await provePermit(at, call)
      const earlier = sent.get(claims.key)
      // Only what the skill promised to honour, and has no status action, may be sent again, and then byte for byte.
      if (earlier && (claims.act === 'order_and_pay' || !earlier.body.equals(call.body))) {
        broke.push(new Error(`${claims.exe} was sent twice`))
      }
      sent.set(claims.key, call)
      if (random.chance(0.3)) await new Promise<void>((resolve) => gates.push(resolve))
      return actionReply(random, call)
    })
  }

  /** P1: what is being sent was permitted by a leaf that is durable by now. */
  async function provePermit(at: TestBroker, call: SkillCall) {
    const claims = claimsOf(call)
    const row = await at.broker.store.read(async (tx) => tx.actions.find(claims.exe))
    const leaf =
      row?.eventId && (await at.broker.store.read(async (tx) => tx.log.leafByEvent(row.eventId ?? '')))
    const { treeSize } = await at.broker.store.treeHead()
    const proven = leaf && leaf.leafIndex < treeSize && leaf.leafHash.toString('base64url') === claims.lfh
    const isOpen = row?.status === 'dispatched' || row?.status === 'in_doubt'
    if (!proven || !isOpen) broke.push(new Error(`${claims.exe} was sent without a permit`))
  }

  function start(work: Promise<unknown>) {
    const settled = work.catch((error: unknown) => {
      if (!String(error).includes('closed') && !String(error).includes('not open')) broke.push(error)
    })
    running.add(settled)
    void settled.finally(() => running.delete(settled))
  }
  async function drain() {
    while (running.size > 0) {
      for (const open of gates.splice(0)) open()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const agents: Granted[] = []
  async function give(about: Parameters<typeof grantAll>[3] = {}) {
    const given = await grantAll(test.broker, manifest, TERMS, about)
    terms.set(given.grant.id, JSON.parse(given.grant.terms) as GrantTerms)
    return given
  }
  skillAnswers(test)
  agents.push(await give())
  const owner = agents[0]?.userId ?? ''
  agents.push(await give({ userId: owner }))
  agents.push(await give())
  const users = [...new Set(agents.map((agent) => agent.userId))]
  const cancel = (ids: readonly string[]) => cancelInFlight(test.broker, ids)
  const setLimit = async (limit: number) => {
    const window = random.pick([
      { kind: 'calendar', period: 'day' },
      { kind: 'rolling', ms: 5 * HOUR_MS },
    ] as const)
    const scope = random.pick([
      { kind: 'user' },
      { kind: 'skill', skill: 'coffee.order' },
      { kind: 'agent', agentId: agents[0]?.agent.id ?? '' },
    ] as const)
    const budget = { measure: 'amount', currency: 'CNY', window, limit } as const
    await setBudget(test.broker, { userId: owner, scope, budget })
  }
  await setLimit(6000)

  function request(): ActionRequest {
    const agent = random.pick(agents)
    const kind = random.between(0, 9)
    if (kind === 0) return agent.ask('get_menu', { store_id: 'LK-1' })
    if (kind === 1) return agent.ask('get_quote', { quote_id: 'Q-1' })
    return agent.ask('order_and_pay', order(random.between(0, random.chance(0.2) ? 1000 : 700)))
  }
  const perform = (one: ActionRequest) =>
    start(performAction(test.broker, one).then((performed) => results.push(performed)))
  const inDoubt = (): Promise<ActionRow[]> =>
    test.broker.store.read(async (tx) =>
      (await tx.actions.unsettled(null)).filter((row) => row.status === 'in_doubt'),
    )
  const waiting = (userId: string) =>
    test.broker.store.read(async (tx) => tx.approvals.list(userId, 'waiting', EVERYTHING))

  const acts: Record<string, { weight: number; act: () => Promise<void> | void }> = {
    ask: {
      weight: 40,
      act() {
        const one = request()
        asked.push(one)
        perform(one)
        if (random.chance(0.2)) perform(one)
      },
    },
    askAgain: {
      weight: 14,
      act: () => (asked.length > 0 ? perform(random.pick(asked.slice(-25))) : undefined),
    },
    release: {
      weight: 10,
      act: () => gates.splice(random.between(0, gates.length), 1)[0]?.(),
    },
    answer: {
      weight: 12,
      async act() {
        const userId = random.pick(users)
        const open = await waiting(userId)
        if (open.length === 0) return
        const { id: approvalId, actionId } = random.pick(open)
        const answer = random.chance(0.85) ? approveAction : refuseAction
        await answer(test.broker, { userId, approvalId })
        const row = await test.broker.store.read(async (tx) => tx.actions.find(actionId))
        const waits = asked.find((one) => one.idempotencyKey === row?.idempotencyKey)
        // Twice at once: one yes is good for one of them.
        for (let i = 0; waits && i < random.between(0, 2); i++) perform(waits)
      },
    },
    operator: {
      weight: 4,
      async act() {
        const rows = await inDoubt()
        if (rows.length === 0) return
        const { id: actionId, reservedMinor } = random.pick(rows)
        const outcome = random.chance(0.5)
          ? ({ kind: 'released' } as const)
          : ({ kind: 'captured', amountMinor: random.between(0, reservedMinor ?? 0) } as const)
        start(settleByOperator(test.broker, { actionId, ...OPERATOR, outcome }))
      },
    },
    resolve: {
      weight: 8,
      async act() {
        const rows = await inDoubt()
        if (rows.length > 0) start(resolveInDoubt(test.broker, random.pick(rows).id))
      },
    },
    incidents: {
      weight: 4,
      async act() {
        const open = await test.broker.store.read(async (tx) => tx.incidents.list('open', EVERYTHING))
        for (const { id } of open) await closeIncident(test.broker, { incidentId: id, ...OPERATOR })
      },
    },
    revoke: {
      weight: 2,
      async act() {
        const index = random.between(0, agents.length - 1)
        const { userId, agent, grant } = agents[index] as Granted
        const scope = random.pick([
          { kind: 'grant', id: grant.id },
          { kind: 'agent', id: agent.id },
          { kind: 'skill', id: 'coffee.order' },
          { kind: 'everything' },
        ] as const)
        await revokeAuthority(test.broker, { userId, scope }, cancel)
        if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve))
        for (let i = 0; i < agents.length; i++) {
          const one = agents[i] as Granted
          if (one.userId === userId) agents[i] = await give({ userId, agent: one.agent })
        }
      },
    },
    freeze: {
      weight: 2,
      async act() {
        const { userId, agent } = random.pick(agents)
        const [kind, target] = random.pick<[FreezeKind, string]>([
          ['user', userId],
          ['agent', agent.id],
          ['skill', 'coffee.order'],
          ['action', 'coffee.order/order_and_pay'],
          ['platform', '*'],
        ])
        const includesCleanUp = random.chance(0.3)
        await freeze(test.broker, cancel, { ...OPERATOR, kind, target, includesCleanUp })
        for (let i = 0; i < 3; i++) perform(request())
        await new Promise((resolve) => setImmediate(resolve))
        await unfreeze(test.broker, { ...OPERATOR, freezeId: `${kind}:${target}` })
      },
    },
    limit: { weight: 3, act: () => setLimit(random.pick([1500, 3000, 6000, 12_000])) },
    advance: { weight: 8, act: () => test.clock.advance(random.between(0, 25 * MINUTE_MS)) },
    leap: { weight: 1, act: () => test.clock.advance(random.between(HOUR_MS, 20 * HOUR_MS)) },
    stepBack: { weight: 1, act: () => test.clock.stepWall(-random.between(1, 3 * HOUR_MS)) },
    stepAhead: {
      weight: 1,
      async act() {
        await drain()
        test.clock.stepWall(random.between(6_000, 30 * HOUR_MS))
        const { treeSize } = await test.broker.store.treeHead()
        for (let i = 0; i < 4; i++) perform(random.pick(agents).ask('order_and_pay', order(50)))
        await drain()
        trusted = test.broker.store.now().clockTrusted
        const leaves = (await test.leaves()).slice(treeSize)
        if (!trusted && leaves.some((leaf) => leaf.type === 'decision' && leaf.outcome === 'permit')) {
          broke.push(new Error('spent by a clock that nobody confirmed'))
        }
        test.broker.store.confirmClock()
      },
    },
    restart: {
      weight: 1,
      async act() {
        gates = []
        test = await test.reopen()
        skillAnswers(test)
        running.clear()
        await takeUpUnsettled(test.broker)
      },
    },
  }
  const weighted = Object.values(acts).flatMap(({ weight, act }) => Array.from({ length: weight }, () => act))

  return {
    async run(check: (test: TestBroker) => Promise<void>) {
      for (let step = 1; step <= steps; step++) {
        await random.pick(weighted)()
        if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve))
        if (running.size > 12) await drain()
        if (broke.length > 0) throw broke[0]
        if (step % 100 === 0) {
          await drain()
          await check(test)
        }
      }
      await drain()
      if (broke.length > 0) throw broke[0]
      return test
    },
    close: () => test.close(),
    termsOf: (grantId: string) => terms.get(grantId),
    asked,
    sent,
    results,
  }
}
