import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/core/decision/decide.ts'
import type { RefusalCode } from '../../src/core/decision/decision.ts'
import { isJsonObject, type JsonValue } from '../../src/core/json-value.ts'
import { plainJson } from '../../src/core/manifest/manifest-change.ts'
import { asFacts, BASES, patched, type Situation } from './situation.ts'

type Row = {
  /** A sentence about behaviour. */
  it: string
  /** Changes of the table's base, merged into it. */
  when: JsonValue
  /** A part of the decision, which must match. */
  then: Record<string, unknown>
}
type Table = { describe: string; base: keyof typeof BASES; rows: Row[] }
type Fault = { code: string; when: JsonValue }

/** Codes that `decide` itself never gives. Compiling fails when one is added that this does not list. */
const CODES: Record<RefusalCode, 'decided' | 'elsewhere'> = {
  frozen: 'decided',
  agent_not_connected: 'decided',
  skill_unknown: 'decided',
  skill_suspended: 'decided',
  action_not_declared: 'decided',
  amount_above_manifest: 'decided',
  currency_not_declared: 'decided',
  outcome_not_reported: 'decided',
  enforced_elsewhere: 'decided',
  debt_unknown: 'decided',
  debt_settled: 'decided',
  debt_mismatch: 'decided',
  consent_required: 'decided',
  consent_suspended: 'decided',
  consent_outdated: 'decided',
  constraint_violated: 'decided',
  deployment_not_allowed: 'decided',
  recipient_not_allowed: 'decided',
  category_not_allowed: 'decided',
  account_not_linked: 'decided',
  account_unavailable: 'decided',
  deletion_overdue: 'decided',
  clock_unconfirmed: 'decided',
  spending_stopped: 'decided',
  currency_without_budget: 'decided',
  budget_exceeded: 'decided',
  amount_too_large: 'decided',
  approval_refused: 'decided',
  asked_too_often: 'decided',
  // What the use case says when deciding throws; test/broker/refusals.test.ts.
  decision_failed: 'elsewhere',
}

const FOLDER = new URL('.', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
const TABLES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json') && name !== 'precedence.json')
  .map((name) => ({ name, ...(read(name) as Table) }))
const PRECEDENCE = (read('precedence.json') as { faults: Fault[] }).faults

function decideIn(base: Situation, ...changes: JsonValue[]) {
  const at: Situation = JSON.parse(JSON.stringify(changes.reduce(patched, plainJson(base))))
  const { request, facts } = asFacts(at)
  return decide(request, facts)
}

for (const table of TABLES) {
  describe(table.describe, () => {
    it.each(table.rows.map((row) => [row.it, row] as const))('%s', (_, row) => {
      expect(decideIn(BASES[table.base], row.when)).toMatchObject(row.then)
    })
  })
}

/** Whether two changes touch the same fact. */
function clash(a: JsonValue, b: JsonValue): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) return true
  return Object.entries(a).some(([name, value]) => b[name] !== undefined && clash(value, b[name]))
}

describe('the order of the checks', () => {
  const codeOf = (decision: ReturnType<typeof decide>) =>
    decision.effect === 'deny' ? decision.refusal.code : decision.effect

  it.each(PRECEDENCE.map((fault) => [fault.code, fault] as const))(
    'has a fault that makes %s',
    (_, fault) => {
      expect(codeOf(decideIn(BASES.order, fault.when))).toBe(fault.code)
    },
  )

  const pairs = PRECEDENCE.flatMap((first, i) =>
    PRECEDENCE.slice(i + 1).map((second) => [first, second] as const),
  )
    // Two faults that need the same fact to be two things cannot both be there.
    .filter(([first, second]) => !clash(first.when, second.when))

  it.each(pairs.map(([first, second]) => [first.code, second.code, first, second] as const))(
    'says %s where there is %s too',
    (code, _, first, second) => {
      expect(codeOf(decideIn(BASES.order, first.when, second.when))).toBe(code)
    },
  )

  it('is tried on nearly every pair', () => {
    const all = (PRECEDENCE.length * (PRECEDENCE.length - 1)) / 2
    expect(pairs.length).toBeGreaterThan(all * 0.9)
  })
})

describe('the tables', () => {
  it('have a row for every code', () => {
    const told = new Set(
      TABLES.flatMap((table) => table.rows).map(
        (row) => (row.then.refusal as { code?: string } | undefined)?.code,
      ),
    )
    const missing = Object.entries(CODES).filter(([code, by]) => by === 'decided' && !told.has(code))
    expect(missing).toEqual([])
  })

  it('name nothing that a situation does not have', () => {
    for (const row of TABLES.flatMap((table) => table.rows)) {
      expect(Object.keys(row.when as object).filter((name) => !(name in BASES.order))).toEqual([])
    }
  })
})
