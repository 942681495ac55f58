import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareQueries } from '../../src/store/queries.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts'
import { MIGRATIONS, openTestStore } from '../support/sqlite-file.ts'
import { NOW_MS } from './sample-rows.ts'
import { describeStore } from './store-contract.ts'

describeStore('the embedded store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-'))
  const store = openTestStore(join(folder, 'broker.db'), NOW_MS)
  return {
    store,
    async remove() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})

/** What reads a whole table on purpose: short lists for operators, the ends of the log, the doctor's walk. */
const MAY_SCAN = [
  /** The first entry of a partial index. */
  'outbox_next_due',
  'event_deliveries_next_due',
  'enforcement_points_list',
  'publishers_list',
  'skills_list',
  'freezes_list',
  'incidents_list',
  'log_leaves_newest',
  'log_checkpoints_newest',
  'log_queue_newest',
  'log_queue_covered',
  'counters_users',
  // Whether there is one freeze at all: its first row.
  'decision_heads_find',
  // All of what is unsettled, in the index that holds nothing else.
  'actions_unsettled',
  'actions_dispatched_by',
  'actions_overdue',
  'actions_handed_over',
  'undo_jobs_running',
  // A handful of rows, whatever the history.
  'leases_list',
  'past_logs_list',
  'key_checks_list',
  'legal_holds_list',
  'erasures_open',
  // Once in the life of an account: no index is kept for it.
  'personal_agent_callbacks_remove',
  'personal_agent_sessions',
  'personal_debts_scrub',
  'personal_grant_watches_remove',
  'personal_oauth_records_remove',
  'personal_revoked_actions_remove',
  'personal_undos_remove',
  'personal_sessions_remove',
  'personal_terminal_logins_remove',
  // Logins that wait at this moment: a handful, and gone within minutes.
  'terminal_logins_remove_for',
]

describe('the statements of the embedded store', () => {
  const plans = new Map<string, string>()

  beforeAll(() => {
    const raw = new Database(':memory:')
    const db = drizzle(raw)
    const dialect = sqliteDialect(raw)
    migrate(db, { migrationsFolder: MIGRATIONS })
    prepareQueries({
      db,
      t: sqliteTables,
      d: {
        ...dialect,
        prepare(name, query) {
          const { sql, params } = query.toSQL()
          const steps = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(params.map(() => null))
          plans.set(name, steps.map((step) => (step as { detail: string }).detail).join('\n'))
          return dialect.prepare(name, query)
        },
      },
    })
    raw.close()
  })

  it('read no table from end to end but for those that mean to', () => {
    const scanning = [...plans].filter(([, plan]) => /^SCAN (?!\d+-ROW)/m.test(plan)).map(([name]) => name)
    expect(scanning.sort()).toEqual([...MAY_SCAN].sort())
  })

  it.each([
    ['grants_candidates', 'grants_by_pair'],
    ['actions_find_by_key', 'actions_one_per_key'],
    ['counters_legs', 'actions_by_user'],
    ['counters_covering', '(user_id=?)'],
    ['actions_list', 'actions_by_time'],
    ['actions_list_of_user', 'actions_by_user'],
    ['actions_unsettled', 'actions_unsettled'],
    ['actions_unsettled_of_user', 'actions_unsettled (user_id=?)'],
    ['actions_due_for_check', 'actions_in_doubt (next_check_at_ms<?)'],
    ['debts_clear_payment', 'debts_by_payment'],
    ['freezes_matching', '(id=?)'],
    ['log_leaf_hashes_from', 'PRIMARY KEY'],
  ])('%s goes through %s', (name, index) => {
    expect(plans.get(name)).toContain(index)
  })
})
