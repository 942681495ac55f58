import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grantTermsShape } from '../../src/core/grant/terms.ts'
import { PERSONAL_COLUMNS } from '../../src/core/personal-columns.ts'
import { readEpochKeys } from '../../src/keys/kek-file.ts'
import { openBackup } from '../../src/store/backup/read-backup.ts'
import { TABLE_LAYOUTS, valueAt } from '../../src/store/backup/table-layout.ts'
import { createErasable, type ErasablePerson } from '../support/erasable-person.ts'
import { backUp, publish, restoreBeside } from '../support/restored-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let alice: ErasablePerson
let from: string

beforeEach(async () => {
  test = await createTestBroker()
  alice = await createErasable(test)
  await test.broker.store.transaction(async (tx) => {
    const terms = grantTermsShape.parse(JSON.parse(alice.grant.terms))
    const constraint = { kind: 'equals', pointer: '/store_id', value: 'near-her-home' } as const
    const actions = terms.actions.map((action) => ({ ...action, constraints: [constraint] }))
    await tx.grants.update({ ...alice.grant, terms: JSON.stringify({ ...terms, actions }) })
  })
  await publish(test)
  from = await backUp(test, join(tempFolder(), 'backup'))
})
afterEach(() => test.close())

const openText = () =>
  readdirSync(from)
    .map((name) => {
      const bytes = readFileSync(join(from, name))
      return name.endsWith('.gz') ? gunzipSync(bytes).toString('latin1') : bytes.toString('latin1')
    })
    .join('\n')

const keysNow = () => readEpochKeys(join(test.folder, 'kek.json'))

async function rowsOf(name: string, keys = keysNow()): Promise<Record<string, unknown>[]> {
  const table = TABLE_LAYOUTS.find((one) => one.name === name)
  if (!table) throw new Error(name)
  const rows: Record<string, unknown>[] = []
  for await (const batch of openBackup(from, keys).source.rows(table))
    for (const row of batch)
      rows.push(
        Object.fromEntries(table.columns.map((column) => [column.name, valueAt(table, row, column.name)])),
      )
  return rows
}

async function turn(): Promise<void> {
  const { rotation } = test.broker.cells
  await rotation.begin(test.clock.nowMs())
  while ((await rotation.rewrap(500)) > 0);
  await rotation.retire()
}

describe('a backup and the key epoch it is of', () => {
  it('shows nothing personal without the key, and all of it with it', async () => {
    const text = openText()
    for (const word of [...alice.planted, 'near-her-home', 'cred-', 'Firefox'])
      expect(text).not.toContain(word)
    expect(await rowsOf('saved_recipients')).toMatchObject([{ label: alice.planted[2] }])
    expect((await rowsOf('passkeys')).length).toBe(1)
    expect(JSON.stringify(await rowsOf('grants'))).toContain('near-her-home')
  })

  it('dies with that epoch: what is personal is gone, and ledger, log and grants are there', async () => {
    const withKey = await rowsOf('actions')
    await turn()
    const without = await rowsOf('actions')
    expect(without.length).toBe(withKey.length)
    expect(without[0]).toMatchObject({ id: withKey[0]?.id, captured_minor: withKey[0]?.captured_minor })
    expect(without[0]?.idempotency_key).not.toBe(withKey[0]?.idempotency_key)
    expect(await rowsOf('passkeys')).toEqual([])
    const [grant] = await rowsOf('grants')
    const terms = grantTermsShape.parse(JSON.parse(String(grant?.terms)))
    expect(JSON.stringify(terms)).not.toContain('near-her-home')
    for (const { constraints } of terms.actions)
      expect(constraints).toEqual([{ kind: 'range', pointer: '/store_id', min: 1, max: 0 }])
  })

  it('is restored all the same after it, with the log as it was and grants that allow no more', async () => {
    await turn()
    const folder = tempFolder()
    const restored = await restoreBeside(test, from, folder)
    expect(restored.done.report.held.treeSize).toBeGreaterThan(0)
    const left = await restored.broker.store.read(async (tx) => ({
      grants: await tx.grants.list(alice.userId, { limit: 10, before: null }),
      passkeys: await tx.passkeys.list({ kind: 'user', id: alice.userId }),
    }))
    expect(left.passkeys).toEqual([])
    expect(left.grants).toMatchObject([{ id: alice.grant.id, status: 'suspended' }])
    await restored.close()
  })

  it.each([
    ['a flipped byte', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)))],
    ['a chunk that is cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['nothing in it', () => Buffer.alloc(0)],
  ])('refuses a personal file with %s', async (_, damage) => {
    const file = join(from, 'saved_recipients.personal')
    writeFileSync(file, damage(readFileSync(file)))
    await expect(rowsOf('saved_recipients')).rejects.toThrow(/not as it was written/)
  })

  it('refuses the personal file of another table', async () => {
    copyFileSync(join(from, 'agents.personal'), join(from, 'debts.personal'))
    await expect(rowsOf('debts')).rejects.toThrow(/not as it was written/)
  })
})

it('every table and column that is named as personal is there', () => {
  for (const [name, { columns = {} }] of Object.entries(PERSONAL_COLUMNS)) {
    const table = TABLE_LAYOUTS.find((one) => one.name === name)
    const texts = table?.columns.filter(({ kind }) => kind === 'text').map((column) => column.name)
    for (const column of Object.keys(columns)) expect(texts, name).toContain(column)
    expect(texts, name).toBeDefined()
  }
})
