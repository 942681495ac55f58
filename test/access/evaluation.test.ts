import { afterEach, describe, expect, it } from 'vitest'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { insertPoint } from '../support/enforcement-point.ts'
import { DEPLOYMENT, grantAll } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { insertAgent } from '../support/test-broker.ts'
import { type AccessWorld, accessWorld, MENU, order } from './access-world.ts'

let w: AccessWorld
const begin = async (terms: Partial<GrantTerms> = {}) => {
  w = await accessWorld(terms)
}
afterEach(() => w.test.close())

const TRUE = { decision: true }
const because = (reason: string) => ({ decision: false, context: { reason } })
const RESERVE = because('reserve_required')
const window = { kind: 'rolling', ms: 3_600_000 } as const

describe('an evaluation', () => {
  it('is true where the permit would use up nothing', async () => {
    await begin()
    expect(await w.evaluate('get_menu', MENU)).toEqual(TRUE)
  })

  it.each<[string, string, unknown, Partial<GrantTerms>]>([
    ['that spends', 'order_and_pay', order(100), {}],
    ['that a budget counts', 'get_menu', MENU, { budgets: [{ measure: 'count', window, limit: 5 }] }],
    ['under a grant that is good once', 'get_menu', MENU, { oneTime: true }],
    ['that is asked about', 'get_menu', MENU, { askFirst: [{ kind: 'always', actions: ['get_menu'] }] }],
  ])('says to reserve an action %s', async (_, action, args, terms) => {
    await begin(terms)
    expect(await w.evaluate(action, args as never)).toEqual(RESERVE)
  })

  it('uses up nothing, whatever it says and however often', async () => {
    await begin({ oneTime: true, budgets: [{ measure: 'count', window, limit: 1 }] })
    const state = () =>
      w.test.broker.store.read(async (tx) => ({
        counters: await tx.counters.list(w.alice.userId),
        grant: await tx.grants.find(w.alice.grant.id),
        approvals: await tx.approvals.list(w.alice.userId, null, { limit: 9, before: null }),
        unsettled: await tx.actions.unsettled(null),
      }))
    const before = await state()
    for (let times = 0; times < 4; times++) expect(await w.evaluate('get_menu', MENU)).toEqual(RESERVE)
    expect(await state()).toEqual(before)
    expect(w.test.skill.calls).toEqual([])
    expect(await w.reserve('get_menu', MENU, 'after-them-all')).toMatchObject({ decision: true })
  })

  it.each([
    ['action_not_declared', 'steal_coffee', MENU],
    ['invalid_arguments', 'get_menu', {}],
    ['invalid_arguments', 'get_menu', { store_id: 'LK-1', extra: 1 }],
    ['amount_above_manifest', 'order_and_pay', order(9_000_000)],
  ])('is false for what the agent itself would be refused: %s', async (reason, action, args) => {
    await begin()
    expect(await w.evaluate(action, args)).toEqual(because(reason))
  })

  it('is false from the moment of a revoke', async () => {
    await begin()
    expect(await w.evaluate('get_menu', MENU)).toEqual(TRUE)
    const scope = { kind: 'grant', id: w.alice.grant.id } as const
    await revokeAuthority(w.test.broker, { userId: w.alice.userId, scope }, async () => [])
    expect(await w.evaluate('get_menu', MENU)).toEqual(because('consent_required'))
  })

  it('is a leaf each time it is true, and equal refusals within a minute are one', async () => {
    await begin()
    const evaluations = async () =>
      (await w.test.leaves())
        .filter(({ type }) => type === 'evaluation')
        .map(({ outcome, reason }) => [outcome, reason])
    await w.evaluate('get_menu', MENU)
    await w.evaluate('get_menu', MENU)
    await w.evaluate('order_and_pay', order(100))
    await w.evaluate('order_and_pay', order(101))
    expect(await evaluations()).toEqual([
      ['permit', 'permitted'],
      ['permit', 'permitted'],
      ['deny', 'reserve_required'],
    ])
  })

  it('leaves no leaf for nonsense, for names that are made up, and for searches', async () => {
    await begin()
    const size = async () => (await w.test.leaves()).length
    const before = await size()
    await w.evaluate('get_menu', {})
    const { userId } = w.alice
    for (const id of ['usr_nobody', w.test.broker.newId('user'), `${userId}x`]) {
      await w.post('evaluation', { ...w.question('get_menu', MENU), subject: { type: 'user', id } })
    }
    await w.post('evaluation', {
      ...w.question('get_menu', MENU),
      resource: { type: 'skill', id: 'no.skill' },
    })
    await w.post('search/action', {
      subject: { type: 'user', id: userId },
      resource: { type: 'skill', id: 'coffee.order' },
    })
    expect(await size()).toBe(before)
  })

  it('takes what the agent may have read for read where no session is named', async () => {
    await begin({ askFirst: [{ kind: 'after_untrusted', actions: ['get_menu'] }] })
    expect(await w.evaluate('get_menu', MENU, { session: undefined })).toEqual(RESERVE)
    expect(await w.evaluate('get_menu', MENU)).toEqual(TRUE)
  })
})

describe('the session a question names', () => {
  const ASK_AFTER: Partial<GrantTerms> = { askFirst: [{ kind: 'after_untrusted', actions: ['get_menu'] }] }

  it.each<[string, (w: AccessWorld) => string]>([
    ['nobody knows it', (it) => it.test.broker.newId('session')],
    ['it is none', () => 'ses_1'],
    ['it has the form of another id', (it) => it.alice.userId],
  ])('is taken for unknown when %s', async (_, session) => {
    await begin(ASK_AFTER)
    expect(await w.evaluate('get_menu', MENU, { session: session(w) })).toEqual(RESERVE)
  })

  it('is taken for unknown when it is another agent’s, and nothing is noted there', async () => {
    await begin(ASK_AFTER)
    const { store } = w.test.broker
    const theirs = { id: w.test.broker.newId('session'), userId: w.alice.userId, agentId: 'agt_other' }
    const read = { readUntrusted: true, categories: '["secret"]' }
    await store.transaction(async (tx) =>
      tx.sessions.save({ ...theirs, ...read, startedAtMs: tx.nowMs, lastSeenAtMs: tx.nowMs }),
    )
    const naming = { session: theirs.id }
    expect(await w.evaluate('get_menu', MENU, naming)).toEqual(RESERVE)
    await w.post('reservations', w.question('get_menu', MENU, naming), 'other-session')
    const kept = await store.read(async (tx) => tx.sessions.find(w.alice.userId, theirs.id))
    expect(kept).toMatchObject({ ...theirs, ...read })
  })

  it('knows what an evaluation gave the agent to read', async () => {
    await begin()
    const { session } = w.question('get_menu', MENU).context as { session: string }
    await w.evaluate('get_menu', MENU)
    const row = await w.test.broker.store.read(async (tx) => tx.sessions.find(w.alice.userId, session))
    expect(JSON.parse(row?.categories ?? '[]')).toContain('price')
  })
})

describe('whom and what an enforcement point may ask about', () => {
  it('is no skill it was not registered for', async () => {
    await begin()
    const other = await insertPoint(w.test.broker, { skills: ['pay.transfer'] })
    const answer = await w.post('evaluation', w.question('get_menu', MENU), undefined, other.secret)
    expect([answer.status, answer.body]).toEqual([200, because('not_enforced_here')])
  })

  it('is every skill of the publisher it was registered for, and no other’s', async () => {
    await begin()
    const { publisher } = sampleManifest('coffee.order')
    for (const [publisherId, expected] of [
      [publisher, TRUE],
      ['pay.example', because('not_enforced_here')],
    ] as const) {
      const { secret } = await insertPoint(w.test.broker, { publisherId })
      const { body } = await w.post('evaluation', w.question('get_menu', MENU), undefined, secret)
      expect(body).toEqual(expected)
    }
  })

  it('is nobody without a grant for the skill, and they look like somebody who does not exist', async () => {
    await begin()
    const { broker } = w.test
    const bob = broker.newId('user')
    const agent = await insertAgent(broker, { userId: bob })
    await grantAll(broker, sampleManifest('pay.transfer'), {}, { userId: bob, agent })
    const answers = []
    for (const [id, agentId] of [
      [bob, agent.id],
      [broker.newId('user'), broker.newId('agent')],
      [w.alice.userId, agent.id],
      [bob, w.alice.agent.id],
    ]) {
      const subject = { type: 'user', id }
      const body = { ...w.question('get_menu', MENU, { agent: agentId }), subject }
      answers.push((await w.post('evaluation', body)).body)
    }
    expect(answers).toEqual(answers.map(() => because('consent_required')))
  })

  it('of an agent without a grant there is nobody at all, whatever else would be refused first', async () => {
    await begin()
    const { broker } = w.test
    const bob = broker.newId('user')
    const agent = await insertAgent(broker, { userId: bob })
    const left = await insertAgent(broker, { userId: bob, status: 'disconnected' })
    await grantAll(broker, sampleManifest('pay.transfer'), {}, { userId: bob, agent })
    const nobody = [broker.newId('user'), broker.newId('agent')] as const
    for (const [action, args] of [
      ['get_menu', MENU],
      ['get_menu', {}],
      ['steal_coffee', MENU],
      ['order_and_pay', order(9_000_000)],
      ['order_and_pay', order(9_000_001)],
    ] as const) {
      const answers: unknown[] = []
      for (const [id, agentId] of [nobody, [bob, agent.id], [bob, left.id]]) {
        const body = { ...w.question(action, args, { agent: agentId }), subject: { type: 'user', id } }
        const evaluated = await w.post('evaluation', body)
        const reserved = await w.post('reservations', body, 'the-same-key')
        answers.push([evaluated.status, evaluated.body, reserved.status, reserved.body])
      }
      expect(answers).toEqual(answers.map(() => answers[0]))
    }
  })

  it('is a user’s only agent without naming it, and one of two only by its name', async () => {
    await begin()
    const unnamed = { agent: undefined }
    expect(await w.evaluate('get_menu', MENU, unnamed)).toEqual(TRUE)
    const { userId } = w.alice
    await grantAll(
      w.test.broker,
      sampleManifest('coffee.order'),
      {},
      {
        userId,
        agent: await insertAgent(w.test.broker, { userId }),
      },
    )
    expect(await w.evaluate('get_menu', MENU, unnamed)).toEqual(because('agent_required'))
    expect(await w.evaluate('get_menu', MENU)).toEqual(TRUE)
  })

  it('may be named as an agent, and never as another’s', async () => {
    await begin()
    const { agent } = w.alice
    const ask = async (id: string, context: object = { agent: undefined }) => {
      const subject = { type: 'agent', id }
      return (await w.post('evaluation', { ...w.question('get_menu', MENU, context), subject })).body
    }
    expect(await ask(agent.id)).toEqual(TRUE)
    expect(await ask(w.test.broker.newId('agent'))).toEqual(because('consent_required'))
    expect(await ask(agent.id, { agent: w.test.broker.newId('agent') })).toEqual(because('consent_required'))
  })

  it('is no user as a list, unless an operator let it list users', async () => {
    await begin()
    const asked = {
      subject: { type: 'user' },
      action: { name: 'get_menu' },
      resource: { type: 'skill', id: 'coffee.order' },
      context: { arguments: MENU, deployment: DEPLOYMENT },
    }
    const refused = await w.post('search/subject', asked)
    expect([refused.status, refused.body.code]).toEqual([403, 'users_not_listed'])
    const { secret } = await insertPoint(w.test.broker, { skills: ['coffee.order'], mayListUsers: true })
    const found = await w.post('search/subject', asked, undefined, secret)
    expect(found.body).toEqual({ results: [{ type: 'user', id: w.alice.userId }] })
    const elsewhere = await insertPoint(w.test.broker, { skills: ['pay.transfer'], mayListUsers: true })
    const none = await w.post('search/subject', asked, undefined, elsewhere.secret)
    expect(none.body).toEqual({ results: [] })
  })
})

describe('the arguments of a question', () => {
  it('are those of the context exactly, and then properties are nothing but attributes', async () => {
    await begin()
    const body = {
      ...w.question('get_menu', MENU),
      action: { name: 'get_menu', properties: { store_id: 5 } },
    }
    expect((await w.post('evaluation', body)).body).toEqual(TRUE)
  })

  it('are taken from properties of the same name where the context has none', async () => {
    await begin()
    const base = w.question('get_menu', MENU, { arguments: undefined })
    const properties = { store_id: 'LK-1', colour: 'red' }
    const asked = { ...base, action: { name: 'get_menu', properties } }
    expect((await w.post('evaluation', asked)).body).toEqual(TRUE)
    expect((await w.post('evaluation', base)).body).toEqual(because('invalid_arguments'))
  })

  it('are refused where two properties of one name differ', async () => {
    await begin()
    const base = w.question('get_menu', MENU, { arguments: undefined })
    const asked = {
      ...base,
      action: { name: 'get_menu', properties: { store_id: 'LK-1' } },
      resource: { type: 'skill', id: 'coffee.order', properties: { store_id: 'LK-2' } },
    }
    expect((await w.post('evaluation', asked)).body).toEqual(because('invalid_arguments'))
  })

  it.each([{ agent: 5 }, { arguments: 'all' }, { session: {} }])(
    'and whatever else means something here have their type: %o',
    async (context) => {
      await begin()
      expect((await w.post('evaluation', w.question('get_menu', MENU, context))).status).toBe(400)
    },
  )
})

describe('a search', () => {
  it('finds exactly what an evaluation with the same words is true of', async () => {
    await begin()
    const { subject, resource, context } = w.question('get_menu', MENU)
    const { body } = await w.post('search/action', { subject, resource, context })
    const found = (body.results as { name: string }[]).map(({ name }) => name)
    expect(found).toContain('get_menu')
    expect(found).not.toContain('order_and_pay')
    for (const { name } of sampleManifest('coffee.order').actions) {
      expect([name, (await w.evaluate(name, MENU)).decision]).toEqual([name, found.includes(name)])
    }
  })

  it('finds only skills the point enforces for', async () => {
    await begin()
    const { userId, agent } = w.alice
    await grantAll(w.test.broker, sampleManifest('pay.transfer'), {}, { userId, agent })
    const { subject, context } = w.question('balance', {})
    const ask = async (name: string, args: object) =>
      (
        await w.post('search/resource', {
          subject,
          action: { name },
          resource: { type: 'skill' },
          context: { ...(context as object), arguments: args },
        })
      ).body
    expect(await ask('get_menu', MENU as object)).toEqual({
      results: [{ type: 'skill', id: 'coffee.order' }],
    })
    expect(await ask('get_balance', {})).toEqual({ results: [] })
  })
})
