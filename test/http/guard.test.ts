import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storedDeployments } from '../../src/broker/agent-deployments.ts'
import { allowAlways, showAlways } from '../../src/broker/allow-always.ts'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { approveConsent, refuseConsent } from '../../src/broker/answer-consent.ts'
import { showApproval } from '../../src/broker/show-approval.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { codingWish } from '../../src/guard/guard-wish.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'
import { insertAgent, registerSkill } from '../support/test-broker.ts'

const CODING = sampleManifest('coding.local')
const FOLDER = '/home/li/shop'

let test: TestApp
let alice: Granted
let token: string

beforeEach(async () => {
  test = await createTestApp()
})
afterEach(() => test.close())

/** A guard says nothing of the model that the program it stands beside runs on. */
function newAgent() {
  const userId = test.broker.newId('user')
  return insertAgent(test.broker, { userId, deployments: storedDeployments([]) })
}

async function start(terms: Partial<GrantTerms> = {}) {
  const agent = await newAgent()
  alice = await grantAll(test.broker, CODING, { budgets: [], ...terms }, { userId: agent.userId, agent })
  token = await test.tokenFor({ kind: 'agent', userId: alice.userId, agentId: alice.agent.id })
}

function permit(action: string, args: Record<string, unknown>, extra: Record<string, unknown> = {}) {
  return test.call('POST', '/v1/guard/permits', {
    token,
    body: {
      skill: 'coding.local',
      action,
      arguments: args,
      ...extra,
    },
  })
}
const read = (path = `${FOLDER}/a.ts`) => permit('read_file', { path })
const run = (command: string) => permit('run_command', { command, folder: FOLDER, inBackground: false })

async function sayYes(approvalId: string) {
  const { userId } = alice
  const found = await showApproval(test.broker, { userId, approvalId })
  if (found.kind !== 'found' || !found.approval.shown) throw new Error('nothing to say yes to')
  const shown = { shownDigest: found.approval.shown.digest }
  const answered = await approveAction(test.broker, { userId, approvalId, ...shown })
  expect(answered.kind).toBe('approved')
  return found.approval.shown
}

describe('POST /v1/guard/permits', () => {
  it('permits what was granted, counts it, and keeps that nobody told what came of it', async () => {
    await start()
    const told = await read()
    expect([told.status, told.body.status]).toEqual([200, 'permitted'])
    const actionId = String(told.body.actionId)
    const row = await test.broker.store.read(async (tx) => tx.actions.find(actionId, alice.userId))
    expect(row).toMatchObject({ status: 'outcome_unknown', counted: true, heldMinor: 0, settledBy: 'guard' })
    expect((await test.leaves()).at(-1)).toMatchObject({ type: 'decision', outcome: 'permit' })
    expect(test.skill.calls).toEqual([])
  })

  it('gives each run a permit of its own, however many ask at once', async () => {
    await start()
    const all = await Promise.all(Array.from({ length: 6 }, () => read()))
    const permitted = all.filter(({ status }) => status === 200).map(({ body }) => body.actionId)
    expect(permitted.length).toBeGreaterThan(0)
    expect(new Set(permitted).size).toBe(permitted.length)
    // Whoever was never first is told to ask again, and is not allowed.
    for (const { status, body } of all.filter((one) => one.status !== 200)) {
      expect([status, body.code]).toEqual([409, 'idempotency_in_flight'])
    }
  })

  it('counts permits against a limit, and never beyond it', async () => {
    const window = { kind: 'rolling', ms: 60_000 } as const
    await start({ budgets: [{ measure: 'count', window, limit: 2 }] })
    const all = await Promise.all(['/a', '/b', '/c', '/d'].map((name) => read(`${FOLDER}${name}`)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(2)
    expect((await read()).body.code).toBe('budget_exceeded')
  })

  it('asks about a command, permits exactly it once after the yes, and asks anew', async () => {
    await start({ unasked: [{ rule: 'always', action: 'run_command' }] })
    const asked = await run('npm publish')
    expect([asked.status, asked.body.questions]).toEqual([202, ['always']])
    expect((await run('npm publish')).body.approvalId).toBe(asked.body.approvalId)
    const shown = await sayYes(String(asked.body.approvalId))
    expect(JSON.stringify(shown)).toContain('npm publish')

    expect((await run('npm publish --force')).status).toBe(202)
    const both = await Promise.all([run('npm publish'), run('npm publish')])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 202])
    expect((await run('npm publish')).status).toBe(202)
  })

  it('lets "always" mean that very command, and goes on asking about every other', async () => {
    await start()
    const asked = await run('npm publish')
    const which = { userId: alice.userId, approvalId: String(asked.body.approvalId) }
    const limits = { mayDiffer: ['/command', '/folder'], timesADay: 10, dayLimitMinor: 0, days: 1 }
    const fromMs = test.clock.nowMs()
    const shown = await showAlways(test.broker, { ...which, limits, fromMs })
    if (shown.kind !== 'shown') throw new Error(shown.kind)
    const { digest: shownDigest } = shown.shown
    const given = await allowAlways(test.broker, { ...which, limits, shownAtMs: fromMs, shownDigest })
    expect(given.kind).toBe('allowed')
    expect((await run('npm publish')).status).toBe(200)
    expect((await run('npm publish')).status).toBe(200)
    expect((await run('npm publish --force')).status).toBe(202)
  })

  it('runs a command unasked only as it was written out, in full', async () => {
    const constraints = [{ kind: 'one_of' as const, pointer: '/command', values: ['npm test'] }]
    await start({ actions: [{ name: 'run_command', constraints }] })
    expect((await run('npm test')).status).toBe(200)
    for (const command of ['npm test;id', 'npm test ', 'npm', 'npm test -- --x']) {
      expect((await run(command)).body.code).toBe('constraint_violated')
    }
  })

  it('holds paths to whole segments', async () => {
    const constraints = [{ kind: 'path_prefix' as const, pointer: '/path', prefix: FOLDER }]
    await start({ actions: [{ name: 'read_file', constraints }] })
    expect((await read(`${FOLDER}/deep/b.ts`)).status).toBe(200)
    for (const path of [
      `${FOLDER}-secret/a`,
      '/etc/passwd',
      `${FOLDER}/../.ssh/id`,
      `${FOLDER}/%2e%2e/x`,
      'a.ts',
    ]) {
      expect([path, (await read(path)).body.code]).toEqual([path, 'constraint_violated'])
    }
  })

  it('asks before anything leaves once a page was read', async () => {
    await start({ unasked: [] })
    const args = { command: 'npm test', folder: FOLDER, inBackground: false }
    expect((await permit('fetch_page', { url: 'https://a.example/', question: 'What?' })).status).toBe(200)
    const after = await permit('run_listed_command', args)
    expect([after.status, after.body.questions]).toEqual([202, ['after_untrusted', 'always']])
  })

  it('permits nothing after a revoke', async () => {
    await start()
    expect((await read()).status).toBe(200)
    const user = await test.tokenFor({ kind: 'user', userId: alice.userId })
    const revoked = await test.call('POST', `/v1/grants/${alice.grant.id}/revoke`, { token: user, body: {} })
    expect(revoked.status).toBe(200)
    expect((await read()).body.code).toBe('consent_required')
  })

  it('is for agents', async () => {
    await start()
    token = await test.tokenFor({ kind: 'user', userId: alice.userId })
    expect((await read()).status).toBe(403)
  })
})

describe('what a guard enforces', () => {
  it('can be asked for nowhere else', async () => {
    await start()
    const told = await test.call('POST', '/v1/actions', {
      token,
      headers: { 'idempotency-key': 'some-key-1' },
      body: {
        skill: 'coding.local',
        action: 'read_file',
        arguments: { path: '/a' },
      },
    })
    expect([told.status, told.body.code]).toEqual([403, 'enforced_elsewhere'])
    expect(test.skill.calls).toEqual([])
  })

  it('is nothing that the broker itself calls', async () => {
    const agent = await newAgent()
    const whose = { userId: agent.userId, agent }
    const coffee = await grantAll(test.broker, sampleManifest('coffee.order'), {}, whose)
    token = await test.tokenFor({ kind: 'agent', userId: coffee.userId, agentId: coffee.agent.id })
    const menu = await permit('get_menu', { store_id: 'LK-0571-022' }, { skill: 'coffee.order' })
    expect(menu.body.code).toBe('enforced_elsewhere')
    const args = { quote_id: 'Q-1', store_id: 'LK-1', total_amount: 500, currency: 'CNY', pickup: 'store' }
    expect((await permit('order_and_pay', args, { skill: 'coffee.order' })).body.code).toBe(
      'outcome_not_reported',
    )
  })
})

describe('a guard whose user has allowed nothing yet', () => {
  const wish = codingWish(FOLDER, new Set(['npm test']))
  const ask = (extra: Record<string, unknown> = { wish }) =>
    permit('read_file', { path: `${FOLDER}/a.ts` }, extra)

  beforeEach(async () => {
    await registerSkill(test.broker, CODING)
    const agent = await newAgent()
    const { userId } = agent
    await test.broker.store.transaction(async (tx) =>
      tx.users.save({ id: userId, timeZone: 'UTC', createdAtMs: tx.nowMs }),
    )
    alice = { ...alice, userId, agent }
    token = await test.tokenFor({ kind: 'agent', userId, agentId: agent.id })
  })

  it('has one question put to them, and goes on as they allowed it', async () => {
    const told = await ask()
    expect([told.status, told.body.code]).toEqual([403, 'consent_required'])
    const requestId = String(told.body.consentRequestId)
    expect((await ask()).body.consentRequestId).toBe(requestId)
    const given = await approveConsent(test.broker, { userId: alice.userId, requestId })
    expect(given.kind).toBe('approved')
    expect((await ask()).status).toBe(200)
    const args = { command: 'npm test', folder: FOLDER, inBackground: false }
    expect((await permit('run_listed_command', args)).status).toBe(200)
    const write = { path: `${FOLDER}/b`, digest: 'a'.repeat(43), characters: 1, isWhole: true, content: 'x' }
    expect((await permit('write_file', write)).status).toBe(202)
    expect((await read('/etc/passwd')).body.code).toBe('constraint_violated')
  })

  it('puts no question without a wish, or with one for another skill', async () => {
    expect((await ask({})).body.consentRequestId).toBeUndefined()
    const other = { ...wish, skill: 'coffee.order' }
    expect((await ask({ wish: other })).body.consentRequestId).toBeUndefined()
  })

  it('does not ask again after a no, nor after they took it back', async () => {
    const first = String((await ask()).body.consentRequestId)
    await refuseConsent(test.broker, { userId: alice.userId, requestId: first })
    expect((await ask()).body.consentRequestId).toBeUndefined()
  })
})
