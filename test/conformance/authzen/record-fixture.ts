import type { GrantTerms } from '../../../src/core/grant/terms.ts'
import type { Manifest } from '../../../src/core/manifest/manifest.ts'
import type { AgentRow } from '../../../src/ports/rows.ts'
import { insertPoint, type TestPoint } from '../../support/enforcement-point.ts'
import { grantAll } from '../../support/granted-agent.ts'
import { type Called, createTestApp, type TestApp } from '../../support/test-app.ts'
import { insertAgent } from '../../support/test-broker.ts'
import { argument, skillOf } from './plain-skill.ts'

/** A record is a skill of its own; what its status is unless a request says so is a default of its schema. */
function recordManifest(skill: string, status: 'active' | 'archived'): Manifest {
  const choice = (values: string[], byDefault: string) =>
    argument({ type: 'string', enum: values, default: byDefault })
  return skillOf(skill, {
    read: {},
    write: {
      status: choice(['active', 'archived'], status),
      // Bob, who alone is asked for it, has it in the fixture whether or not a request says so.
      role: choice(['manager', 'admin'], 'admin'),
    },
    delete: { soft: argument({ type: 'boolean', default: false }) },
  })
}

/** The scenario's names, and what they are called here. */
export type Names = Readonly<Record<'alice' | 'bob' | 'record-1' | 'record-2', string>>

export type RecordFixture = {
  readonly test: TestApp
  readonly gateway: TestPoint
  readonly names: Names
  /** Sends a request in the scenario's words, and answers in them. */
  send(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Called>
  /** Sends bytes as they are. */
  sendRaw(path: string, raw: string, headers?: Readonly<Record<string, string>>): Promise<Called>
}

/**
 * The fixture of the AuthZEN 1.0 certification scenario (section "Required Fixture") as signed actions, grants and
 * constraints: records are skills, and its eight rules are what Alice and Bob have granted their agents.
 */
export async function createRecordFixture(): Promise<RecordFixture> {
  const test = await createTestApp()
  const { broker } = test
  const one = recordManifest('record.one', 'active')
  const two = recordManifest('record.two', 'archived')
  const person = async () => {
    const userId = broker.newId('user')
    return { userId, agent: await insertAgent(broker, { userId }) }
  }
  const alice = await person()
  const bob = await person()
  const give = (
    manifest: Manifest,
    about: { userId: string; agent: AgentRow },
    actions: GrantTerms['actions'],
  ) => grantAll(broker, manifest, { actions, budgets: [] }, about)
  const equals = (pointer: string, value: string | boolean) => ({ kind: 'equals', pointer, value }) as const
  const read = { name: 'read', constraints: [] }
  // Rules 1, 2, 5, 7 and 8: she writes what is active, and deletes softly.
  const hers = [
    read,
    { name: 'write', constraints: [equals('/status', 'active')] },
    { name: 'delete', constraints: [equals('/soft', true)] },
  ]
  await give(one, alice, hers)
  await give(two, alice, hers)
  // Rules 3, 4 and 6: he only reads the first, and writes the second as an admin.
  await give(one, bob, [read])
  await give(two, bob, [read, { name: 'write', constraints: [equals('/role', 'admin')] }])

  const gateway = await insertPoint(broker, { skills: [one.skill, two.skill], mayListUsers: true })
  const names: Names = {
    alice: alice.userId,
    bob: bob.userId,
    'record-1': one.skill,
    'record-2': two.skill,
  }
  const sendRaw = (path: string, raw: string, headers: Readonly<Record<string, string>> = {}) =>
    test.call('POST', path, { token: gateway.secret, raw: here(raw, names), headers })
  return {
    test,
    gateway,
    names,
    sendRaw: async (path, raw, headers) => theirs(await sendRaw(path, raw, headers), names),
    send: async (path, body, headers) => theirs(await sendRaw(path, JSON.stringify(body), headers), names),
  }
}

/** Names stand in the scenario as whole JSON strings, and so are replaced as such. */
function here(text: string, names: Names): string {
  const renamed = Object.entries(names).reduce(
    (before, [name, own]) => before.replaceAll(`"${name}"`, `"${own}"`),
    text,
  )
  return renamed.replaceAll('"type":"record"', '"type":"skill"')
}

function theirs(called: Called, names: Names): Called {
  const text = Object.entries(names)
    .reduce((before, [name, own]) => before.replaceAll(`"${own}"`, `"${name}"`), called.text)
    .replaceAll('"type":"skill"', '"type":"record"')
  const isJson = called.headers.get('content-type')?.includes('json') ?? false
  return { ...called, text, body: isJson ? JSON.parse(text) : {} }
}
