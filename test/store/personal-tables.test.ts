import { readFileSync } from 'node:fs'
import { getTableColumns, getTableName } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'

/** What an erasure leaves of tables that say whose their rows are, and why. */
const LEFT: Readonly<Record<string, string>> = {
  actions: 'the ledger: amounts, times and ids; keys, digests and sessions are scrubbed',
  counters: 'the ledger: sums',
  commitments: 'ids and how often',
  debts: 'the ledger: amounts; whom it was owed is scrubbed',
  incidents: 'what operators looked into, closed by then, without personal data',
  leaf_parts: 'sealed, and their keys are destroyed',
  erasures: 'the tombstone of the account',
  legal_holds: 'lifted by then',
  people: 'the tombstone of the account: nobody is invited into its id again',
  restore_lifts: 'an epoch and a time',
  status_entries: 'scrubbed: a place in a list is never given twice, and says nothing of whose it was',
  event_deliveries: 'scrubbed: what is still to be told, by pairwise id; what was told is removed',
  undo_items: 'ids of actions an operator had undone, and what became of it',
}

const removals = readFileSync(
  new URL('../../src/store/repositories/personal-rows.ts', import.meta.url),
  'utf8',
)

it('every table that says whose its rows are is emptied by an erasure, or says why not', () => {
  const owned: string[] = Object.values(sqliteTables)
    .filter((table) => Object.values(getTableColumns(table)).some(({ name }) => name === 'user_id'))
    .map((table) => getTableName(table))
  const unclassified = owned.filter(
    (name) => !removals.includes(`removal('${name}',`) && !Object.hasOwn(LEFT, name),
  )
  expect(unclassified).toEqual([])
  expect(Object.keys(LEFT).filter((name) => !owned.includes(name))).toEqual([])
})
