import type { Columns } from '../columns.ts'

/** What several processes on one database agree by: who does which work, and which keys they all must hold. */
export function describeNodeTables(c: Columns) {
  const leases = c.table('leases', {
    name: c.text('name').primaryKey(),
    /** Node id; empty after it was given back. */
    holder: c.text('holder').notNull(),
    /** Rises with every change of hands and never falls: what was begun under an older one is refused. */
    fence: c.integer('fence').notNull(),
    expiresAtMs: c.integer('expires_at_ms').notNull(),
  })

  const keyChecks = c.table('key_checks', {
    /** What is checked, such as `key:log` or `pseudonyms`. */
    name: c.text('name').primaryKey(),
    /** A key id or a one-way check value: enough to know the key again, not to find it. */
    value: c.text('value').notNull(),
    setAtMs: c.integer('set_at_ms').notNull(),
  })

  return { leases, keyChecks }
}
