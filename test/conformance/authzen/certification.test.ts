import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRecordFixture, type RecordFixture } from './record-fixture.ts'

/**
 * The certification scenario of AuthZEN Authorization API 1.0 (openid/authzen,
 * certification/authorization-api-1_0-scenario.md), check by check under its section numbers.
 */

const EVALUATION = '/access/v1/evaluation'
const EVALUATIONS = '/access/v1/evaluations'
const SUBJECTS = '/access/v1/search/subject'
const RESOURCES = '/access/v1/search/resource'
const ACTIONS = '/access/v1/search/action'

let fixture: RecordFixture
beforeAll(async () => {
  fixture = await createRecordFixture()
})
afterAll(() => fixture.test.close())

const user = (id: string, properties?: object) => ({
  type: 'user',
  id,
  ...(properties ? { properties } : {}),
})
const action = (name: string, properties?: object) => ({ name, ...(properties ? { properties } : {}) })
const record = (id: string, properties?: object) => ({
  type: 'record',
  id,
  ...(properties ? { properties } : {}),
})
const ACTIVE = { status: 'active' }
const ARCHIVED = { status: 'archived' }
const ADMIN = { role: 'admin' }
const ALICE_READS = { subject: user('alice'), action: action('read'), resource: record('record-1') }

async function decisionOf(body: unknown): Promise<unknown> {
  const answer = await fixture.send(EVALUATION, body)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/json')
  return answer.body.decision
}

async function batch(body: unknown): Promise<unknown[]> {
  const answer = await fixture.send(EVALUATIONS, body)
  expect(answer.status).toBe(200)
  expect(Object.keys(answer.body)).toEqual(['evaluations'])
  return answer.body.evaluations as unknown[]
}

const DECIDED = (...decisions: boolean[]) => decisions.map((decision) => ({ decision }))

describe('1.4 the required policy', () => {
  it.each([
    ['1: alice reads record-1', user('alice'), action('read'), record('record-1'), true],
    ['2: alice writes record-1', user('alice'), action('write'), record('record-1'), true],
    ['3: bob reads record-1', user('bob'), action('read'), record('record-1'), true],
    ['4: bob does not write record-1', user('bob'), action('write'), record('record-1'), false],
    [
      '5: alice does not write what is archived',
      user('alice'),
      action('write'),
      record('record-2', ARCHIVED),
      false,
    ],
    [
      '6: an admin writes what is archived',
      user('bob', ADMIN),
      action('write'),
      record('record-2', ARCHIVED),
      true,
    ],
    ['7: alice deletes softly', user('alice'), action('delete', { soft: true }), record('record-1'), true],
    [
      '8: alice does not delete hard',
      user('alice'),
      action('delete', { soft: false }),
      record('record-1'),
      false,
    ],
  ])('rule %s', async (_, subject, what, resource, expected) => {
    expect(await decisionOf({ subject, action: what, resource })).toBe(expected)
    const context = { time: '2025-06-27T18:03-07:00' }
    expect(await decisionOf({ subject, action: what, resource, context })).toBe(expected)
  })
})

describe('2.2 a request is accepted', () => {
  it('2.2.1 and permitted, with nothing but the decision', async () => {
    expect((await fixture.send(EVALUATION, ALICE_READS)).body).toEqual({ decision: true })
  })

  it('2.2.2 and denied, with 200', async () => {
    expect(await decisionOf({ ...ALICE_READS, subject: user('bob'), action: action('write') })).toBe(false)
  })

  it('2.2.3 with a context', async () => {
    const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' }
    expect(await decisionOf({ ...ALICE_READS, context })).toBe(true)
  })

  it('2.2.4 and denied for a property of the resource', async () => {
    const resource = record('record-2', ARCHIVED)
    expect(await decisionOf({ subject: user('alice'), action: action('write'), resource })).toBe(false)
    // Not for its identifier: the same record is written when it is active.
    const active = record('record-2', ACTIVE)
    expect(await decisionOf({ subject: user('alice'), action: action('write'), resource: active })).toBe(true)
  })

  it('2.2.5 and permitted for a property of the subject', async () => {
    const resource = record('record-2', ARCHIVED)
    expect(await decisionOf({ subject: user('bob', ADMIN), action: action('write'), resource })).toBe(true)
    const manager = user('bob', { role: 'manager' })
    expect(await decisionOf({ subject: manager, action: action('write'), resource })).toBe(false)
  })

  it.each([
    ['2.2.6 and permitted', true],
    ['2.2.7 and denied', false],
  ])('%s for a property of the action', async (_, soft) => {
    expect(await decisionOf({ ...ALICE_READS, action: action('delete', { soft }) })).toBe(soft)
  })

  it('2.2.8 with properties nobody asked for', async () => {
    const asked = {
      subject: user('alice', { department: 'Sales', role: 'manager' }),
      action: action('read', { method: 'GET' }),
      resource: record('record-1', { status: 'active', owner: 'bob' }),
    }
    expect(await decisionOf(asked)).toBe(true)
  })

  it('2.2.9 with fields nobody knows', async () => {
    expect(await decisionOf({ ...ALICE_READS, foo: 'bar', futureField: { nested: true } })).toBe(true)
  })
})

describe('2.3 the format of a response', () => {
  it.each([
    ['2.3.1 has a boolean decision', ALICE_READS],
    ['2.3.2 has a context that is an object, if any', { ...ALICE_READS, subject: user('nobody') }],
  ])('%s', async (_, body) => {
    const answer = await fixture.send(EVALUATION, body)
    expect(answer.status).toBe(200)
    expect(typeof answer.body.decision).toBe('boolean')
    if ('context' in answer.body) expect(answer.body.context).toBeTypeOf('object')
  })
})

describe('2.4 errors', () => {
  const { subject, action: what, resource } = ALICE_READS
  it.each([
    ['2.4.1 without a subject', { action: what, resource }],
    ['2.4.1 without an action', { subject, resource }],
    ['2.4.1 without a resource', { subject, action: what }],
    ['2.4.2 with a subject without type', { ...ALICE_READS, subject: { id: 'alice' } }],
    ['2.4.2 with a subject without id', { ...ALICE_READS, subject: { type: 'user' } }],
    ['2.4.2 with an action without name', { ...ALICE_READS, action: {} }],
    ['2.4.2 with a resource without type', { ...ALICE_READS, resource: { id: 'record-1' } }],
    ['2.4.2 with a resource without id', { ...ALICE_READS, resource: { type: 'record' } }],
    ['2.4.6 with a subject that is a string', { ...ALICE_READS, subject: 'alice' }],
    ['2.4.6 with an action whose name is a number', { ...ALICE_READS, action: { name: 123 } }],
    ['2.4.6 with properties that are a list', { ...ALICE_READS, action: { name: 'read', properties: [] } }],
    ['2.4.6 with a context that is a string', { ...ALICE_READS, context: 'now' }],
    ['2.4.6 with a body that is a list', [ALICE_READS]],
  ])('%s are 400', async (_, body) => {
    const answer = await fixture.send(EVALUATION, body)
    expect([answer.status, answer.body.status]).toEqual([400, 400])
  })

  it.each([
    ['2.4.3 another content type', JSON.stringify(ALICE_READS), { 'content-type': 'text/plain' }],
    ['2.4.3 a form', 'subject=alice', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['2.4.4 what is no JSON', '{"subject":', {}],
    ['2.4.5 an empty body', '', {}],
  ] as [string, string, Record<string, string>][])('%s is 400, not 415 or 422', async (_, raw, headers) => {
    for (const path of [EVALUATION, EVALUATIONS, SUBJECTS, RESOURCES, ACTIONS]) {
      expect([path, (await fixture.sendRaw(path, raw, headers)).status]).toEqual([path, 400])
    }
  })
})

describe('2.5 request identifiers', () => {
  it.each(['bfe9eb29-ab87-4ca3-be83-a1d5d8305716', 'x', 'any text: even (this) one/2', '7'.repeat(200)])(
    '2.5.1 come back: %s',
    async (id) => {
      const headers = { 'x-request-id': id }
      for (const [path, body] of [
        [EVALUATION, ALICE_READS],
        [EVALUATION, {}],
        [EVALUATIONS, ALICE_READS],
        [ACTIONS, { subject: user('alice'), resource: record('record-1') }],
      ] as const) {
        expect((await fixture.send(path, body, headers)).headers.get('x-request-id')).toBe(id)
      }
      const refused = await fixture.test.call('POST', EVALUATION, { body: ALICE_READS, headers })
      expect([refused.status, refused.headers.get('x-request-id')]).toEqual([401, id])
    },
  )

  it('2.5.2 need not be sent', async () => {
    const answer = await fixture.send(EVALUATION, ALICE_READS)
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([200, expect.any(String)])
  })
})

describe('2.6 idempotency', () => {
  it('gives the same decision each time, and keeps nothing of the earlier ones', async () => {
    const before = await countersOfAlice()
    const decisions = []
    for (let times = 0; times < 5; times++) decisions.push(await decisionOf(ALICE_READS))
    expect(decisions).toEqual([true, true, true, true, true])
    expect(await countersOfAlice()).toEqual(before)
  })

  function countersOfAlice() {
    const { broker } = fixture.test
    return broker.store.read(async (tx) => ({
      counters: await tx.counters.list(fixture.names.alice),
      actions: await tx.actions.unsettled(fixture.names.alice),
    }))
  }
})

describe('3.2 a batch is accepted', () => {
  it('3.2.1 with a default subject and action', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('read'),
      evaluations: [{ resource: record('record-1') }, { resource: record('record-2') }],
    })
    expect(decided).toEqual(DECIDED(true, true))
  })

  it('3.2.2 and answered in its order', async () => {
    const decided = await batch({
      subject: user('bob'),
      resource: record('record-1'),
      evaluations: [{ action: action('read') }, { action: action('write') }],
    })
    expect(decided).toEqual(DECIDED(true, false))
  })

  it('3.2.3 with properties of each item’s resource', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('write'),
      evaluations: [{ resource: record('record-1', ACTIVE) }, { resource: record('record-2', ARCHIVED) }],
    })
    expect(decided).toEqual(DECIDED(true, false))
  })

  it('3.2.4 with properties of each item’s subject', async () => {
    const decided = await batch({
      action: action('write'),
      resource: record('record-2', ARCHIVED),
      evaluations: [{ subject: user('alice') }, { subject: user('bob', ADMIN) }],
    })
    expect(decided).toEqual(DECIDED(false, true))
  })

  it('3.2.5 without defaults', async () => {
    const bobWrites = { ...ALICE_READS, subject: user('bob'), action: action('write') }
    expect(await batch({ evaluations: [ALICE_READS, bobWrites] })).toEqual(DECIDED(true, false))
  })

  it('3.2.6 with a context for all and one of an item’s own', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('read'),
      context: { time: '2025-06-27T18:03-07:00' },
      evaluations: [
        { resource: record('record-1') },
        {
          resource: record('record-2'),
          context: { time: '2025-06-27T19:00-07:00', source: 'batch-override' },
        },
      ],
    })
    expect(decided).toHaveLength(2)
  })

  it('3.2.7 and an item’s entity takes the place of the default, but for its type', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('write'),
      resource: { type: 'record' },
      evaluations: [
        { resource: { id: 'record-1', properties: ACTIVE } },
        { resource: record('record-2', ARCHIVED) },
      ],
    })
    expect(decided).toEqual(DECIDED(true, false))
  })

  it('3.2.7 and no property of the default is left in it', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('write'),
      resource: record('record-1', ARCHIVED),
      evaluations: [{}, { resource: record('record-1') }],
    })
    expect(decided).toEqual(DECIDED(false, true))
  })
})

describe('3.3 the format of a batch response', () => {
  it('3.3.1 to 3.3.4 has a decision for each item in order, and nothing else', async () => {
    const evaluations = Array.from({ length: 20 }, (_, i) => ({ action: action(i % 3 ? 'read' : 'write') }))
    const decided = await batch({ subject: user('bob'), resource: record('record-1'), evaluations })
    expect(decided).toEqual(evaluations.map((_, i) => ({ decision: i % 3 !== 0 })))
  })
})

describe('3.4 errors of a batch', () => {
  it('3.4.1 deny the item alone', async () => {
    const decided = await batch({
      subject: user('alice'),
      action: action('read'),
      evaluations: [{ resource: record('record-1') }, {}],
    })
    expect(decided).toEqual(DECIDED(true, false))
  })

  it('3.4.1 deny whatever is no item at all', async () => {
    const evaluations = [1, 'two', null, [], { resource: 'record-1' }, { subject: {} }, ALICE_READS]
    expect(await batch({ ...ALICE_READS, evaluations })).toEqual(
      DECIDED(false, false, false, false, false, true, true),
    )
  })

  it.each([
    ['3.4.2 without items', ALICE_READS],
    ['3.4.3 with no items in it', { ...ALICE_READS, evaluations: [] }],
  ])('%s it is a single evaluation', async (_, body) => {
    const answer = await fixture.send(EVALUATIONS, body)
    expect([answer.status, answer.body]).toEqual([200, { decision: true }])
    const partial = { ...body, subject: { type: 'user' } }
    expect((await fixture.send(EVALUATIONS, partial)).status).toBe(400)
  })

  it.each([
    ['items that are no list', { ...ALICE_READS, evaluations: {} }],
    ['a default subject that is a string', { ...ALICE_READS, subject: 'alice', evaluations: [{}] }],
    [
      'a semantic nobody knows',
      { ...ALICE_READS, evaluations: [{}], options: { evaluations_semantic: 'any' } },
    ],
  ])('2.4 %s is 400 for all of it', async (_, body) => {
    expect((await fixture.send(EVALUATIONS, body)).status).toBe(400)
  })
})

describe('API 7.1.2 evaluations_semantic', () => {
  const bob = { subject: user('bob'), resource: record('record-1') }
  const [read, write] = [{ action: action('read') }, { action: action('write') }]
  it.each([
    ['execute_all', [write, read, write], DECIDED(false, true, false)],
    ['deny_on_first_deny', [read, write, read], DECIDED(true, false)],
    ['deny_on_first_deny', [read, read], DECIDED(true, true)],
    ['permit_on_first_permit', [write, read, write], DECIDED(false, true)],
    ['permit_on_first_permit', [write, write], DECIDED(false, false)],
  ])('%s answers up to what ends it', async (evaluations_semantic, evaluations, expected) => {
    expect(await batch({ ...bob, evaluations, options: { evaluations_semantic } })).toEqual(expected)
  })
})

async function resultsOf(path: string, body: unknown): Promise<unknown[]> {
  const answer = await fixture.send(path, body)
  expect(answer.status).toBe(200)
  return answer.body.results as unknown[]
}
const ALL_READERS = {
  subject: { type: 'user' },
  action: action('read'),
  resource: record('record-1'),
}

describe('4.2 subject search', () => {
  it('4.2.1 finds whoever may', async () => {
    const found = await resultsOf(SUBJECTS, ALL_READERS)
    expect(found).toHaveLength(2)
    expect(found).toEqual(expect.arrayContaining([user('alice'), user('bob')]))
  })

  it('4.2.2 takes a context', async () => {
    expect(await resultsOf(SUBJECTS, { ...ALL_READERS, context: { time: 'now' } })).toHaveLength(2)
  })

  it('4.2.3 ignores an id of the subject', async () => {
    expect(await resultsOf(SUBJECTS, { ...ALL_READERS, subject: user('alice') })).toHaveLength(2)
  })

  it('4.2.4 looks at properties', async () => {
    const writers = { subject: { type: 'user' }, action: action('write') }
    const resource = record('record-2', ARCHIVED)
    expect(await resultsOf(SUBJECTS, { ...writers, resource })).toEqual([user('bob')])
    const active = { ...writers, resource: record('record-2', ACTIVE) }
    expect(await resultsOf(SUBJECTS, active)).toHaveLength(2)
  })
})

describe('4.3 resource search', () => {
  const readable = { subject: user('alice'), action: action('read'), resource: { type: 'record' } }
  it('4.3.1 finds what somebody may read', async () => {
    expect(await resultsOf(RESOURCES, readable)).toEqual([record('record-1'), record('record-2')])
  })

  it('4.3.2 ignores an id of the resource', async () => {
    expect(await resultsOf(RESOURCES, { ...readable, resource: record('record-2') })).toHaveLength(2)
  })

  it('4.3.3 looks at properties', async () => {
    const asked = { subject: user('bob', ADMIN), action: action('write'), resource: { type: 'record' } }
    expect(await resultsOf(RESOURCES, asked)).toEqual([record('record-2')])
  })
})

describe('4.4 action search', () => {
  it('4.4.1 finds what somebody may do', async () => {
    const found = await resultsOf(ACTIONS, { subject: user('alice'), resource: record('record-1') })
    expect(found).toEqual([{ name: 'read' }, { name: 'write' }])
  })

  it('4.4.2 takes a context', async () => {
    const asked = { subject: user('bob'), resource: record('record-1'), context: { time: 'now' } }
    expect(await resultsOf(ACTIONS, asked)).toEqual([{ name: 'read' }])
  })

  it('4.4.3 looks at properties', async () => {
    const asked = { subject: user('bob', ADMIN), resource: record('record-2', ARCHIVED) }
    expect(await resultsOf(ACTIONS, asked)).toEqual([{ name: 'read' }, { name: 'write' }])
  })
})

describe('4.5 pages', () => {
  it('4.5.1 to 4.5.3 lead to every result once, and end with an empty token', async () => {
    const seen: unknown[] = []
    let page: Record<string, unknown> = { limit: 1 }
    for (let pages = 1; ; pages++) {
      const answer = await fixture.send(SUBJECTS, { ...ALL_READERS, page })
      expect(answer.status).toBe(200)
      const next = answer.body.page as { next_token: string; count: number }
      expect(next.next_token).toBeTypeOf('string')
      expect(next.count).toBe((answer.body.results as unknown[]).length)
      seen.push(...(answer.body.results as unknown[]))
      if (next.next_token === '') break
      expect(pages).toBeLessThan(5)
      page = { token: next.next_token, limit: 1 }
    }
    expect(seen).toHaveLength(2)
    expect(seen).toEqual(expect.arrayContaining([user('alice'), user('bob')]))
  })

  it('4.5.2 go on without a limit, too', async () => {
    const first = await fixture.send(SUBJECTS, { ...ALL_READERS, page: { limit: 1 } })
    const { next_token: token } = first.body.page as { next_token: string }
    const rest = await fixture.send(SUBJECTS, { ...ALL_READERS, page: { token } })
    expect(rest.body).toMatchObject({ results: [expect.anything()], page: { next_token: '' } })
  })

  it.each(['none-of-ours', 'WzEsIjAiLCIiXQ', '"'])('refuse a token that is none: %s', async (token) => {
    expect((await fixture.send(SUBJECTS, { ...ALL_READERS, page: { token } })).status).toBe(400)
  })

  it('refuse the token of another question', async () => {
    const first = await fixture.send(SUBJECTS, { ...ALL_READERS, page: { limit: 1 } })
    const { next_token: token } = first.body.page as { next_token: string }
    const other = { ...ALL_READERS, action: action('write'), page: { token } }
    expect((await fixture.send(SUBJECTS, other)).status).toBe(400)
  })

  it('4.5.4 are not spoken of where nobody asks for them', async () => {
    expect(Object.keys((await fixture.send(SUBJECTS, ALL_READERS)).body)).toEqual(['results'])
  })
})

describe('4.6 nothing found', () => {
  it.each([
    [
      '4.6.1 for an unknown user',
      ACTIONS,
      { subject: user('nonexistent-user'), resource: record('record-1') },
    ],
    ['4.6.1 for an unknown record', ACTIONS, { subject: user('alice'), resource: record('record-9') }],
    ['4.6.1 for an unknown action', SUBJECTS, { ...ALL_READERS, action: action('fly') }],
    ['4.6.2 for an unknown type of subject', SUBJECTS, { ...ALL_READERS, subject: { type: 'spaceship' } }],
    [
      '4.6.2 for an unknown type of resource',
      RESOURCES,
      { subject: user('alice'), action: action('read'), resource: { type: 'planet' } },
    ],
    [
      '4.6.2 for an unknown type on either side',
      ACTIONS,
      { subject: { type: 'spaceship', id: 'x' }, resource: { type: 'planet', id: 'y' } },
    ],
  ] as const)('%s', async (_, path, body) => {
    const answer = await fixture.send(path, body)
    expect([answer.status, answer.body]).toEqual([200, { results: [] }])
  })
})

describe('4.7 errors of searches', () => {
  const { subject, resource } = ALL_READERS
  it.each([
    ['4.7.1 a subject search without an action', SUBJECTS, { subject, resource }],
    [
      '4.7.1 a resource search without a subject',
      RESOURCES,
      { action: action('read'), resource: { type: 'record' } },
    ],
    ['4.7.1 an action search without a resource', ACTIONS, { subject: user('alice') }],
    [
      '4.7.2 a subject search with a resource without id',
      SUBJECTS,
      { ...ALL_READERS, resource: { type: 'record' } },
    ],
    [
      '4.7.2 a resource search with a subject without id',
      RESOURCES,
      { subject: { type: 'user' }, action: action('read'), resource: { type: 'record' } },
    ],
    ['4.7.2 an action search with a subject without id', ACTIONS, { subject: { type: 'user' }, resource }],
  ] as const)('%s is 400', async (_, path, body) => {
    expect((await fixture.send(path, body)).status).toBe(400)
  })
})

describe('6 discovery', () => {
  it('6.2 to 6.5 names the decision point and its endpoints, all over HTTPS and all there', async () => {
    const answer = await fixture.test.call('GET', '/.well-known/authzen-configuration')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    const { policy_decision_point: base, ...endpoints } = answer.body as Record<string, string>
    expect(base).toBe(fixture.test.broker.settings.issuer)
    expect(Object.keys(endpoints).sort()).toEqual([
      'access_evaluation_endpoint',
      'access_evaluations_endpoint',
      'search_action_endpoint',
      'search_resource_endpoint',
      'search_subject_endpoint',
    ])
    for (const url of [base ?? '', ...Object.values(endpoints)]) {
      expect(new URL(url)).toMatchObject({ protocol: 'https:', search: '', hash: '' })
    }
    for (const url of Object.values(endpoints)) {
      expect((await fixture.sendRaw(new URL(url).pathname, '')).status).toBe(400)
    }
  })

  it('6.2 is read by anybody, without a credential', async () => {
    const answer = await fixture.test.call('GET', '/.well-known/authzen-configuration', {
      headers: { authorization: 'Bearer nonsense' },
    })
    expect(answer.status).toBe(200)
  })
})
