import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertPoint } from '../../support/enforcement-point.ts'
import { grantAll } from '../../support/granted-agent.ts'
import { createTestApp, type TestApp } from '../../support/test-app.ts'
import { insertAgent } from '../../support/test-broker.ts'
import { argument, skillOf } from './plain-skill.ts'

/**
 * The Todo interop set of AuthZEN (openid/authzen, interop/authzen-todo-backend: 40 evaluations and 3 batches). Its
 * people are users, its todo application is one skill, and what their roles allow is what they have granted: an admin
 * changes every todo, an editor their own, a viewer none.
 */

const TODO = skillOf('todo.app', {
  can_read_user: {},
  can_read_todos: {},
  can_create_todo: {},
  can_update_todo: { ownerID: argument({ type: 'string', maxLength: 100, default: '' }) },
  can_delete_todo: { ownerID: argument({ type: 'string', maxLength: 100, default: '' }) },
})

const PEOPLE = {
  rick: { mail: 'rick@the-citadel.com', role: 'admin' },
  morty: { mail: 'morty@the-citadel.com', role: 'editor' },
  summer: { mail: 'summer@the-smiths.com', role: 'editor' },
  beth: { mail: 'beth@the-smiths.com', role: 'viewer' },
  jerry: { mail: 'jerry@the-smiths.com', role: 'viewer' },
} as const
type Name = keyof typeof PEOPLE
const NAMES = Object.keys(PEOPLE) as Name[]

/** What is asked of everybody, in the order of the set; somebody's own todo is Morty's for Rick. */
const ASKED = [
  ['can_read_user', 'beth'],
  ['can_read_user', 'own'],
  ['can_read_todos', null],
  ['can_create_todo', null],
  ['can_update_todo', 'rick'],
  ['can_update_todo', 'own'],
  ['can_delete_todo', 'rick'],
  ['can_delete_todo', 'own'],
] as const

const EXPECTED = {
  admin: [true, true, true, true, true, true, true, true],
  editor: [true, true, true, true, false, true, false, true],
  viewer: [true, true, true, false, false, false, false, false],
} as const

let test: TestApp
let secret: string
const ids = new Map<Name, string>()

beforeAll(async () => {
  test = await createTestApp()
  for (const name of NAMES) ids.set(name, await grantedTo(name))
  secret = (await insertPoint(test.broker, { skills: [TODO.skill] })).secret
})
afterAll(() => test.close())

async function grantedTo(name: Name): Promise<string> {
  const { broker } = test
  const { mail, role } = PEOPLE[name]
  const userId = broker.newId('user')
  const own = role === 'admin' ? [] : [{ kind: 'equals', pointer: '/ownerID', value: mail } as const]
  const reading = ['can_read_user', 'can_read_todos'].map((action) => ({ name: action, constraints: [] }))
  const writing = [
    { name: 'can_create_todo', constraints: [] },
    { name: 'can_update_todo', constraints: own },
    { name: 'can_delete_todo', constraints: own },
  ]
  const actions = role === 'viewer' ? reading : [...reading, ...writing]
  const agent = await insertAgent(broker, { userId })
  await grantAll(broker, TODO, { actions, budgets: [] }, { userId, agent })
  return userId
}

const subject = (name: Name) => ({ type: 'user', id: ids.get(name) ?? '' })

/** The todo's id stays a property, which means nothing here; whose it is, is an argument. */
function todo(owner?: Name) {
  return {
    type: 'skill',
    id: TODO.skill,
    properties: { todo: 'todo-1', ...(owner ? { ownerID: PEOPLE[owner].mail } : {}) },
  }
}

async function post(path: string, body: unknown) {
  const answer = await test.call('POST', `/access/v1/${path}`, { token: secret, body })
  expect(answer.status).toBe(200)
  return answer.body
}

const CASES = NAMES.flatMap((name) =>
  ASKED.map(([action, of], i) => {
    const whose = of === 'own' ? (name === 'rick' ? 'morty' : name) : of
    return [name, action, whose, EXPECTED[PEOPLE[name].role][i]] as const
  }),
)

describe('the Todo interop set', () => {
  it('has its 40 evaluations', () => {
    expect(CASES).toHaveLength(40)
  })

  it.each(CASES)('%s %s %s: %s', async (name, action, whose, expected) => {
    const isTodo = action === 'can_update_todo' || action === 'can_delete_todo'
    const resource = todo(isTodo ? (whose ?? undefined) : undefined)
    const { decision } = await post('evaluation', {
      subject: subject(name),
      action: { name: action },
      resource,
    })
    expect(decision).toBe(expected)
  })

  it.each([
    ['rick', ['rick', 'jerry'], [true, true]],
    ['morty', ['rick', 'morty'], [false, true]],
    ['jerry', ['rick', 'jerry'], [false, false]],
  ] as const)('%s updates todos of %s in a batch: %s', async (name, owners, expected) => {
    const body = await post('evaluations', {
      subject: subject(name),
      action: { name: 'can_update_todo' },
      evaluations: owners.map((owner) => ({ resource: todo(owner) })),
    })
    // The set compares whole answers: anything beside the decision fails it.
    expect(body).toEqual({ evaluations: expected.map((decision) => ({ decision })) })
  })
})
